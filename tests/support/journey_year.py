"""The Complete Journey year on its way: files, ledger, totals, documents, a sandbox's books."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
from cryptography.fernet import Fernet

from daybook.clock import SystemClock
from daybook.jobs.connect import XeroAccess, client_of
from daybook.jobs.extract import extract
from daybook.jobs.load_mapping import load_mapping
from daybook.jobs.load_stores import load_stores
from daybook.jobs.plan import plan
from daybook.jobs.post import post
from daybook.jobs.reconcile import reconcile
from daybook.jobs.total import total
from daybook.ledger.connections import Connections
from daybook.ledger.engine import open_engine
from daybook.ledger.migrate import upgrade
from daybook.ledger.organisations import read_organisations
from daybook.pos.files import FilesSource
from daybook.sales.store import StoreDay
from daybook.xero.client import open_http
from daybook.xero.identity import XeroApp
from daybook.xero.limits import Unlimited
from deployments.demo import chart
from deployments.demo.complete_journey import FIRST_DATE, LAST_DATE, stores
from deployments.demo.story import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from daybook.jobs.reconcile import ReconciledLine
    from daybook.ledger.organisations import Organisation
    from daybook.xero.client import XeroClient

_CHUNK = 4000  # store-days planned at a time
_CLOCK = SystemClock()


@dataclass
class Year:
    """The chain between its files and its books; `seconds` says what each step took."""

    engine: Engine
    client: XeroClient
    organisation: Organisation
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def days(self) -> list[StoreDay]:
        """Every store on every date of the year."""
        dates = [
            FIRST_DATE + dt.timedelta(days=n) for n in range((LAST_DATE - FIRST_DATE).days + 1)
        ]
        return [StoreDay(date, store.store_id) for date in dates for store in stores()]

    def extract(self, files: Path) -> None:
        """Files into the ledger."""
        with self._timed("extract"):
            extract(
                FilesSource(str(files)),
                self.engine,
                stores(),
                FIRST_DATE,
                LAST_DATE,
                run_id="year",
                clock=_CLOCK,
            )

    def total(self) -> None:
        """Receipts into daily totals, whose control totals all have to agree."""
        with self._timed("total"):
            totalled = total(self.engine, stores(), self.days, run_id="year", clock=_CLOCK)
        assert () == totalled.control_failures

    def plan(self, days: Sequence[StoreDay]) -> int:
        """Daily totals into documents; returns how many."""
        with self._timed("plan"):
            return sum(
                plan(
                    self.engine,
                    days[start : start + _CHUNK],
                    prefix="DB",
                    run_id="year",
                    clock=_CLOCK,
                ).document_count
                for start in range(0, len(days), _CHUNK)
            )

    def post(self, days: Sequence[StoreDay]) -> int:
        """Documents into the sandbox; returns how many."""
        with self._timed("post"):
            return post(
                self.engine, self.client, self.organisation, days, run_id="year", clock=_CLOCK
            ).posted_count

    def books(self, days: Sequence[StoreDay]) -> list[ReconciledLine]:
        """Every store-day that traded, beside what the sandbox holds for it."""
        with self._timed("read back"):
            lines = reconcile(self.engine, {self.organisation.organisation_id: self.client}, days)
        return [line for line in lines if line.line.state != "no_sales"]

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[step] = time.perf_counter() - started


@contextmanager
def journey_year(database_url: str) -> Iterator[Year]:
    """The chain, connected to its organisation in a sandbox process of its own, without limits."""
    with ExitStack() as cleanup:
        engine = open_engine(database_url)
        cleanup.callback(engine.dispose)
        upgrade(engine)
        url = cleanup.enter_context(_sandbox())
        with httpx.Client(base_url=url, timeout=60) as browser:
            browser.post(
                "/_sandbox/organisations", json=chart.organisation(stores())
            ).raise_for_status()
            boot = browser.get("/_sandbox").json()
            app = XeroApp(
                boot["client_id"],
                boot["client_secret"],
                "http://localhost:8765/callback",
                url,
                url,
                url,
            )
            access = XeroAccess(
                app=app,
                http=cleanup.enter_context(open_http()),
                connections=Connections(engine, Fernet.generate_key().decode()),
                budget=Unlimited(),
                clock=_CLOCK,
            )
            connect(access, browser)
        load_stores(engine, chart.stores_file(stores()), "stores.toml", chart.ORGANISATION)
        load_mapping(engine, chart.mapping(), "mapping.toml", loaded_by="year", clock=_CLOCK)
        with engine.connect() as connection:
            organisation = next(
                one
                for one in read_organisations(connection).values()
                if one.name == chart.ORGANISATION
            )
        client = client_of(access, organisation.connection_id, organisation.tenant_id_xero)
        yield Year(engine, client, organisation)


@contextmanager
def _sandbox() -> Iterator[str]:
    """Serve in another process, so that it and the loader do not share an interpreter."""
    command = [sys.executable, "-m", "daybook.sandbox", "--port", "0", "--limits", "off"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:  # noqa: S603 - our own command
        assert sandbox.stdout is not None
        first_line = sandbox.stdout.readline()
        try:
            yield first_line.split()[3]
        finally:
            sandbox.terminate()
