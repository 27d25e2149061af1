"""The expense mapping: what expenses are in one organisation, from a date on.

It is a TOML file that finance keeps under version control:

    organisation = "Kopi Corner Pte Ltd"      # as Xero names it
    effective_date = 2026-01-01               # older expenses keep the mapping they had
    contact = "Card expenses"                 # where no merchant rule fits

    [accounts."aspire:acc-sgd"]               # source, colon, the source's id of the account
    bank_account = "090"                      # code of the one bank account that stands for it
    country = "SG"
    start_date = 2026-01-01                   # nothing spent earlier is synced

    [categories.Meals]                        # category of the source
    account = "420"
    tax_type = "INPUT2"
    tracking = { Region = "North" }           # optional, at most two

    [[merchants]]                             # optional; the first that fits wins
    contains = "grab"                         # in the merchant's name, whatever the case
    contact = "Grab"
    category = "Transport"                    # optional: instead of the source's
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the field types when it decodes
import hashlib

import msgspec

from daybook.errors import InputError


class AccountLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bank account that stands for one account of a source."""

    bank_account: str
    country: str
    start_date: dt.date


class CategoryRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a category is posted."""

    account: str
    tax_type: str
    tracking: dict[str, str] = msgspec.field(default_factory=dict)


class MerchantRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a merchant's name says about contact and category."""

    contains: str
    contact: str | None = None
    category: str | None = None


class ExpenseMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One organisation's expense mapping from `effective_date` on."""

    organisation: str
    effective_date: dt.date
    contact: str
    accounts: dict[str, AccountLink]
    categories: dict[str, CategoryRule]
    merchants: tuple[MerchantRule, ...] = ()

    def contact_of(self, merchant: str) -> str:
        """The contact of this merchant's expenses."""
        return next(
            (r.contact for r in self.merchants if r.contact and _fits(r, merchant)), None
        ) or (self.contact)

    def category_of(self, merchant: str, category: str) -> str:
        """The category that a merchant rule sets, or the source's own."""
        found = (r.category for r in self.merchants if r.category and _fits(r, merchant))
        return next(found, None) or category


def parse_expense_mapping(toml: str, where: str) -> ExpenseMapping:
    """The mapping that the text says, or one sentence on what is wrong in it and where."""
    try:
        mapping = msgspec.toml.decode(toml, type=ExpenseMapping)
    except msgspec.DecodeError as error:  # includes ValidationError
        raise InputError(f"The expense mapping in {where} cannot be used: {error}.") from error
    taken: dict[str, str] = {}
    for account, link in mapping.accounts.items():
        if ":" not in account:
            raise InputError(
                f"The expense mapping in {where} names the account '{account}'; write it as source "
                "and id with a colon between, such as aspire:acc-1."
            )
        other = taken.setdefault(link.bank_account, account)
        if other != account:
            raise InputError(already_linked(link.bank_account, other, account))
    return mapping


def already_linked(bank_account: str, other: str, account: str) -> str:
    """The refusal of a second link to one bank account, with the way out."""
    return (
        f"Bank account {bank_account} in Xero is already linked to another account, {other}. "
        f"Choose or create another bank account in Xero for {account}."
    )


def encode(mapping: ExpenseMapping) -> bytes:
    """Canonical JSON."""
    return msgspec.json.encode(mapping, order="deterministic")


def decode(content: bytes) -> ExpenseMapping:
    """The mapping that `encode` wrote."""
    return msgspec.json.decode(content, type=ExpenseMapping)


def content_hash(mapping: ExpenseMapping) -> str:
    """SHA-256 of the canonical form."""
    return hashlib.sha256(encode(mapping)).hexdigest()


def _fits(rule: MerchantRule, merchant: str) -> bool:
    return rule.contains.casefold() in merchant.casefold()
