"""An organisation in the sandbox, connected, with expenses from the sandbox's Aspire."""

from __future__ import annotations

import base64
import datetime as dt
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx
from cryptography.fernet import Fernet
from hurried_clock import HurriedClock
from kopi_corner import connect_as_browser

from daybook.expenses.attachment_limits import FitLimits
from daybook.expenses.backoff import RetryPolicy
from daybook.jobs.attach import Attaching, attach_receipts
from daybook.jobs.connect import XeroAccess, client_of
from daybook.jobs.extract_expenses import extract_expenses
from daybook.jobs.load_expense_mapping import load_expense_mapping
from daybook.jobs.sync_expenses import Syncing, plan_batch, post_batch
from daybook.ledger.connections import Connections
from daybook.ledger.engine import open_engine
from daybook.ledger.expenses import read_expenses
from daybook.ledger.organisations import read_organisations
from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import serve
from daybook.spend.aspire import AspireApi, AspireSource
from daybook.spend.fit.fitter import Fitter
from daybook.spend.receipts_api import ReceiptsApi
from daybook.xero.client import open_http
from daybook.xero.identity import XeroApp
from daybook.xero.limits import Unlimited

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Engine

    from daybook.clock import Clock
    from daybook.jobs.attach import Attached
    from daybook.jobs.extract_expenses import ExpensesExtracted
    from daybook.jobs.plan_expenses import ExpensesPlanned
    from daybook.ledger.expenses import LedgerExpense
    from daybook.ledger.organisations import Organisation
    from daybook.sandbox.server import RunningSandbox
    from daybook.xero.client import XeroClient

FIRST, LAST = dt.date(2026, 3, 1), dt.date(2026, 3, 31)
NAME = "Kopi Expenses"
MAPPING = """
organisation = "Kopi Expenses"
effective_date = 2026-01-01
contact = "Card expenses"
[accounts."aspire:acc-sgd"]
bank_account = "092"
country = "SG"
start_date = 2026-01-01
[accounts."aspire:acc-usd"]
bank_account = "093"
country = "SG"
start_date = 2026-01-01
[categories.Transport]
account = "449"
tax_type = "INPUT2"
tracking = { Region = "North" }
[categories."Meals & Entertainment"]
account = "420"
tax_type = "INPUT2"
[categories."Office Supplies"]
account = "453"
tax_type = "INPUT2"
[categories.Software]
account = "463"
tax_type = "NONE"
[categories.Marketing]
account = "400"
tax_type = "NONE"
[categories.Travel]
account = "493"
tax_type = "NONE"
[categories.Utilities]
account = "445"
tax_type = "INPUT2"
[categories.Delivery]
account = "425"
tax_type = "INPUT2"
[[merchants]]
contains = "grab"
contact = "Grab"
"""
ORGANISATION = {
    "name": NAME,
    "country": "NZ",
    "currency": "SGD",
    "currencies": ["USD"],
    "accounts": [
        {"code": "092", "name": "Aspire SGD", "type": "BANK", "currency_code": "SGD"},
        {"code": "093", "name": "Aspire USD", "type": "BANK", "currency_code": "USD"},
    ],
    "tracking_categories": [
        {"name": "Region", "options": ["North", "South"]},
        {"name": "Team", "options": ["Bar", "Kitchen"]},
    ],
}


@dataclass(frozen=True)
class ExpensePlace:
    """Ledger, sandbox, the connected organisation, and Aspire."""

    engine: Engine
    sandbox: RunningSandbox
    control: httpx.Client
    access: XeroAccess
    organisation: Organisation
    aspire: AspireApi
    fitter: Fitter
    clock: Clock
    at_once: int = 4
    source_limits: Mapping[str, FitLimits] = field(default_factory=dict)

    @property
    def client(self) -> XeroClient:
        """The organisation's client."""
        organisation = self.organisation
        return client_of(self.access, organisation.connection_id, organisation.tenant_id_xero)

    def world(self, **asked: object) -> dict[str, Any]:
        """Make Aspire's world; all in March 2026."""
        whole = {"first_date": "2026-03-01", "day_count": 28, "pending_share": 0, **asked}
        answer = self.control.post("/_sandbox/aspire/world", json=whole)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    def pay(self, **changes: object) -> None:
        """Add or change one of Aspire's transactions."""
        answer = self.control.post("/_sandbox/aspire/transactions", json=changes)
        answer.raise_for_status()

    def upload(self, transaction_id: str, name: str, content: bytes) -> None:
        """Give Aspire a receipt."""
        encoded = base64.b64encode(content).decode()
        new = {"transaction_id": transaction_id, "name": name, "content": encoded}
        self.control.post("/_sandbox/aspire/receipts", json=new).raise_for_status()

    def extract(self) -> ExpensesExtracted:
        """Read them into the ledger."""
        return extract_expenses(
            AspireSource(self.aspire),
            ReceiptsApi(self.aspire),
            self.engine,
            FIRST,
            LAST,
            run_id="test",
            clock=self.clock,
        )

    def syncing(self) -> Syncing:
        """What a sync needs."""
        return syncing_of(self.engine, self.client, self.clock)

    def plan(self, expense_ids: Sequence[str] | None = None) -> ExpensesPlanned:
        """Check and plan."""
        return plan_batch(self.syncing(), expense_ids)

    def sync(self, *, with_updates: bool = False) -> str:
        """Plan and post everything."""
        self.plan()
        ids = [one.expense.expense_id for one in self.expenses()]
        return post_batch(self.syncing(), self.organisation, ids, with_updates=with_updates)

    def attach(self, policy: RetryPolicy | None = None) -> Attached:
        """Attach what is due."""
        attaching = replace(
            attaching_of(self.client, self.aspire, self.fitter, self.clock),
            policy=policy or RetryPolicy(),
            uploads_at_once=self.at_once,
            source_limits=self.source_limits,
        )
        return attach_receipts(self.engine, self.organisation, attaching, None)

    def expenses(self) -> list[LedgerExpense]:
        """What the ledger holds."""
        with self.engine.connect() as connection:
            return read_expenses(connection)

    def fault(self, **fault: object) -> None:
        """Make the sandbox fail."""
        self.control.post("/_sandbox/faults", json=fault).raise_for_status()

    def bank_transactions(self) -> list[dict[str, Any]]:
        """What Xero holds, lines included."""
        params = {"page": "1", "pageSize": "1000"}
        found: list[dict[str, Any]] = self.client.get("/BankTransactions", params)[
            "BankTransactions"
        ]
        return found

    def requests(self, method: str, path: str) -> int:
        """How many such calls Xero has seen."""
        rows = self.control.get("/_sandbox/requests", params={"limit": "100000"}).json()
        return sum(1 for row in rows["requests"] if row["method"] == method and path in row["path"])


def syncing_of(engine: Engine, client: XeroClient, clock: Clock) -> Syncing:
    """What a sync needs."""
    return Syncing(engine, lambda _key: client, "DB", frozenset(("HK",)), "test", clock)


def attaching_of(client: XeroClient, aspire: AspireApi, fitter: Fitter, clock: Clock) -> Attaching:
    """What uploads need, with receipts from Aspire."""
    return Attaching(
        client=client,
        receipts={"aspire": ReceiptsApi(aspire)},
        fitter=fitter,
        limits=FitLimits(),
        policy=RetryPolicy(),
        clock=clock,
        jitter=lambda: 0.5,
        run_id="test",
        progress=lambda _sentence: None,
    )


@contextmanager
def connected_expenses(database_url: str, clock: Clock | None = None) -> Iterator[ExpensePlace]:
    """An organisation with a loaded expense mapping, and an empty Aspire."""
    time = clock or HurriedClock()
    with ExitStack() as cleanup:
        engine = open_engine(database_url)
        cleanup.callback(engine.dispose)
        sandbox = cleanup.enter_context(serve(SandboxConfig(limits=False)))
        control = cleanup.enter_context(httpx.Client(base_url=sandbox.url, timeout=60))
        control.post("/_sandbox/organisations", json=ORGANISATION).raise_for_status()
        boot = sandbox.bootstrap
        http = cleanup.enter_context(open_http())
        access = XeroAccess(
            app=XeroApp(
                boot.client_id,
                boot.client_secret,
                "http://localhost:8765/callback",
                boot.api_url,
                boot.identity_url,
                boot.login_url,
            ),
            http=http,
            connections=Connections(engine, Fernet.generate_key().decode()),
            budget=Unlimited(),
            clock=time,
        )
        connect_as_browser(access, control)
        with engine.begin() as connection:
            found = read_organisations(connection).values()
        organisation = next(one for one in found if one.name == NAME)
        load_expense_mapping(engine, MAPPING, "expenses.toml", loaded_by="test", clock=time)
        aspire = AspireApi(
            http, f"{sandbox.url}/aspire", "aspire-client", "aspire-secret", clock=time
        )
        fitter = cleanup.enter_context(Fitter(FitLimits()))
        yield ExpensePlace(engine, sandbox, control, access, organisation, aspire, fitter, time)
