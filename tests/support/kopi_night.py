"""A night's work with known books: what must be in Xero after it, whatever went wrong meanwhile.

The sandbox and the loader are processes of their own. Every scenario starts from a ledger that
holds nothing but totals, an organisation that holds nothing but accounts, and an access token that
has run out.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import httpx
import msgspec
from cryptography.fernet import Fernet
from kopi_corner import ORGANISATION, connect_as_browser
from loader_process import Ending, Job
from sqlalchemy import text

from daybook.clock import SystemClock
from daybook.jobs.connect import XeroAccess
from daybook.jobs.load_mapping import load_mapping
from daybook.ledger.connections import Connections
from daybook.ledger.daily_totals import write_daily_totals
from daybook.ledger.engine import open_engine
from daybook.ledger.organisations import read_organisations
from daybook.ledger.stores import write_stores
from daybook.sales.daily_total import CategoryTotal, DailyTotal, TenderTotal
from daybook.sales.store import Store, StoreDay
from daybook.xero.client import open_http
from daybook.xero.identity import XeroApp
from daybook.xero.limits import Unlimited

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Engine

FIRST_DATE = dt.date(2026, 3, 1)
TENDERS = {"Cash": "891", "GrabPay": "892", "NETS": "893", "PayNow": "894", "VISA": "895"}
MAPPING = """
organisation = "Kopi Corner"
effective_date = 2026-01-01
contact = "Daily sales"
refunds = "credit_note"
[categories]
Drinks = "200"
[taxes]
GST = "OUTPUT2"
[tenders]
""" + "\n".join(f'{tender} = "{code}"' for tender, code in TENDERS.items())
_RUN_SANDBOX = """
import os, sys, threading
# It ends with the test's process, however that ends.
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import run
run(SandboxConfig(limits=False), "127.0.0.1", 0)
"""
_NOTHING_DONE = (401, 429)
_TABLES = ("document_events", "documents", "store_days", "xero_calls", "xero_limits")
_TOTALS_FEW = 50
_SUPPORT = Path(__file__).parent


@dataclass(frozen=True)
class Books:
    """Documents (number, total, date) and payments (document, reference, amount, account, date)."""

    documents: list[tuple[str, str, str]]
    payments: list[tuple[str, str, str, str, str]]


@dataclass
class Night:
    """Ledger, sandbox and loader, and the books that must come of them."""

    engine: Engine
    database_url: str
    secret_key: str
    control: httpx.Client
    loader: subprocess.Popen[str]
    app: dict[str, str]
    record_path: Path
    totals: list[DailyTotal]
    defaults: dict[str, Any] = field(default_factory=dict)
    late_seconds: float = 0.2  # by so much a late reply is late; a loader waits half of it
    tenant_id: str = ""
    scenario_count: int = 0

    @property
    def days(self) -> list[StoreDay]:
        """The store-days of the night."""
        return [StoreDay(one.business_date, one.store_id) for one in self.totals]

    def start_again(self) -> None:
        """Empty books on both sides."""
        self.scenario_count += 1
        self.control.delete("/_sandbox/faults").raise_for_status()
        given = self.organisation(f"{ORGANISATION} {self.scenario_count}/{uuid4().hex}")
        answer = self.control.post("/_sandbox/organisations", json=given).raise_for_status()
        self.tenant_id = answer.json()["tenant_id"]
        with self.engine.begin() as connection:
            self.empty(connection)
            connection.execute(
                text("UPDATE organisations SET tenant_id_xero = :tenant WHERE name = :name"),
                {"tenant": self.tenant_id, "name": ORGANISATION},
            )
        self.expire_token()
        self.record_path.write_text("")

    def organisation(self, name: str) -> dict[str, Any]:
        """An organisation with the accounts that the mapping names."""
        return organisation(name)

    def prepare(self) -> None:
        """Load the stores and the mapping, store the totals."""
        clock = SystemClock()
        stores = [
            Store(store_id, f"Kopi {store_id}", "Pacific/Auckland", "NZD")
            for store_id in sorted({one.store_id for one in self.totals})
        ]
        with self.engine.begin() as connection:
            known = read_organisations(connection).values()
            ours = next(one for one in known if one.name == ORGANISATION)
            write_stores(connection, stores, ours.organisation_id)
            write_daily_totals(
                connection, self.totals, self.days, run_id="test", now_at=clock.now()
            )
        load_mapping(self.engine, MAPPING, "mapping.toml", loaded_by="test", clock=clock)

    def empty(self, connection: Connection) -> None:
        """Leave nothing of what a run has written."""
        if len(self.totals) > _TOTALS_FEW:
            connection.execute(text(f"TRUNCATE {', '.join(_TABLES)} CASCADE"))
        else:  # faster where there is little, and nobody has to plan statements anew
            for table in _TABLES:
                connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - of ours

    def access(self, http: httpx.Client) -> XeroAccess:
        """The way to Xero."""
        return XeroAccess(
            app=XeroApp(redirect_url="http://localhost:8765/callback", **self.app),
            http=http,
            connections=Connections(self.engine, self.secret_key),
            budget=Unlimited(),
            clock=SystemClock(),
        )

    def expire_token(self) -> None:
        """Let the next run renew its access first."""
        with self.engine.begin() as connection:
            connection.execute(
                text("UPDATE connections SET access_expires_at = now() - interval '1 hour'")
            )

    def run(self, **job: Any) -> Ending:  # noqa: ANN401 - fields of Job
        """Plan and post in a process of its own."""
        self.start(self.loader, **job)
        return ending_of(self.loader)

    def start(self, loader: subprocess.Popen[str], **job: Any) -> None:  # noqa: ANN401 - fields of Job
        """Let a loader begin; `ending_of` waits for it."""
        all_days = [(day.business_date, day.store_id) for day in self.days]
        given = Job(
            database_url=self.database_url,
            secret_key=self.secret_key,
            app=self.app,
            organisation=ORGANISATION,
            record_path=str(self.record_path),
            **{"days": all_days, **self.defaults, **job},
        )
        assert loader.stdin is not None
        loader.stdin.write(msgspec.json.encode(given).decode() + "\n")
        loader.stdin.flush()

    def fault(self, **fault: object) -> None:
        """Make the sandbox fail."""
        self.control.post("/_sandbox/faults", json=fault).raise_for_status()

    def has_struck(self) -> bool:
        """Whether a fault has met its call."""
        faults = self.control.get("/_sandbox/faults").json()["faults"]
        return any(one["struck"] for one in faults)

    def problems(self) -> list[str]:
        """Everything that is not as it must be; nothing, if the loader is right."""
        found = []
        expected, held = expected_books(self.totals), self.books()
        for what, wanted, there in (
            ("documents", expected.documents, held.documents),
            ("payments", expected.payments, held.payments),
        ):
            found += [f"missing in {what}: {one}" for one in _without(wanted, there)]
            found += [f"too many in {what}: {one}" for one in _without(there, wanted)]
        with self.engine.connect() as connection:
            states = connection.execute(text("SELECT state FROM store_days")).scalars().all()
            ids = connection.execute(text("SELECT id_xero FROM documents")).scalars().all()
        if ["posted"] * len(self.totals) != list(states):
            found.append(f"store-days are {sorted(set(states))}")
        if set(ids) != self._ids:
            found.append("the ledger's ids are not those of Xero")
        return found + sent_wrongly(self.record_path.read_text())

    def books(self) -> Books:
        """What the sandbox holds in this scenario's organisation."""
        answer = self.control.get("/_sandbox/books", params={"tenant_id": self.tenant_id})
        held: dict[str, Any] = answer.raise_for_status().json()
        documents = [
            row for row in (*held["invoices"], *held["credit_notes"]) if row["status"] != "VOIDED"
        ]
        payments = [row for row in held["payments"] if row["status"] == "AUTHORISED"]
        self._ids = {row["id"] for row in (*documents, *payments)}
        numbers = {row["id"]: row["number"] for row in documents}
        return Books(
            sorted((row["number"], row["total"], row["date"]) for row in documents),
            sorted(
                (
                    numbers[row["document_id"]],
                    row["reference"],
                    row["amount"],
                    row["account_code"],
                    row["date"],
                )
                for row in payments
            ),
        )


AnyNight = TypeVar("AnyNight", bound=Night)


def ending_of(loader: subprocess.Popen[str]) -> Ending:
    """What a loader that was started says when it has ended."""
    assert loader.stdout is not None
    return msgspec.json.decode(loader.stdout.readline(), type=Ending)


def open_loader(cleanup: ExitStack) -> subprocess.Popen[str]:
    """Start a loader, as another machine would."""
    return _program(cleanup, str(_SUPPORT / "loader_process.py"))


def _without(these: Sequence[Any], those: Sequence[Any]) -> list[Any]:
    return sorted((Counter(these) - Counter(those)).elements())


def sent_wrongly(record: str) -> list[str]:
    """What breaks the protocol: a write without its own key, or a second one without a lookup.

    Whether a document is in Xero is not known once it was sent; it may go again, under a new key,
    only after a lookup has asked for it, or when the answer said that nothing was done.
    """
    found = []
    sent: dict[str, str] = {}  # the key each document was last sent with
    names_of: dict[str, list[str]] = {}
    for line in record.splitlines():
        call = json.loads(line)
        if "answer" in call:
            if call["answer"] in _NOTHING_DONE:
                sent = {name: key for name, key in sent.items() if key != call["key"]}
            continue
        if call["method"] == "GET":
            asked = f"{call['parent']} {call['path']} {call['query']}"
            for name in [name for name in sent if name.split(" ")[0] in asked]:
                del sent[name]
        if not call["names"]:
            continue
        if not call["key"]:
            found.append(f"{call['path']} was sent without a key")
        if names_of.setdefault(call["key"], call["names"]) != call["names"]:
            found.append(f"one key was used for two requests to {call['path']}")
        found += [
            f"{name} was sent again without being looked up"
            for name in call["names"]
            if sent.setdefault(name, call["key"]) != call["key"]
        ]
    return found


def night_totals(
    store_count: int, date_count: int, *, tender_count: int = 4, has_refunds: bool = True
) -> list[DailyTotal]:
    """Days with some tenders; every other one has refunds on two of them, on a credit note."""
    totals = []
    used = list(TENDERS)[:tender_count]
    for index in range(store_count * date_count):
        net = 1001 + 137 * index
        tax = net * 15 // 100
        paid = net + tax
        parts = [paid // 2**nth for nth in range(1, tender_count)]
        tenders = [
            TenderTotal(tender, False, amount, 1)  # noqa: FBT003 - is_refund
            for tender, amount in zip(used, [*parts, paid - sum(parts)], strict=True)
        ]
        categories = [CategoryTotal("Drinks", "GST", False, net, tax, 4)]  # noqa: FBT003 - is_refund
        if has_refunds and index % 2:
            categories.append(CategoryTotal("Drinks", "GST", True, -300, -45, 2))  # noqa: FBT003 - is_refund
            tenders += [
                TenderTotal("Cash", True, -100 - index, 1),  # noqa: FBT003 - is_refund
                TenderTotal("NETS", True, -245 + index, 1),  # noqa: FBT003 - is_refund
            ]
        totals.append(
            DailyTotal(
                store_id=f"S{index % store_count:02}",
                business_date=FIRST_DATE + dt.timedelta(days=index // store_count),
                currency="NZD",
                receipt_count=4,
                refund_count=2 * (index % 2) * has_refunds,
                voided_count=0,
                categories=tuple(categories),
                tenders=tuple(tenders),
            )
        )
    return totals


def expected_books(totals: Sequence[DailyTotal]) -> Books:
    """The books by plain arithmetic, without any of the code under test."""
    documents, payments = [], []
    for total in totals:
        date = total.business_date.isoformat()
        number = f"DB-{total.store_id}-{total.business_date:%Y%m%d}"
        for is_refund, name, sign in ((False, number, 1), (True, f"{number}-CN", -1)):
            lines = [one for one in total.categories if one.is_refund is is_refund]
            if lines:
                minor = sum(sign * (one.net_minor + one.tax_minor) for one in lines)
                documents.append((name, _amount(minor), date))
            payments += [
                (
                    name,
                    f"{name} {one.tender}",
                    _amount(sign * one.amount_minor),
                    TENDERS[one.tender],
                    date,
                )
                for one in total.tenders
                if one.is_refund is is_refund
            ]
    return Books(sorted(documents), sorted(payments))


def _amount(minor: int) -> str:
    return str(Decimal(minor).scaleb(-2))


def organisation(name: str) -> dict[str, Any]:
    """An organisation with the accounts that the mapping names."""
    return {
        "name": name,
        "country": "NZ",
        "currency": "NZD",
        "accounts": [
            {
                "code": code,
                "name": f"Tills {code}",
                "type": "CURRENT",
                "tax_type": "NONE",
                "enable_payments_to_account": True,
            }
            for code in TENDERS.values()
        ],
    }


@contextmanager
def night(
    database_url: str,
    folder: Path,
    totals: list[DailyTotal],
    *,
    late_seconds: float = 0.2,
    **defaults: object,
) -> Iterator[Night]:
    """The parts, started once for many scenarios; `defaults` are fields of every `Job`."""
    with opened(Night, database_url, folder, late_seconds, totals=totals, defaults=defaults) as one:
        yield one


@contextmanager
def opened(
    kind: type[AnyNight],
    database_url: str,
    folder: Path,
    late_seconds: float,
    **parts: Any,  # noqa: ANN401 - fields of the night
) -> Iterator[AnyNight]:
    """Sandbox, loader and ledger, connected and prepared."""
    with ExitStack() as cleanup:
        sandbox = _program(cleanup, "-c", _RUN_SANDBOX)
        assert sandbox.stdout is not None
        said = re.search(r"http://\S+", sandbox.stdout.readline())
        assert said is not None, "the sandbox says where it is"
        control = cleanup.enter_context(httpx.Client(base_url=said[0], timeout=30))
        boot = control.get("/_sandbox").json()
        app = {
            name: boot[name]
            for name in ("client_id", "client_secret", "api_url", "identity_url", "login_url")
        }
        engine = open_engine(database_url)
        cleanup.callback(engine.dispose)
        prepared = kind(
            engine=engine,
            database_url=database_url,
            secret_key=Fernet.generate_key().decode(),
            control=control,
            loader=open_loader(cleanup),
            app=app,
            record_path=folder / "sent.jsonl",
            late_seconds=late_seconds,
            **parts,
        )
        first = prepared.organisation(ORGANISATION)
        control.post("/_sandbox/organisations", json=first).raise_for_status()
        with open_http() as http:
            connect_as_browser(prepared.access(http), control)
        prepared.prepare()
        prepared.start_again()
        assert "" == prepared.run().error
        prepared.scenario_count = 0
        yield prepared


def _program(cleanup: ExitStack, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python program that ends with the block."""
    program = cleanup.enter_context(
        subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )
    cleanup.callback(program.kill)
    return program
