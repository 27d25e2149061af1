"""What is written into Xero, as frozen values; `daybook.xero.wire` translates them.

A document's natural key says what it stands for in the world (a store's day, one tender of it).
The ledger has one row per natural key, whatever crashes; Xero sees `number` or `reference`, made
from the same facts. Amounts are Decimal with the currency's decimals.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the field types when it decodes
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec


class DocumentKind(StrEnum):
    """What kinds of document are posted."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    SPEND_MONEY = "spend_money"
    RECEIVE_MONEY = "receive_money"


MONEY_KINDS: Final = (DocumentKind.SPEND_MONEY, DocumentKind.RECEIVE_MONEY)


@dataclass(frozen=True, slots=True)
class Tracking:
    """One tracking choice: category and option by name."""

    category: str
    option: str


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line: amount before tax, and the tax itself, which is the source's own figure."""

    description: str
    account_code: str
    tax_type: str
    net_amount: Decimal
    tax_amount: Decimal
    tracking: tuple[Tracking, ...] = ()


@dataclass(frozen=True, slots=True)
class SalesDocument:
    """An invoice, or a credit note (`kind`), for one store's day; posted as approved."""

    kind: DocumentKind
    natural_key: str
    number: str
    reference: str
    contact_name: str
    date: dt.date
    currency: str
    lines: tuple[DocumentLine, ...]

    @property
    def total_amount(self) -> Decimal:
        """What the document comes to, tax included."""
        return sum((line.net_amount + line.tax_amount for line in self.lines), start=Decimal(0))


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received on an invoice, or paid out on a credit note, through one tender's account."""

    kind: DocumentKind
    natural_key: str
    document_key: str
    account_code: str
    date: dt.date
    currency: str
    amount: Decimal
    reference: str
    tender: str

    @property
    def total_amount(self) -> Decimal:
        """The payment's amount."""
        return self.amount


@dataclass(frozen=True, slots=True)
class SpendMoney:
    """Money that left a bank account, or (`kind`) came back into it; amounts include tax.

    A line's tax is what Xero computes from its amount: it insists on that for bank transactions.
    """

    kind: DocumentKind
    natural_key: str
    reference: str
    contact_name: str
    bank_account_code: str
    date: dt.date
    currency: str
    lines: tuple[DocumentLine, ...]

    @property
    def total_amount(self) -> Decimal:
        """What moved on the bank account."""
        return sum((line.net_amount + line.tax_amount for line in self.lines), start=Decimal(0))


Document = SalesDocument | Payment | SpendMoney


def encode(document: Document) -> bytes:
    """Canonical JSON with amounts as text: the same document always gives the same bytes."""
    return msgspec.json.encode(document, order="deterministic")


def decode(kind: DocumentKind, content: bytes) -> Document:
    """The document that `encode` wrote."""
    if kind is DocumentKind.PAYMENT:
        return msgspec.json.decode(content, type=Payment)
    if kind in MONEY_KINDS:
        return msgspec.json.decode(content, type=SpendMoney)
    return msgspec.json.decode(content, type=SalesDocument)


def payload_hash(document: Document) -> str:
    """SHA-256 of the canonical form."""
    return hashlib.sha256(encode(document)).hexdigest()
