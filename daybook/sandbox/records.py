"""What the books hold: one mutable record per Xero object, in our own field names.

Invoices, credit notes and bank transactions are one shape (`Document`); their rules differ, not
their fields.
"""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003  msgspec reads the annotations at run time
from decimal import Decimal

import msgspec

ZERO = Decimal("0.00")
ONE = Decimal(1)


class Organisation(msgspec.Struct, kw_only=True):
    """One Xero organisation; `time_zone` is an IANA name, `plan` is Xero's `Class`."""

    id: str
    name: str
    country: str
    currency: str
    time_zone: str
    plan: str
    short_code: str
    created_at: datetime
    period_lock_date: date | None = None
    end_of_year_lock_date: date | None = None
    is_demo: bool = False


class Account(msgspec.Struct, kw_only=True):
    """An account of the chart."""

    id: str
    code: str
    name: str
    type: str
    updated_at: datetime
    status: str = "ACTIVE"
    tax_type: str = "NONE"
    description: str = ""
    system_account: str = ""
    enable_payments: bool = False
    show_in_expense_claims: bool = False
    bank_account_number: str = ""
    bank_account_type: str = ""
    currency: str = ""
    has_attachments: bool = False


class TaxComponent(msgspec.Struct, kw_only=True):
    """One part of a tax rate, in percent."""

    name: str
    rate: Decimal
    is_compound: bool = False
    is_non_recoverable: bool = False


class TaxRate(msgspec.Struct, kw_only=True):
    """A tax rate; `id` is Xero's TaxType, `applies_to` the account classes it may be used with."""

    id: str
    name: str
    components: list[TaxComponent]
    applies_to: list[str]
    status: str = "ACTIVE"
    report_tax_type: str = ""
    rate: Decimal = ZERO


class TrackingOption(msgspec.Struct, kw_only=True):
    """One choice of a tracking category."""

    id: str
    name: str
    status: str = "ACTIVE"


class TrackingCategory(msgspec.Struct, kw_only=True):
    """A tracking category with its options in order of creation."""

    id: str
    name: str
    options: list[TrackingOption]
    status: str = "ACTIVE"


class Contact(msgspec.Struct, kw_only=True):
    """A contact; `extra` keeps the text fields Xero only stores and returns."""

    id: str
    name: str
    updated_at: datetime
    status: str = "ACTIVE"
    number: str = ""
    account_number: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    tax_number: str = ""
    is_customer: bool = False
    is_supplier: bool = False
    addresses: list[dict[str, str]] = []
    phones: list[dict[str, str]] = []
    persons: list[dict[str, str | bool]] = []
    extra: dict[str, str] = {}
    has_attachments: bool = False


class Currency(msgspec.Struct, kw_only=True):
    """A currency the organisation subscribes to; `id` is its code."""

    id: str
    description: str


class Line(msgspec.Struct, kw_only=True):
    """One line of a document, amounts as computed; `tracking` holds (category id, option id)."""

    id: str
    description: str
    quantity: Decimal | None
    unit_amount: Decimal
    line_amount: Decimal
    tax_amount: Decimal
    tax_type: str
    account_id: str
    item_code: str = ""
    discount_rate: Decimal | None = None
    discount_amount: Decimal | None = None
    tracking: list[tuple[str, str]] = []


class Document(msgspec.Struct, kw_only=True):
    """An invoice, credit note or bank transaction."""

    id: str
    type: str
    status: str
    contact_id: str
    document_date: date
    line_amount_types: str
    currency: str
    currency_rate: Decimal
    lines: list[Line]
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal
    created_at: datetime
    updated_at: datetime
    client_id: str
    number: str = ""
    reference: str = ""
    due_date: date | None = None
    expected_payment_date: date | None = None
    planned_payment_date: date | None = None
    url: str = ""
    branding_theme_id: str = ""
    sent_to_contact: bool = False
    bank_account_id: str = ""
    is_reconciled: bool = False
    paid: Decimal = ZERO
    credited: Decimal = ZERO
    payment_ids: list[str] = []
    allocation_ids: list[str] = []
    fully_paid_date: date | None = None
    has_attachments: bool = False

    @property
    def due(self) -> Decimal:
        """What is still open: amount due of an invoice, remaining credit of a credit note."""
        return self.total - self.paid - self.credited


class Payment(msgspec.Struct, kw_only=True):
    """A payment of an invoice, or the refund of a credit note (`document_id` either way)."""

    id: str
    type: str
    status: str
    document_id: str
    account_id: str
    payment_date: date
    amount: Decimal
    bank_amount: Decimal
    currency_rate: Decimal
    created_at: datetime
    updated_at: datetime
    reference: str = ""
    is_reconciled: bool = False
    batch_payment_id: str = ""


class BatchPayment(msgspec.Struct, kw_only=True):
    """One bank line that pays many invoices."""

    id: str
    type: str
    status: str
    account_id: str
    batch_date: date
    payment_ids: list[str]
    total: Decimal
    created_at: datetime
    updated_at: datetime
    texts: dict[str, str] = {}
    is_reconciled: bool = False


class Allocation(msgspec.Struct, kw_only=True):
    """Part of a credit note set against an invoice."""

    id: str
    credit_note_id: str
    invoice_id: str
    amount: Decimal
    allocation_date: date
    is_deleted: bool = False


class Attachment(msgspec.Struct, kw_only=True):
    """A file on an object of the books, bytes and all."""

    id: str
    endpoint: str
    parent_id: str
    file_name: str
    mime_type: str
    content: bytes
    include_online: bool = False


class HistoryRecord(msgspec.Struct, kw_only=True):
    """One line of the history of an object."""

    id: str
    parent_id: str
    changes: str
    details: str
    user: str
    written_at: datetime
