"""Our documents in Xero's JSON, and Xero's documents as values; the only place that knows the form.

Every line is sent as quantity 1 at the line's amount with the source's own tax, and the document as
tax exclusive: Xero then computes nothing that could differ by a cent.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from daybook.errors import FinalError
from daybook.posting.documents import MONEY_KINDS, DocumentKind, Tracking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daybook.posting.documents import DocumentLine, Payment, SalesDocument, SpendMoney
    from daybook.xero.responses import Json, JsonAny

ZERO_ID: Final = "00000000-0000-0000-0000-000000000000"
TRACKING_COUNT_MAX: Final = 2

_TYPES: Final = {
    DocumentKind.INVOICE: "ACCREC",
    DocumentKind.CREDIT_NOTE: "ACCRECCREDIT",
    DocumentKind.SPEND_MONEY: "SPEND",
    DocumentKind.RECEIVE_MONEY: "RECEIVE",
}
_ID_FIELDS: Final = {DocumentKind.INVOICE: "InvoiceID", DocumentKind.CREDIT_NOTE: "CreditNoteID"}
_NUMBER_FIELDS: Final = {
    DocumentKind.INVOICE: "InvoiceNumber",
    DocumentKind.CREDIT_NOTE: "CreditNoteNumber",
}
_DUE_FIELDS: Final = {
    DocumentKind.INVOICE: "AmountDue",
    DocumentKind.CREDIT_NOTE: "RemainingCredit",
}
_PARENT_FIELDS: Final = {DocumentKind.INVOICE: "Invoice", DocumentKind.CREDIT_NOTE: "CreditNote"}
_DATE: Final = re.compile(r"/Date\((?P<milliseconds>-?\d+)(?:[+-]\d{4})?\)/")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class LineInXero:
    """One line as Xero holds it; amounts are before tax."""

    description: str
    account_code: str
    tax_type: str
    net_amount: Decimal
    tax_amount: Decimal
    tracking: tuple[Tracking, ...]


@dataclass(frozen=True, slots=True)
class PaymentInXero:
    """One payment as Xero holds it.

    `account_code` and `parent_id_xero` are "" where Xero left them out: the payments listed on a
    document carry neither.
    """

    id_xero: str
    parent_id_xero: str
    account_code: str
    date: dt.date
    amount: Decimal
    reference: str
    status: str


@dataclass(frozen=True, slots=True)
class SalesDocumentInXero:
    """An invoice or credit note as Xero holds it, with its payments.

    `due_amount` is what is still to be paid, or of a credit note what is still to be paid out.
    """

    kind: DocumentKind
    id_xero: str
    number: str
    reference: str
    status: str
    date: dt.date
    currency: str
    contact_id_xero: str
    net_amount: Decimal
    tax_amount: Decimal
    total_amount: Decimal
    due_amount: Decimal
    lines: tuple[LineInXero, ...]
    payments: tuple[PaymentInXero, ...]

    @property
    def is_live(self) -> bool:
        """Whether it counts in the books: approved, paid or not."""
        return self.status in {"AUTHORISED", "PAID"}


@dataclass(frozen=True, slots=True)
class PaymentToSend:
    """A payment and the document in Xero that it pays."""

    payment: Payment
    parent_kind: DocumentKind
    parent_id_xero: str


def type_of(kind: DocumentKind) -> str:
    """Return Xero's name of the kind of document."""
    return _TYPES[kind]


def id_of(element: Json, kind: DocumentKind) -> str | None:
    """Return the id Xero gave a sales document; absent and all-zero ids are None."""
    return real_id(element.get(_ID_FIELDS[kind]))


def number_of(element: Json, kind: DocumentKind) -> str:
    """Return the document's number."""
    return str(element.get(_NUMBER_FIELDS[kind]) or "")


def real_id(value: JsonAny) -> str | None:
    """Return an id that stands for something: Xero gives what it did not save an all-zero id."""
    if not isinstance(value, str) or value in {"", ZERO_ID}:
        return None
    return value


def invoice_body(document: SalesDocument, contact_id: str) -> Json:
    """Write an approved sales invoice; due on its own date, since the tills were paid at once."""
    assert document.kind is DocumentKind.INVOICE
    return {**_sales_body(document, contact_id), "DueDate": document.date.isoformat()}


def credit_note_body(document: SalesDocument, contact_id: str) -> Json:
    """Write an approved sales credit note."""
    assert document.kind is DocumentKind.CREDIT_NOTE
    return _sales_body(document, contact_id)


def payment_body(to_send: PaymentToSend) -> Json:
    """Write a payment on an invoice, or a refund paid out on a credit note."""
    payment = to_send.payment
    return {
        _PARENT_FIELDS[to_send.parent_kind]: {
            _ID_FIELDS[to_send.parent_kind]: to_send.parent_id_xero
        },
        "Account": {"Code": payment.account_code},
        "Date": payment.date.isoformat(),
        "Amount": _cents(payment.amount),
        "Reference": payment.reference,
    }


def bank_transaction_body(document: SpendMoney, contact_id: str) -> Json:
    """Write a spend money or receive money; line amounts include the tax that is given with them.

    Without a currency: it is the bank account's own. It stays unreconciled, for a person to match
    with the statement line.
    """
    assert document.kind in MONEY_KINDS
    return {
        "Type": _TYPES[document.kind],
        "Status": "AUTHORISED",
        "Contact": {"ContactID": contact_id},
        "BankAccount": {"Code": document.bank_account_code},
        "Date": document.date.isoformat(),
        "LineAmountTypes": "Inclusive",
        "Reference": document.reference,
        "LineItems": [
            {**_line_body(line), "UnitAmount": _cents(line.net_amount + line.tax_amount)}
            for line in document.lines
        ],
    }


def sales_document(element: Json, kind: DocumentKind) -> SalesDocumentInXero:
    """Read an invoice or credit note of a list.

    Raises:
        FinalError: a field that every document has is missing or unreadable.
    """
    number = number_of(element, kind)
    where = f"{kind.value} {number or 'without number'}"
    identity = id_of(element, kind)
    if identity is None:
        raise FinalError(f"Xero lists {where} without an id; look at it in Xero.")
    return SalesDocumentInXero(
        kind=kind,
        id_xero=identity,
        number=number,
        reference=text_of(element, "Reference"),
        status=text_of(element, "Status"),
        date=date_of(element.get("Date"), where),
        currency=text_of(element, "CurrencyCode"),
        contact_id_xero=text_of(element.get("Contact") or {}, "ContactID"),
        net_amount=amount_of(element.get("SubTotal"), where),
        tax_amount=amount_of(element.get("TotalTax"), where),
        total_amount=amount_of(element.get("Total"), where),
        due_amount=amount_of(element.get(_DUE_FIELDS[kind]) or 0, where),
        lines=tuple(_line(line, where) for line in _items(element.get("LineItems"))),
        payments=tuple(
            payment_in_xero(payment, where) for payment in _items(element.get("Payments"))
        ),
    )


def payment_in_xero(element: Json, where: str = "a payment") -> PaymentInXero:
    """Read a payment, from the payments list or from the document it pays.

    A refund of a credit note comes back under `Invoice` in lists and under `CreditNote` in the
    reply to its creation. A payment on a document has no status of its own: it is in force.
    """
    parent = element.get("Invoice") or element.get("CreditNote") or {}
    return PaymentInXero(
        id_xero=text_of(element, "PaymentID"),
        parent_id_xero=text_of(parent, "InvoiceID") or text_of(parent, "CreditNoteID"),
        account_code=text_of(element.get("Account") or {}, "Code"),
        date=date_of(element.get("Date"), where),
        amount=amount_of(element.get("Amount"), where),
        reference=text_of(element, "Reference"),
        status=text_of(element, "Status") or "AUTHORISED",
    )


def text_of(element: JsonAny, name: str) -> str:
    """Return a text field; absent and null are ""."""
    return str(element.get(name) or "") if isinstance(element, dict) else ""


def amount_of(value: JsonAny, where: str) -> Decimal:
    """Return an exact amount from a JSON number or a numeric text."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return Decimal(value)
    raise FinalError(f"Xero sent {where} with an amount that cannot be read: {value!r}.")


def date_of(value: JsonAny, where: str) -> dt.date:
    """Return a calendar date from `/Date(ms+0000)/` or an ISO text.

    The milliseconds are UTC whatever offset follows; calendar dates are midnight UTC.
    """
    if isinstance(value, str):
        match = _DATE.fullmatch(value)
        if match:
            return (_EPOCH + dt.timedelta(milliseconds=int(match["milliseconds"]))).date()
        if re.match(r"\d{4}-\d{2}-\d{2}", value):
            return dt.date.fromisoformat(value[:10])
    raise FinalError(f"Xero sent {where} with a date that cannot be read: {value!r}.")


def _sales_body(document: SalesDocument, contact_id: str) -> Json:
    return {
        "Type": _TYPES[document.kind],
        "Status": "AUTHORISED",
        "Contact": {"ContactID": contact_id},
        "Date": document.date.isoformat(),
        "LineAmountTypes": "Exclusive",
        _NUMBER_FIELDS[document.kind]: document.number,
        "Reference": document.reference,
        "CurrencyCode": document.currency,
        "LineItems": [_line_body(line) for line in document.lines],
    }


def _line_body(line: DocumentLine) -> Json:
    """Write a line; without LineAmount, which Xero checks against quantity times unit amount."""
    assert len(line.tracking) <= TRACKING_COUNT_MAX
    return {
        "Description": line.description,
        "Quantity": 1,
        "UnitAmount": _cents(line.net_amount),
        "AccountCode": line.account_code,
        "TaxType": line.tax_type,
        "TaxAmount": _cents(line.tax_amount),
        "Tracking": [
            {"Name": choice.category, "Option": choice.option} for choice in line.tracking
        ],
    }


def _cents(amount: Decimal) -> Decimal:
    """Write two decimals, as Xero keeps; finer amounts would be rounded there, so they must not be.

    A currency with three decimals cannot be posted to the cent: planning holds such a day.
    """
    rounded = amount.quantize(_CENT)
    assert rounded == amount, f"{amount} has more decimals than Xero keeps"
    return rounded


def _line(element: Json, where: str) -> LineInXero:
    """Read a line; a line that is only a description has no amounts."""
    return LineInXero(
        description=text_of(element, "Description"),
        account_code=text_of(element, "AccountCode"),
        tax_type=text_of(element, "TaxType"),
        net_amount=amount_of(element.get("LineAmount") or 0, where),
        tax_amount=amount_of(element.get("TaxAmount") or 0, where),
        tracking=tuple(
            Tracking(text_of(choice, "Name"), text_of(choice, "Option"))
            for choice in _items(element.get("Tracking"))
        ),
    )


def _items(value: JsonAny) -> Iterable[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
