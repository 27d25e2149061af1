"""What Daybook calls of Xero, what the sandbox serves, and what its page says that it serves.

Calls are recorded from one pass through everything in `daybook/xero`, with the lines they came
from. That the pass is complete is read from the source: every place there that is handed a client
must have led to a call.
"""

from __future__ import annotations

import ast
import datetime as dt
import re
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from xero_place import signed_in

import daybook.xero
from daybook.posting.documents import (
    DocumentKind,
    DocumentLine,
    Payment,
    SalesDocument,
    SpendMoney,
)
from daybook.sandbox.app import create_app, served_endpoints
from daybook.sandbox.config import SandboxConfig
from daybook.xero.attachments import attach, attached_files
from daybook.xero.auth import Bearer
from daybook.xero.bank_transactions import (
    list_bank_transactions,
    read_bank_transaction,
    update_bank_transaction,
)
from daybook.xero.bills import list_bills
from daybook.xero.connected import list_connected
from daybook.xero.documents import (
    Posted,
    put_bank_transactions,
    put_credit_notes,
    put_invoices,
    put_payments,
)
from daybook.xero.identity import ask_consent, exchange_code, refresh
from daybook.xero.lookup import find_by_number, list_sales_documents, payments_of
from daybook.xero.reference_data import ensure_contacts, read_chart, read_organisation
from daybook.xero.wire import PaymentToSend

if TYPE_CHECKING:
    from xero_place import Place

ADAPTER = Path(daybook.xero.__file__).parent
ROOT = ADAPTER.parents[1]
CLIENTS = frozenset({"client", "http"})  # how the adapter names what it makes calls with
DAY = dt.date(2026, 7, 14)
LINE = DocumentLine("Food", "200", "OUTPUT2", Decimal("100.00"), Decimal("15.00"))
TAXI = DocumentLine("Taxi", "493", "INPUT2", Decimal("20.00"), Decimal("3.00"))

Line = tuple[str, int]
Endpoint = tuple[str, str]


@dataclass
class Traffic:
    """Every request: method and path, and the adapter's lines that were on the stack."""

    calls: set[Endpoint] = field(default_factory=set)
    lines: set[Line] = field(default_factory=set)

    def record(self, request: httpx.Request) -> None:
        """Note a request that is about to go."""
        self.calls.add((request.method, request.url.path))
        frame = sys._getframe()  # noqa: SLF001  the stack has no other door
        while frame.f_back is not None:
            frame = frame.f_back
            path = Path(frame.f_code.co_filename)
            if path.parent == ADAPTER:
                self.lines.add((path.name, frame.f_lineno))


def sales(number: str, kind: DocumentKind) -> SalesDocument:
    """A document of one line."""
    return SalesDocument(kind, number, number, number, "POS Sales", DAY, "NZD", (LINE,))


def spend(reference: str) -> SpendMoney:
    """A taxi paid from the bank account."""
    return SpendMoney(
        DocumentKind.SPEND_MONEY, reference, reference, "Grab", "090", DAY, "NZD", (TAXI,)
    )


def paid_on(parent: Posted, kind: DocumentKind) -> PaymentToSend:
    """A payment of part of it."""
    amount = Decimal("5.00")
    payment = Payment(
        DocumentKind.PAYMENT, "P", "I", "090", DAY, "NZD", amount, "Cash", tender="Cash"
    )
    return PaymentToSend(payment, kind, parent.id_xero)


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    """One pass through everything the adapter can do, against the sandbox."""
    traffic = Traffic()
    with signed_in() as place:
        place.keeper.http.event_hooks = {"request": [traffic.record]}
        connect(place, traffic)
        post_sales(place)
        post_expense(place)
    return traffic


def connect(place: Place, traffic: Traffic) -> None:
    """A person allows it, the organisations are listed, the access is renewed."""
    keeper = place.keeper
    consent = ask_consent(keeper.app)
    address = urlsplit(consent.url)
    traffic.calls.add(("GET", address.path))  # the browser's
    form = dict(parse_qsl(address.query)) | {"allow": "1"}
    with httpx.Client(timeout=60) as browser:
        browser.get(consent.url).raise_for_status()
        way_back = browser.post(f"{place.sandbox.url}{address.path}", data=form)
    code = dict(parse_qsl(urlsplit(way_back.headers["location"]).query))["code"]
    keeper.tokens = exchange_code(
        keeper.app, code, consent.verifier, http=keeper.http, clock=place.clock
    )
    for consent_id in ("", keeper.tokens.consent_id_xero, "00000000-0000-4000-a000-000000000000"):
        assert list_connected(
            keeper.http, Bearer(keeper), keeper.app.api_url, consent_id=consent_id
        )
    keeper.tokens = refresh(
        keeper.app, keeper.tokens.refresh_token, http=keeper.http, clock=place.clock
    )


def post_sales(place: Place) -> None:
    """Reference data, documents of every kind, payments of both, and all of it read back."""
    client = place.client
    assert read_organisation(client).name
    assert read_chart(client).accounts
    contact_ids = ensure_contacts(client, ["POS Sales"])
    for kind, put in (
        (DocumentKind.INVOICE, put_invoices),
        (DocumentKind.CREDIT_NOTE, put_credit_notes),
    ):
        (made,) = put(
            client, [sales("DB-1", kind)], contact_ids=contact_ids, idempotency_key=f"{kind}"
        )
        assert isinstance(made, Posted), made
        (payment,) = put_payments(client, [paid_on(made, kind)], idempotency_key=f"{kind} paid")
        assert isinstance(payment, Posted), payment
        assert {"DB-1"} == set(find_by_number(client, kind, ["DB-1"]))
        assert ["DB-1"] == [one.number for one in list_sales_documents(client, kind, DAY, DAY)]
        assert 1 == len(payments_of(client, [made.id_xero]))


def post_expense(place: Place) -> None:
    """Spend money with a receipt, changed and read back."""
    client = place.client
    contact_ids = ensure_contacts(client, ["Grab"])
    (made,) = put_bank_transactions(
        client, [spend("EX-1")], contact_ids=contact_ids, idempotency_key="spend"
    )
    assert isinstance(made, Posted), made
    update_bank_transaction(client, made.id_xero, spend("EX-2"), contact_id=contact_ids["Grab"])
    assert "EX-2" == read_bank_transaction(client, made.id_xero).reference
    listed = list_bank_transactions(client, DocumentKind.SPEND_MONEY, DAY, DAY)
    assert ["EX-2"] == [one.reference for one in listed]
    assert [] == list(list_bills(client, DAY, DAY))
    attach(client, made.id_xero, "taxi ride.pdf", b"%PDF-1.4", content_type="application/pdf")
    assert ["taxi ride.pdf"] == [one.name for one in attached_files(client, made.id_xero)]


def call_places() -> dict[Line, int]:
    """File and first line of every call that is handed a client, or made on one; its last line."""
    return {
        (path.name, node.lineno): node.end_lineno or node.lineno
        for path in ADAPTER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and CLIENTS & set(handed_to(node))
    }


def handed_to(call: ast.Call) -> list[str]:
    """The names among a call's arguments, and the one it is made on."""
    parts = [*call.args, *(keyword.value for keyword in call.keywords)]
    if isinstance(call.func, ast.Attribute):
        parts.append(call.func.value)
    return [part.id for part in parts if isinstance(part, ast.Name)]


def unserved(calls: set[Endpoint], served: list[Endpoint]) -> set[Endpoint]:
    """The calls that no endpoint answers."""
    patterns = [
        (method, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(pattern))))
        for method, pattern in served
    ]
    return {
        (method, path)
        for method, path in calls
        if not any(method == m and pattern.fullmatch(path) for m, pattern in patterns)
    }


def documented() -> list[Endpoint]:
    """The list of `docs/sandbox.md`."""
    text = (ROOT / "docs" / "sandbox.md").read_text()
    section = text.partition("## What it serves")[2].partition("\n## ")[0]
    rows: list[Endpoint] = re.findall(r"^\| `(/[^`]+)` \| ([A-Z, ]+) \|$", section, re.MULTILINE)
    return sorted((method, path) for path, methods in rows for method in methods.split(", "))


def test_every_place_that_calls_xero_was_passed(traffic: Traffic) -> None:
    """A call that is added to the adapter has to be added to the pass above too."""
    places = call_places()
    assert 20 < len(places)
    assert [] == [
        place
        for place, last_line in sorted(places.items())
        if not any((place[0], line) in traffic.lines for line in range(place[1], last_line + 1))
    ]


def test_nobody_calls_xero_but_the_adapter() -> None:
    """The methods of the client that make calls are used nowhere else."""
    assert [] == [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("daybook", "flows", "tasks")
        for path in (ROOT / folder).rglob("*.py")
        if path.parent != ADAPTER and "sandbox" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"get", "write", "upload"}
        and ast.unparse(node.func.value).rpartition(".")[2] == "client"
    ]


def test_the_sandbox_serves_all_that_is_called(traffic: Traffic) -> None:
    """Method and path, from what was recorded."""
    served = served_endpoints(create_app(SandboxConfig()))
    assert set() == unserved(traffic.calls, served)
    assert {("GET", "/api.xro/2.0/Quotes")} == unserved(
        {("GET", "/api.xro/2.0/Quotes"), ("PUT", "/api.xro/2.0/Invoices")}, served
    )


def test_the_page_lists_what_is_served() -> None:
    """Neither more nor less."""
    assert served_endpoints(create_app(SandboxConfig())) == documented()
