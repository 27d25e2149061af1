"""The mapping: what categories, taxes and tenders are in one organisation, from a date on.

It is a TOML file that finance keeps under version control:

    organisation = "Kopi Corner Pte Ltd"      # as Xero names it
    effective_date = 2026-01-01               # older days keep the mapping they had
    contact = "Daily sales"                   # whom the invoices are made out to
    refunds = "negative_lines"                # or "credit_note"
    changed_days = "adjust"                   # or "hold": a posted day whose receipts changed

    [tracking]                                # optional
    category = "Store"

    [categories]                              # category of the point of sale = account code
    Drinks = "200"

    [taxes]                                   # tax code of the point of sale = tax type in Xero
    GST = "OUTPUT2"
    SST = [                                   # or by date; a day taxed at another rate is held
      { from = 2018-09-01, tax_type = "SERVICE6", rate = "6" },
      { from = 2024-03-01, tax_type = "SERVICE8", rate = "8" },
    ]

    [tenders]                                 # tender of the point of sale = account code
    Cash = "091"
    "House account" = "unpaid"                # not money: stays owed on the invoice

    [stores.S01]                              # optional, where one store differs
    contact = "Daily sales Tanjong"
    tracking_option = "Tanjong"               # default: the store's name
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the field types when it decodes
import hashlib
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from daybook.errors import InputError

UNPAID = "unpaid"


class TrackingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which tracking category tells the stores apart."""

    category: str


class StoreRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one store differs from the rest."""

    contact: str | None = None
    tracking_option: str | None = None


class TaxRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a tax code means from a date on; `rate` is per cent, None where nobody checks it."""

    tax_type: str
    from_date: dt.date = msgspec.field(name="from")
    rate: Annotated[str, msgspec.Meta(pattern=r"^\d{1,2}(\.\d{1,4})?$")] | None = None

    @property
    def rate_percent(self) -> Decimal | None:
        """The rate as a number."""
        return None if self.rate is None else Decimal(self.rate)


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One organisation's mapping from `effective_date` on; see the module for the file's form."""

    organisation: str
    effective_date: dt.date
    contact: str
    categories: dict[str, str]
    taxes: dict[str, str | tuple[TaxRule, ...]]
    tenders: dict[str, str]
    tracking: TrackingRule | None = None
    stores: dict[str, StoreRule] = msgspec.field(default_factory=dict)
    refunds: Literal["negative_lines", "credit_note"] = "negative_lines"
    changed_days: Literal["adjust", "hold"] = "adjust"

    def is_unpaid(self, tender: str) -> bool:
        """Whether the tender is a promise, not money: what it pays stays owed on the invoice."""
        return self.tenders.get(tender) == UNPAID

    def tax_rule(self, tax_code: str, date: dt.date) -> TaxRule | None:
        """What the tax code means on that date; None where the mapping does not say."""
        said = self.taxes.get(tax_code, ())
        if isinstance(said, str):
            return TaxRule(said, self.effective_date)
        begun = [rule for rule in said if rule.from_date <= date]
        return max(begun, key=lambda rule: rule.from_date, default=None)

    def tax_rules(self, tax_code: str, date: dt.date) -> tuple[TaxRule, ...]:
        """All that the tax code has meant up to that date, the oldest first."""
        said = self.taxes.get(tax_code, ())
        if isinstance(said, str):
            return (TaxRule(said, self.effective_date),)
        begun = (rule for rule in said if rule.from_date <= date)
        return tuple(sorted(begun, key=lambda rule: rule.from_date))

    def contact_of(self, store_id: str) -> str:
        """The contact this store's documents are made out to."""
        rule = self.stores.get(store_id)
        return (rule.contact if rule else None) or self.contact

    def tracking_option_of(self, store_id: str, store_name: str) -> str:
        """The tracking option that stands for this store."""
        rule = self.stores.get(store_id)
        return (rule.tracking_option if rule else None) or store_name


def parse_mapping(toml: str, where: str) -> Mapping:
    """The mapping that the text says, or one sentence on what is wrong in it and where."""
    try:
        mapping = msgspec.toml.decode(toml, type=Mapping)
    except msgspec.DecodeError as error:  # includes ValidationError
        raise InputError(
            f"The mapping in {where} cannot be used: {error}. "
            "docs/operations.md shows the form, under 'Stores and mapping'."
        ) from error
    for tax_code, said in mapping.taxes.items():
        dates = [] if isinstance(said, str) else [rule.from_date for rule in said]
        if len(set(dates)) < len(dates):
            raise InputError(
                f"The mapping in {where} cannot be used: two tax types of '{tax_code}' begin on "
                "the same date; keep one of them."
            )
    return mapping


def encode(mapping: Mapping) -> bytes:
    """Canonical JSON."""
    return msgspec.json.encode(mapping, order="deterministic")


def decode(content: bytes) -> Mapping:
    """The mapping that `encode` wrote."""
    return msgspec.json.decode(content, type=Mapping)


def content_hash(mapping: Mapping) -> str:
    """SHA-256 of the canonical form."""
    return hashlib.sha256(encode(mapping)).hexdigest()
