"""The daily total: per store, business date and currency. The unit that is posted."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the field types when it decodes
import hashlib
from dataclasses import dataclass
from operator import attrgetter

import msgspec


@dataclass(frozen=True, slots=True)
class CategoryTotal:
    """What was sold, or given back, in one category under one tax code; minor units."""

    category: str
    tax_code: str
    is_refund: bool
    net_minor: int
    tax_minor: int
    line_count: int


@dataclass(frozen=True, slots=True)
class TenderTotal:
    """What one tender took in, or paid out; minor units."""

    tender: str
    is_refund: bool
    amount_minor: int
    tender_count: int


@dataclass(frozen=True, slots=True)
class DailyTotal:
    """All of one store's receipts of one business date in one currency; refunds are negative."""

    store_id: str
    business_date: dt.date
    currency: str
    receipt_count: int
    refund_count: int
    voided_count: int
    categories: tuple[CategoryTotal, ...]
    tenders: tuple[TenderTotal, ...]

    @property
    def net_minor(self) -> int:
        """Sales less refunds, before tax."""
        return sum(map(attrgetter("net_minor"), self.categories))

    @property
    def tax_minor(self) -> int:
        """The source's own tax."""
        return sum(map(attrgetter("tax_minor"), self.categories))

    @property
    def total_minor(self) -> int:
        """What customers owed: net and tax."""
        return self.net_minor + self.tax_minor

    @property
    def tender_minor(self) -> int:
        """What customers paid."""
        return sum(map(attrgetter("amount_minor"), self.tenders))

    @property
    def is_balanced(self) -> bool:
        """Whether customers paid exactly what they owed."""
        return self.total_minor == self.tender_minor


def encode(total: DailyTotal) -> bytes:
    """Canonical JSON: the same total always gives the same bytes."""
    return msgspec.json.encode(total, order="deterministic")


def decode(content: bytes) -> DailyTotal:
    """The daily total that `encode` wrote."""
    return msgspec.json.decode(content, type=DailyTotal)


def content_hash(total: DailyTotal) -> str:
    """SHA-256 of the canonical form; changes exactly when a figure changes."""
    return hashlib.sha256(encode(total)).hexdigest()
