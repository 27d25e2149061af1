"""What documents refer to in an organisation: accounts, tax rates, tracking, contacts, itself.

Read before posting, so that a mapping to something archived is found before Xero refuses it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.errors import FinalError, Refused, UnknownOutcome
from daybook.xero.batches import ELEMENT_COUNT_MAX, lookup_chunks
from daybook.xero.responses import validation_messages
from daybook.xero.wire import amount_of, date_of, real_id, text_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from decimal import Decimal

    from daybook.xero.client import XeroClient
    from daybook.xero.responses import Json

_CONTACT_PAGE_SIZE: Final = 1000


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the chart; `code` is "" on bank accounts that have none."""

    account_id_xero: str
    code: str
    name: str
    type: str
    account_class: str
    is_active: bool
    takes_payments: bool
    system_account: str
    currency: str


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax type; `rate_percent` is what Xero would compute, which Daybook never relies on."""

    tax_type: str
    name: str
    is_active: bool
    rate_percent: Decimal
    account_classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class TrackingCategory:
    """A tracking category and its options in use, by name."""

    name: str
    is_active: bool
    active_options: frozenset[str]


@dataclass(frozen=True, slots=True)
class Organisation:
    """The organisation itself; lock dates are None where none is set.

    `time_zone_xero` is Xero's own name of its zone, "" where it says none.
    """

    organisation_id_xero: str
    name: str
    country_code: str
    base_currency: str
    is_demo: bool
    period_lock_date: dt.date | None
    year_end_lock_date: dt.date | None
    time_zone_xero: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything a mapping may refer to: accounts by code, tax rates by type, tracking by name."""

    accounts: dict[str, Account]
    tax_rates: dict[str, TaxRate]
    tracking: dict[str, TrackingCategory]


def read_chart(client: XeroClient) -> Chart:
    """Read accounts, tax rates and tracking categories: three calls."""
    accounts = [_account(item) for item in _list(client, "Accounts")]
    tax_rates = [_tax_rate(item) for item in _list(client, "TaxRates")]
    tracking = [_tracking(item) for item in _list(client, "TrackingCategories")]
    return Chart(
        accounts={account.code: account for account in accounts if account.code},
        tax_rates={rate.tax_type: rate for rate in tax_rates},
        tracking={category.name: category for category in tracking},
    )


def read_organisation(client: XeroClient) -> Organisation:
    """Read the organisation: one call, which Xero does not count as egress."""
    items = _list(client, "Organisations", "/Organisation")
    if not items:
        raise FinalError("Xero names no organisation for this connection; connect Xero again.")
    item = items[0]
    return Organisation(
        organisation_id_xero=text_of(item, "OrganisationID"),
        name=text_of(item, "Name"),
        country_code=text_of(item, "CountryCode"),
        base_currency=text_of(item, "BaseCurrency"),
        is_demo=item.get("IsDemoCompany") is True,
        period_lock_date=_optional_date(item, "PeriodLockDate"),
        year_end_lock_date=_optional_date(item, "EndOfYearLockDate"),
        time_zone_xero=text_of(item, "Timezone"),
    )


def ensure_contacts(client: XeroClient, names: Sequence[str]) -> dict[str, str]:
    """Return the contact id of every name; contacts that are missing are created.

    Repeating is safe: Xero keeps names unique among active contacts, so after an unknown outcome,
    or when another process was faster, looking again finds them.

    Raises:
        Refused: Xero does not accept a name, for instance one with angle brackets.
        UnknownOutcome: a creation got no answer and the contact is not there yet.
    """
    found = find_contacts(client, names)
    missing = [name for name in dict.fromkeys(names) if name not in found]
    if not missing:
        return found
    problems: list[str] = []
    lost: UnknownOutcome | None = None
    try:
        for start in range(0, len(missing), ELEMENT_COUNT_MAX):
            problems += _create_contacts(client, missing[start : start + ELEMENT_COUNT_MAX])
    except UnknownOutcome as error:
        lost = error
    found |= find_contacts(client, missing)
    still_missing = [name for name in missing if name not in found]
    if not still_missing:
        return found
    if lost is not None:
        raise lost
    listed = ", ".join(still_missing)
    raise Refused(f"Xero did not create the contact {listed}: {' '.join(problems)}", (*problems,))


def find_contacts(client: XeroClient, names: Sequence[str]) -> dict[str, str]:
    """Return the ids of the active contacts with these names; Xero ignores case in names."""
    ids: dict[str, str] = {}
    for chunk in lookup_chunks(names, _name_clause):
        where = " OR ".join(_name_clause(name) for name in chunk)
        params = {"where": where, "page": "1", "pageSize": str(_CONTACT_PAGE_SIZE)}
        for item in _list(client, "Contacts", "/Contacts", {**params, "summaryOnly": "true"}):
            contact_id = real_id(item.get("ContactID"))
            if contact_id is not None and text_of(item, "ContactStatus") in {"", "ACTIVE"}:
                ids[text_of(item, "Name").casefold()] = contact_id
    return {name: ids[name.casefold()] for name in names if name.casefold() in ids}


def _create_contacts(client: XeroClient, names: list[str]) -> list[str]:
    """Create contacts in one call; return what Xero has against any of them."""
    content = client.write(
        "PUT",
        "/Contacts",
        {"Contacts": [{"Name": name} for name in names]},
        params={"summarizeErrors": "false"},
        idempotency_key=secrets.token_hex(32),
    )
    return list(validation_messages(content.get("Contacts")))


def _list(
    client: XeroClient, collection: str, path: str = "", params: dict[str, str] | None = None
) -> list[Json]:
    items = client.get(path or f"/{collection}", params).get(collection)
    if not isinstance(items, list):
        raise FinalError(f"Xero's list of {collection} cannot be read; nothing was changed.")
    return items


def _name_clause(name: str) -> str:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'Name=="{quoted}"'


def _account(item: Json) -> Account:
    account_type = text_of(item, "Type")
    return Account(
        account_id_xero=text_of(item, "AccountID"),
        code=text_of(item, "Code"),
        name=text_of(item, "Name"),
        type=account_type,
        account_class=text_of(item, "Class"),
        is_active=text_of(item, "Status") == "ACTIVE",
        takes_payments=account_type == "BANK" or item.get("EnablePaymentsToAccount") is True,
        system_account=text_of(item, "SystemAccount"),
        currency=text_of(item, "CurrencyCode"),
    )


def _tax_rate(item: Json) -> TaxRate:
    flags = {
        "ASSET": "CanApplyToAssets",
        "EQUITY": "CanApplyToEquity",
        "EXPENSE": "CanApplyToExpenses",
        "LIABILITY": "CanApplyToLiabilities",
        "REVENUE": "CanApplyToRevenue",
    }
    name = text_of(item, "Name")
    return TaxRate(
        tax_type=text_of(item, "TaxType"),
        name=name,
        is_active=text_of(item, "Status") == "ACTIVE",
        rate_percent=amount_of(item.get("EffectiveRate") or 0, f"tax rate {name}"),
        account_classes=frozenset(
            account_class for account_class, flag in flags.items() if item.get(flag) is True
        ),
    )


def _tracking(item: Json) -> TrackingCategory:
    options = item.get("Options") or []
    return TrackingCategory(
        name=text_of(item, "Name"),
        is_active=text_of(item, "Status") == "ACTIVE",
        active_options=frozenset(
            text_of(option, "Name") for option in options if text_of(option, "Status") == "ACTIVE"
        ),
    )


def _optional_date(item: Json, name: str) -> dt.date | None:
    return date_of(item[name], "the organisation") if item.get(name) else None
