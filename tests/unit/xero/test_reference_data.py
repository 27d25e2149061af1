"""Accounts, tax rates, tracking, contacts and the organisation as values."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

from daybook.errors import FinalError, Refused, UnknownOutcome
from daybook.xero.reference_data import (
    Account,
    Organisation,
    TaxRate,
    TrackingCategory,
    ensure_contacts,
    read_chart,
    read_organisation,
)

if TYPE_CHECKING:
    from answered_xero import MakeClient


_CHART = {
    "Accounts": [
        {
            "AccountID": "a-1",
            "Code": "200",
            "Name": "Sales",
            "Type": "REVENUE",
            "Class": "REVENUE",
            "Status": "ACTIVE",
            "EnablePaymentsToAccount": False,
        },
        {"AccountID": "a-2", "Name": "Bank", "Type": "BANK", "Status": "ARCHIVED"},
        {
            "AccountID": "a-3",
            "Code": "615",
            "Name": "Till",
            "Type": "CURRENT",
            "Class": "ASSET",
            "Status": "ACTIVE",
            "EnablePaymentsToAccount": True,
        },
    ],
    "TaxRates": [
        {
            "Name": "GST on Income",
            "TaxType": "OUTPUT",
            "Status": "ACTIVE",
            "EffectiveRate": 9.0000,
            "CanApplyToRevenue": True,
            "CanApplyToExpenses": False,
        }
    ],
    "TrackingCategories": [
        {
            "Name": "Store",
            "Status": "ACTIVE",
            "Options": [
                {"Name": "S01", "Status": "ACTIVE"},
                {"Name": "S02", "Status": "ARCHIVED"},
            ],
        }
    ],
}


def _chart_answer(request: httpx.Request) -> httpx.Response:
    collection = request.url.path.rpartition("/")[2]
    return httpx.Response(200, json={collection: _CHART[collection]})


def test_the_chart_is_what_a_mapping_may_refer_to(make_client: MakeClient) -> None:
    """Archived things are there, marked as not active; accounts without a code are not."""
    chart = read_chart(make_client(_chart_answer))
    assert {"200", "615"} == chart.accounts.keys()
    assert (
        Account(
            account_id_xero="a-3",
            code="615",
            name="Till",
            type="CURRENT",
            account_class="ASSET",
            is_active=True,
            takes_payments=True,
            system_account="",
            currency="",
        )
        == chart.accounts["615"]
    )
    assert not chart.accounts["200"].takes_payments
    assert {
        "OUTPUT": TaxRate(
            tax_type="OUTPUT",
            name="GST on Income",
            is_active=True,
            rate_percent=Decimal("9.0"),
            account_classes=frozenset({"REVENUE"}),
        )
    } == chart.tax_rates
    assert {
        "Store": TrackingCategory("Store", is_active=True, active_options=frozenset({"S01"}))
    } == chart.tracking


def test_a_list_that_cannot_be_read_is_an_error(make_client: MakeClient) -> None:
    """An empty chart would hold every day as unmapped."""
    with pytest.raises(FinalError, match="Accounts"):
        read_chart(make_client(lambda _: httpx.Response(200, json={})))


def test_the_organisation_tells_its_lock_dates_and_zone(make_client: MakeClient) -> None:
    """Lock dates are there only when they are set."""
    content = {
        "OrganisationID": "o-1",
        "Name": "Demo Company (NZ)",
        "CountryCode": "NZ",
        "BaseCurrency": "NZD",
        "IsDemoCompany": True,
        "PeriodLockDate": "/Date(1254268800000+0000)/",
        "Timezone": "NEWZEALANDSTANDARDTIME",
    }
    client = make_client(lambda _: httpx.Response(200, json={"Organisations": [content]}))
    assert Organisation(
        organisation_id_xero="o-1",
        name="Demo Company (NZ)",
        country_code="NZ",
        base_currency="NZD",
        is_demo=True,
        period_lock_date=dt.date(2009, 9, 30),
        year_end_lock_date=None,
        time_zone_xero="NEWZEALANDSTANDARDTIME",
    ) == read_organisation(client)


def test_no_organisation_is_an_error(make_client: MakeClient) -> None:
    """A connection without an organisation cannot be used."""
    client = make_client(lambda _: httpx.Response(200, json={"Organisations": []}))
    with pytest.raises(FinalError):
        read_organisation(client)


class _Contacts:
    """Holds contacts by name, unique without regard to case, as Xero does."""

    def __init__(self, *names: str) -> None:
        self.names = {name.casefold(): name for name in names}
        self.refused: set[str] = set()
        self.loses_reply = False
        self.calls: list[str] = []
        self.keys: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.method)
        if request.method == "GET":
            return httpx.Response(200, json={"Contacts": self._found(request.url.params["where"])})
        self.keys.append(request.headers["idempotency-key"])
        for contact in json.loads(request.content)["Contacts"]:
            if contact["Name"] not in self.refused:
                self.names[contact["Name"].casefold()] = contact["Name"]
        if self.loses_reply:
            raise httpx.ReadTimeout("lost")
        errors = [
            {"ValidationErrors": [{"Message": f"{name} is no name"}]} for name in self.refused
        ]
        return httpx.Response(200, json={"Contacts": errors})

    def _found(self, where: str) -> list[dict[str, str]]:
        wanted = {part.partition('=="')[2].rstrip('"').casefold() for part in where.split(" OR ")}
        return [
            {"ContactID": f"id-{key}", "Name": name, "ContactStatus": "ACTIVE"}
            for key, name in self.names.items()
            if key in wanted
        ]


def test_known_contacts_are_looked_up_and_not_created(make_client: MakeClient) -> None:
    """One call, whatever the case of the name."""
    contacts = _Contacts("POS Sales")
    assert {"pos sales": "id-pos sales"} == ensure_contacts(make_client(contacts), ["pos sales"])
    assert ["GET"] == contacts.calls


def test_missing_contacts_are_created_in_one_call(make_client: MakeClient) -> None:
    """Then looked up, so that every id comes from what Xero holds."""
    contacts = _Contacts("A")
    found = ensure_contacts(make_client(contacts), ["A", "B", "C", "B"])
    assert {"A": "id-a", "B": "id-b", "C": "id-c"} == found
    assert ["GET", "PUT", "GET"] == contacts.calls
    assert all(contacts.keys)


def test_a_lost_reply_is_settled_by_looking_again(make_client: MakeClient) -> None:
    """Names are unique, so what was created is found."""
    contacts = _Contacts()
    contacts.loses_reply = True
    assert {"A": "id-a"} == ensure_contacts(make_client(contacts), ["A"])


def test_a_lost_request_stays_unknown(make_client: MakeClient) -> None:
    """The contact is not there: the caller may try again."""
    contacts = _Contacts()
    contacts.loses_reply = True
    contacts.refused = {"A"}
    with pytest.raises(UnknownOutcome):
        ensure_contacts(make_client(contacts), ["A"])


def test_a_refused_name_is_named_with_xeros_words(make_client: MakeClient) -> None:
    """The others are created all the same."""
    contacts = _Contacts()
    contacts.refused = {"<A>"}
    with pytest.raises(Refused, match="<A>: <A> is no name"):
        ensure_contacts(make_client(contacts), ["<A>", "B"])
    assert "b" in contacts.names
