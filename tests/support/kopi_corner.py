"""A small chain, connected to an organisation in the sandbox, with daily totals ready to post."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from cryptography.fernet import Fernet

from daybook.clock import SystemClock
from daybook.jobs.connect import XeroAccess, begin, client_of, complete
from daybook.jobs.load_mapping import load_mapping
from daybook.jobs.plan import plan
from daybook.jobs.post import post
from daybook.ledger.connections import Connections
from daybook.ledger.daily_totals import write_daily_totals
from daybook.ledger.engine import open_engine
from daybook.ledger.organisations import read_organisations
from daybook.ledger.stores import write_stores
from daybook.sales.daily_total import CategoryTotal, DailyTotal, TenderTotal
from daybook.sales.store import Store, StoreDay
from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import serve
from daybook.xero.client import open_http
from daybook.xero.identity import XeroApp
from daybook.xero.limits import Unlimited

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Engine

    from daybook.clock import Clock
    from daybook.jobs.plan import Planned
    from daybook.jobs.post import Posted
    from daybook.ledger.organisations import Organisation
    from daybook.sandbox.server import RunningSandbox
    from daybook.xero.client import XeroClient

DATE = dt.date(2026, 3, 14)
ORGANISATION = "Kopi Corner"
MAPPING = """
organisation = "Kopi Corner"
effective_date = 2026-01-01
contact = "Daily sales"
[tracking]
category = "Store"
[categories]
Drinks = "200"
Mains = "201"
[taxes]
GST = "OUTPUT2"
[tenders]
Cash = "891"
NETS = "892"
"""


@dataclass(frozen=True)
class Chain:
    """Ledger, sandbox and the connected organisation between them."""

    engine: Engine
    sandbox: RunningSandbox
    control: httpx.Client
    access: XeroAccess
    organisation: Organisation
    stores: tuple[Store, ...]

    @property
    def client(self) -> XeroClient:
        """The organisation's client."""
        return client_of(
            self.access, self.organisation.connection_id, self.organisation.tenant_id_xero
        )

    def total(self, totals: Sequence[DailyTotal]) -> list[StoreDay]:
        """Store daily totals, as the total job would."""
        days = sorted({StoreDay(one.business_date, one.store_id) for one in totals})
        with self.engine.begin() as connection:
            write_daily_totals(connection, totals, days, run_id="test", now_at=SystemClock().now())
        return days

    def plan(self, days: Sequence[StoreDay]) -> Planned:
        """Plan them."""
        return plan(self.engine, days, prefix="DB", run_id="test", clock=SystemClock())

    def post(self, days: Sequence[StoreDay], clock: Clock | None = None) -> Posted:
        """Post them."""
        return post(
            self.engine,
            self.client,
            self.organisation,
            days,
            run_id="test",
            clock=clock or SystemClock(),
            lock_wait_seconds=30,
        )

    def books(self) -> dict[str, Any]:
        """What the sandbox holds."""
        answer = self.control.get(
            "/_sandbox/books", params={"tenant_id": self.organisation.tenant_id_xero}
        )
        answer.raise_for_status()
        books: dict[str, Any] = answer.json()
        return books

    def writes(self) -> int:
        """How many write calls the sandbox has seen."""
        answer = self.control.get("/_sandbox/requests", params={"writes": "1"})
        return int(answer.json()["count"])

    def fault(self, **fault: object) -> None:
        """Make the sandbox fail."""
        self.control.post("/_sandbox/faults", json=fault).raise_for_status()


def daily_total(
    store_id: str, date: dt.date = DATE, *, net: int = 1000, refund: int = 0, cash: int = 90
) -> DailyTotal:
    """A day of `net` cents of drinks with 15 % tax; `cash` per cent of it paid in cash."""
    tax = net * 15 // 100
    paid = net + tax
    in_cash = paid * cash // 100
    categories = [CategoryTotal("Drinks", "GST", False, net, tax, 3)]  # noqa: FBT003 - is_refund
    tenders = [
        TenderTotal("Cash", False, in_cash, 2),  # noqa: FBT003 - is_refund
        TenderTotal("NETS", False, paid - in_cash, 1),  # noqa: FBT003 - is_refund
    ]
    if refund:
        categories.append(CategoryTotal("Mains", "GST", True, -refund, 0, 1))  # noqa: FBT003 - is_refund
        tenders.append(TenderTotal("NETS", True, -refund, 1))  # noqa: FBT003 - is_refund
    return DailyTotal(
        store_id=store_id,
        business_date=date,
        currency="NZD",
        receipt_count=3,
        refund_count=1 if refund else 0,
        voided_count=0,
        categories=tuple(categories),
        tenders=tuple(tenders),
    )


def connect_as_browser(access: XeroAccess, browser: httpx.Client) -> None:
    """Go through OAuth, playing the person who allows it."""
    consent = begin(access.app)
    form = {**dict(parse_qsl(urlsplit(consent.url).query)), "allow": "1"}
    allowed = browser.post(consent.url, data=form)
    complete(access, consent, dict(parse_qsl(urlsplit(allowed.headers["Location"]).query)))


@contextmanager
def connected_chain(database_url: str, store_count: int = 3) -> Iterator[Chain]:
    """Some stores in one organisation whose chart has what the mapping names."""
    with ExitStack() as cleanup:
        engine = open_engine(database_url)
        cleanup.callback(engine.dispose)
        sandbox = cleanup.enter_context(serve(SandboxConfig(limits=False)))
        control = cleanup.enter_context(httpx.Client(base_url=sandbox.url, timeout=30))
        stores = tuple(
            Store(f"S{number:02}", f"Kopi {number}", "Pacific/Auckland", "NZD")
            for number in range(1, store_count + 1)
        )
        control.post("/_sandbox/organisations", json=_organisation(stores)).raise_for_status()
        boot = sandbox.bootstrap
        access = XeroAccess(
            app=XeroApp(
                boot.client_id,
                boot.client_secret,
                "http://localhost:8765/callback",
                boot.api_url,
                boot.identity_url,
                boot.login_url,
            ),
            http=cleanup.enter_context(open_http()),
            connections=Connections(engine, Fernet.generate_key().decode()),
            budget=Unlimited(),
            clock=SystemClock(),
        )
        connect_as_browser(access, control)
        with engine.begin() as connection:
            organisation = next(
                one for one in read_organisations(connection).values() if one.name == ORGANISATION
            )
            write_stores(connection, stores, organisation.organisation_id)
        load_mapping(engine, MAPPING, "mapping.toml", loaded_by="test", clock=SystemClock())
        yield Chain(engine, sandbox, control, access, organisation, stores)


def _organisation(stores: Sequence[Store]) -> dict[str, Any]:
    clearing = [
        {
            "code": code,
            "name": f"Tills {code}",
            "type": "CURRENT",
            "tax_type": "NONE",
            "enable_payments_to_account": True,
        }
        for code in ("891", "892")
    ]
    mains = {"code": "201", "name": "Mains", "type": "REVENUE", "tax_type": "OUTPUT2"}
    return {
        "name": ORGANISATION,
        "country": "NZ",
        "currency": "NZD",
        "accounts": [mains, *clearing],
        "tracking_categories": [{"name": "Store", "options": [one.name for one in stores]}],
    }
