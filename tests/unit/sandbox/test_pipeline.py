"""Whatever is sent, an API call gets an answer of Xero's kind, never a failure of the sandbox."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.sandbox import ledger, pages
from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.http import Request
from daybook.sandbox.pipeline import PREFIX, ApiPipeline, Trace
from daybook.sandbox.simulation import Simulation


class World:
    """A sandbox without its network."""

    def __init__(self) -> None:
        """Start one and get a token."""
        self.simulation = Simulation(SandboxConfig(limits=False))
        self.tenant = next(iter(self.simulation.organisations))
        self._pipeline = ApiPipeline(self.simulation)
        identity, now = self.simulation.identity, self.simulation.clock.now()
        token = identity.refresh(identity.web, self.simulation.ready_token, now)["access_token"]
        self._headers = {"authorization": f"Bearer {token}", "xero-tenant-id": self.tenant}

    def answer(self, method: str, path: str, body: bytes = b"", query: str = "") -> int:
        """Send one call; return the status."""
        whole = PREFIX + path
        request = Request(method, whole, whole, query, self._headers, body)
        return self._pipeline.answer(request, Trace()).status


WORLD = World()
ODD: list[Any] = [
    *(None, True, 0, -1, 10**20, [], {}, [[]], "", "\x00", " x ", "x" * 5000),
    *("1e400", "1e12", "-1e12", "1e-400", "NaN", "-0", "0.00001", "9999999999999"),
    *("9999-12-31", "0001-01-01", "/Date(99999999999999999)/", "/Date(-62135596800000)/"),
    *("ACCREC", "AUTHORISED", "DELETED", "VOIDED", "DRAFT", "Exclusive", "NoTax"),
    *("200", "090", "610", "880", "OUTPUT2", "TAX001", "EUR", "BANK", "P-1"),
]
VALUES = st.sampled_from(ODD) | st.decimals(allow_nan=False, allow_infinity=False, places=5)


LINE = {
    "Description": "Food",
    "Quantity": 1,
    "UnitAmount": "10.00",
    "LineAmount": "10.00",
    "AccountCode": "200",
    "TaxType": "OUTPUT2",
    "TaxAmount": "1.30",
    "DiscountRate": 0,
    "Tracking": [{"Name": "Store", "Option": "North"}],
}
DOCUMENT = {
    "Contact": {"Name": "A", "ContactNumber": "N", "EmailAddress": "a@b.example"},
    "Date": "2026-07-14",
    "DueDate": "2026-07-14",
    "LineAmountTypes": "Inclusive",
    "Status": "AUTHORISED",
    "CurrencyCode": "NZD",
    "CurrencyRate": 1,
    "Url": "https://a.example",
    "LineItems": [LINE],
}
PAYMENT = {
    "Invoice": {"InvoiceNumber": "P-1"},
    "Account": {"Code": "880"},
    "Date": "2026-07-14",
    "Amount": "1.00",
    "CurrencyRate": 1,
}
BODIES: dict[str, dict[str, object]] = {
    "/TrackingCategories": {"Name": "Store", "Options": [{"Name": "North"}]},
    "/Invoices": DOCUMENT | {"Type": "ACCREC", "InvoiceNumber": "P-1", "SentToContact": True},
    "/CreditNotes": DOCUMENT | {"Type": "ACCRECCREDIT", "CreditNoteNumber": "CN-1"},
    "/BankTransactions": DOCUMENT | {"Type": "SPEND", "BankAccount": {"Code": "090"}},
    "/Payments": PAYMENT,
    "/BatchPayments": {"Account": {"Code": "090"}, "Date": "2026-07-14", "Payments": [PAYMENT]},
    "/Contacts": {"Name": "B", "ContactNumber": "M", "Addresses": [{"City": "C"}], "Phones": []},
    "/Accounts": {"Code": "999", "Name": "N", "Type": "REVENUE", "TaxType": "OUTPUT2"},
    "/TaxRates": {"Name": "T", "TaxComponents": [{"Name": "T", "Rate": "2.5"}]},
    "/Currencies": {"Code": "EUR"},
}


def spots(value: object) -> list[tuple[object, object]]:
    """Every (container, key) inside a JSON value."""
    pairs = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        pairs = enumerate(value)  # type: ignore[assignment]  # positions are the keys of a list
    return [spot for key, item in pairs for spot in ((value, key), *spots(item))]


@st.composite
def spoilt(draw: st.DrawFn, body: dict[str, object]) -> dict[str, object]:
    """A good body with a few of its values replaced or dropped."""
    made = copy.deepcopy(body)
    for _ in range(draw(st.integers(0, 3))):
        container, key = draw(st.sampled_from(spots(made)))
        container[key] = draw(VALUES | st.lists(VALUES, max_size=2))  # type: ignore[index]  # a list or an object
    return made


@pytest.mark.parametrize("path", BODIES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_body_breaks_the_sandbox(path: str, data: st.DataObject) -> None:
    """A body that is nearly good gets 200, 400, 404 or 501, and so does reading afterwards."""
    body = msgspec.json.encode(data.draw(spoilt(BODIES[path])))
    for method, query in (("POST", ""), ("PUT", "summarizeErrors=false&unitdp=4")):
        assert WORLD.answer(method, path, body, query) in {200, 400, 404, 501}
    assert 200 == WORLD.answer("GET", path, query="page=1&pageSize=5")


def test_everything_that_was_accepted_can_be_shown() -> None:
    """The ledger pages and the summary of whatever was accepted can be rendered."""
    world = World()
    for path, body in BODIES.items():
        assert 200 == world.answer("PUT", path, msgspec.json.encode(body)), path
    for section in ("", "/invoices", "/credit-notes", "/payments", "/spend-money"):
        page = Request("GET", f"/books/{world.tenant}{section}", "", "", {}, b"")
        assert 200 == pages.answer(world.simulation, page).status
    counts = ledger.summary(world.simulation.organisations[world.tenant])["counts"]
    assert {"AUTHORISED": 2} == counts["payments"]


@pytest.mark.parametrize("path", BODIES)
def test_no_single_value_breaks_the_sandbox(path: str) -> None:
    """Every value of a good body replaced by every odd one, in turn."""
    for position in range(len(spots(BODIES[path]))):
        for odd in ODD:
            body = copy.deepcopy(BODIES[path])
            container, key = spots(body)[position]
            container[key] = odd  # type: ignore[index]  # a list or an object
            status = WORLD.answer("PUT", path, msgspec.json.encode(body), "summarizeErrors=false")
            assert status in {200, 400}, (key, odd)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["where", "order", "page", "pageSize", "IDs", "Statuses", "searchTerm"]),
    st.text(max_size=30) | st.sampled_from(["Date>1", "Status==1", "Total>=Date", "Contact.Name"]),
)
def test_no_query_breaks_the_sandbox(name: str, value: str) -> None:
    """Any query gets 200 or 400."""
    for path in ("/Invoices", "/Payments", "/Contacts", "/Accounts", "/BankTransactions"):
        query = msgspec.json.encode(value).decode().strip('"')
        assert WORLD.answer("GET", path, query=f"{name}={query}") in {200, 400}


@given(st.lists(st.text(max_size=8), max_size=4), st.sampled_from(["GET", "PUT", "DELETE"]))
def test_no_path_breaks_the_sandbox(parts: list[str], method: str) -> None:
    """Any path is found, or answered as missing or not implemented."""
    path = "/" + "/".join(parts)
    assert WORLD.answer(method, path.encode("utf-8", "replace").decode("latin-1")) in {
        200,
        400,
        404,
        501,
    }
