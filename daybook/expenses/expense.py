"""An expense as the card or expense account recorded it; changes of it are seen by its hash.

`amount_minor` is positive for money that went out and negative for money that came back.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the field types when it decodes
import hashlib
from dataclasses import dataclass
from enum import StrEnum

import msgspec


class SourceStatus(StrEnum):
    """How far the source says the payment has come."""

    PENDING = "pending"
    SETTLED = "settled"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class AttachmentRef:
    """A receipt's file as its store names it; `version` changes when the content does.

    `byte_count` is 0 where the store does not say it.
    """

    key: str
    name: str
    byte_count: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class Expense:
    """One payment by card or from an account, in the account's currency.

    `merchant_amount` is what the merchant charged in its own currency, as text with that
    currency's code, for the description only.
    """

    source: str
    id_source: str
    account_id_source: str
    status: SourceStatus
    spent_date: dt.date
    amount_minor: int
    currency: str
    merchant: str
    category: str
    reference: str = ""
    card: str = ""
    note: str = ""
    merchant_amount: str = ""

    @property
    def expense_id(self) -> str:
        """Unique over all sources: `aspire-1f0c`."""
        return f"{self.source}-{self.id_source}"

    @property
    def is_money_in(self) -> bool:
        """Whether money came back."""
        return self.amount_minor < 0


class SplitLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One part of an expense; what is left out is as for the whole expense."""

    amount_minor: int
    description: str | None = None
    category: str | None = None
    account: str | None = None
    tax_type: str | None = None
    tracking: dict[str, str] | None = None


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a person decided about one expense; it wins over the source and the mapping."""

    category: str | None = None
    account: str | None = None
    tax_type: str | None = None
    tracking: dict[str, str] | None = None
    contact: str | None = None
    note: str | None = None
    lines: tuple[SplitLine, ...] = ()
    is_no_double: bool = False
    needs_no_receipt: bool = False


def encode(expense: Expense) -> bytes:
    """Canonical JSON."""
    return msgspec.json.encode(expense, order="deterministic")


def decode(content: bytes) -> Expense:
    """The expense that `encode` wrote."""
    return msgspec.json.decode(content, type=Expense)


def decode_override(content: bytes) -> Override:
    """The override stored as JSON."""
    return msgspec.json.decode(content, type=Override)


def content_hash(
    expense: Expense, override: Override, attachments: tuple[AttachmentRef, ...]
) -> str:
    """SHA-256 of everything a review looks at: facts, decisions and receipts, in any order."""
    files = sorted((one.key, one.byte_count, one.version) for one in attachments)
    whole = msgspec.json.encode((expense, override, files), order="deterministic")
    return hashlib.sha256(whole).hexdigest()
