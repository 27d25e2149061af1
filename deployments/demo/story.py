"""What the demo shows: a real chain's days on their way from the tills into Xero.

Everything goes the way a real organisation's would: consent and OAuth, files, mapping, the deployed
flows on a worker, Xero's limits. Only the browser's click on "Allow" is played.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

import httpx
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text
from sqlalchemy import text

from daybook.jobs import store_day_table
from daybook.jobs.connect import begin, complete
from daybook.jobs.load_mapping import load_mapping
from daybook.jobs.load_stores import load_stores
from daybook.jobs.reconcile import reconcile
from daybook.money import amount_from_minor
from daybook.sales.store import StoreDay
from deployments.demo import chart, complete_journey, expense_chart, expense_story
from deployments.demo.expense_story import ExpenseStory
from deployments.demo.flow_runs import DemoFailed, FlowRuns, Wanted
from deployments.demo.home import RECEIPTS
from deployments.demo.till_totals import till_totals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from daybook.jobs.connect import XeroAccess
    from daybook.jobs.reconcile import ReconciledLine
    from daybook.sales.store import Store
    from daybook.wiring import Wiring
    from deployments.demo.stack import Stack

BUSINESS_DATE: Final = dt.date(2017, 3, 15)
BACKFILL_DATES: Final = (dt.date(2017, 3, 8), dt.date(2017, 3, 14))


@dataclass(frozen=True, slots=True)
class Story:
    """The demo's steps, over a running stack."""

    stack: Stack
    wired: Wiring
    console: Console
    tell: Callable[[str], None]

    @property
    def expenses(self) -> ExpenseStory:
        """The part about expenses."""
        return ExpenseStory(self.stack, self.wired, self.console, self.tell)

    def prepare(self) -> None:
        """Make the source files and the organisations, connect them, load stores and mappings."""
        folder = (self.stack.settings.home / RECEIPTS).parent
        stores = complete_journey.stores()
        receipts = convert_once(folder)
        self.tell(f"The year's receipts of a real chain lie in {receipts}.")
        wanted = (chart.organisation(stores), expense_chart.organisation())
        names = [one["name"] for one in wanted]
        with httpx.Client(base_url=self.stack.sandbox_url, timeout=60) as sandbox:
            for body in wanted:
                sandbox.post("/_sandbox/organisations", json=body).raise_for_status()
            access = self.wired.xero()
            connected = {one.name for one in self.wired.organisations().values()}
            if not connected.issuperset(names):
                connect(access, sandbox)
            self.tell(f"{' and '.join(names)} are connected to Daybook through OAuth.")
            self._load(folder, stores)
            self.expenses.prepare(sandbox, folder)

    def _load(self, folder: Path, stores: Sequence[Store]) -> None:
        """Load stores and mapping as files, the way finance would keep them."""
        stores_file = folder / "stores.toml"
        stores_file.write_text(chart.stores_file(stores))
        load_stores(
            self.wired.engine, stores_file.read_text(), str(stores_file), chart.ORGANISATION
        )
        mapping_file = folder / "mapping.toml"
        mapping_file.write_text(chart.mapping())
        load_mapping(
            self.wired.engine,
            mapping_file.read_text(),
            str(mapping_file),
            loaded_by="demo",
            clock=self.wired.clock,
        )
        self.tell(f"{len(stores)} stores and the mapping are loaded.")

    def run(self) -> None:
        """Run the deployed flows: a night and the expenses, then the days before and receipts."""
        first, last = (date.isoformat() for date in BACKFILL_DATES)
        runs = FlowRuns(self.stack, self.console, self.tell, self._progress)
        sync, attach = expense_story.DEPLOYMENTS
        night = {"business_date": BUSINESS_DATE.isoformat()}
        runs.watch([Wanted("daily-sales/midnight", night), Wanted(sync, {})])
        self.expenses.tell_failed()
        wanted = [Wanted("backfill/ad-hoc", {"start_date": first, "end_date": last})]
        # Each run costs seconds: one that has nothing to attach is left to its hourly schedule.
        is_waiting = self.expenses.has_waiting_receipts
        runs.watch([*wanted, Wanted(attach, {})] if is_waiting else wanted)
        if is_waiting:
            self.expenses.tell_arrived()

    def show(self) -> None:
        """Print the tables, whether sources, ledger and Xero are equal, and where to look."""
        lines = self._lines()
        self.console.print(_table(lines))
        tills = till_totals(self.stack.settings.home / RECEIPTS, BACKFILL_DATES[0], BUSINESS_DATE)
        self._verdict(lines, tills)
        self.expenses.show()
        self.tell(
            f"Calls to Xero this time: {self._calls()}, of which {self._calls(writes='1')} wrote."
        )
        self.tell(f"Prefect, runs and artifacts: {self.stack.prefect_url}")
        self.tell(f"Xero sandbox, the books:     {self.stack.sandbox_url}")
        self.tell(f"Source files, mapping, logs: {self.stack.settings.home}")

    def _calls(self, **which: str) -> int:
        """How many calls of the API the sandbox has seen since it started."""
        params = {"path": "/api.xro/", **which}
        answer = httpx.get(f"{self.stack.sandbox_url}/_sandbox/requests", params=params, timeout=30)
        count: int = answer.json()["count"]
        return count

    def _progress(self) -> str:
        with self.wired.engine.connect() as connection:
            rows = connection.execute(text("SELECT state, count(*) FROM documents GROUP BY state"))
            counts: dict[str, int] = dict(rows.tuples().all())
        total = sum(counts.values())
        return f"{counts.get('posted', 0)} of {total} documents posted"

    def _lines(self) -> list[ReconciledLine]:
        days = [
            StoreDay(BACKFILL_DATES[0] + dt.timedelta(days=offset), store.store_id)
            for offset in range((BUSINESS_DATE - BACKFILL_DATES[0]).days + 1)
            for store in complete_journey.stores()
        ]
        clients = {key: self.wired.client(one) for key, one in self.wired.organisations().items()}
        lines = reconcile(self.wired.engine, clients, days)
        return [line for line in lines if line.line.state != "no_sales"]

    def _verdict(self, lines: list[ReconciledLine], tills: dict[tuple[dt.date, str], int]) -> None:
        """Hold every store-day against the files, read a second time and added up another way."""
        wrong = [
            line
            for line in lines
            if not line.is_equal
            or tills.get((line.line.store_day.business_date, line.line.store_day.store_id))
            != line.xero_minor
        ]
        missing = len(tills) - len(lines)
        if wrong or missing:
            raise DemoFailed(
                f"{len(wrong)} of {len(tills)} store-days are not equal in POS, ledger and Xero, "
                f"and {missing} are missing."
            )
        self.console.print(
            Text(
                f"POS = ledger = Xero, to the cent, for each of {len(lines)} store-days.",
                "bold green",
            )
        )


def connect(access: XeroAccess, browser: httpx.Client) -> None:
    """Connect through OAuth; `browser` plays the person who allows it on Xero's page."""
    consent = begin(access.app)
    page = browser.get(consent.url)
    page.raise_for_status()
    form = {**dict(parse_qsl(urlsplit(consent.url).query)), "allow": "1"}
    allowed = browser.post(consent.url, data=form)
    complete(access, consent, dict(parse_qsl(urlsplit(allowed.headers["Location"]).query)))


def convert_once(folder: Path) -> Path:
    """Write the chain's receipts as source files, unless an earlier demo has."""
    receipts = folder / Path(RECEIPTS).name
    done = folder / "receipts.done"
    if not done.exists():
        complete_journey.convert(receipts)
        done.touch()
    return receipts


def _table(lines: list[ReconciledLine]) -> Table:
    table = Table(title=f"Store-days {BACKFILL_DATES[0]} to {BUSINESS_DATE}", box=SIMPLE_HEAD)
    for name in ("Store", "Date"):
        table.add_column(name)
    for name in ("Receipts", "Total USD", "Tenders"):
        table.add_column(name, justify="right")
    for name in ("Invoice", "Status"):
        table.add_column(name, no_wrap=True)
    for one in lines:
        line = one.line
        table.add_row(
            line.store_day.store_id,
            str(line.store_day.business_date),
            str(line.receipt_count),
            f"{amount_from_minor(line.total_minor, line.currency):,}",
            str(line.tender_count),
            " ".join(line.numbers),
            store_day_table.status(one),
        )
    for total in store_day_table.totals(lines):
        table.add_section()
        table.add_row(
            f"{total.store_day_count}",
            "store-days",
            f"{total.receipt_count:,}",
            f"{amount_from_minor(total.documents_minor, total.currency):,}",
            f"{total.tender_count:,}",
            "",
            "",
            style="bold",
        )
    return table
