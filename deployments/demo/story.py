"""What the demo shows: a real chain's days on their way from the tills into Xero.

Everything goes the way a real organisation's would: consent and OAuth, files, mapping, the deployed
flows on a worker, Xero's limits. Only the browser's click on "Allow" is played.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

import httpx
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text
from sqlalchemy import text

from daybook.errors import DaybookError, Unavailable
from daybook.jobs import store_day_table
from daybook.jobs.connect import begin, complete
from daybook.jobs.load_mapping import load_mapping
from daybook.jobs.load_stores import load_stores
from daybook.jobs.reconcile import reconcile
from daybook.money import amount_from_minor
from daybook.sales.store import StoreDay
from deployments.demo import chart, complete_journey
from deployments.demo.home import RECEIPTS
from deployments.demo.till_totals import till_totals

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from daybook.jobs.connect import XeroAccess
    from daybook.jobs.reconcile import ReconciledLine
    from daybook.wiring import Wiring
    from deployments.demo.stack import Stack

BUSINESS_DATE: Final = dt.date(2017, 3, 15)
BACKFILL_DATES: Final = (dt.date(2017, 3, 8), dt.date(2017, 3, 14))
_RUN_SECONDS_MAX: Final = 900
_POLL_SECONDS: Final = 0.3
_ENDED: Final = frozenset(("COMPLETED", "FAILED", "CRASHED", "CANCELLED"))


class DemoFailed(DaybookError):
    """A run of the demo did not end as it should, or the books are not equal."""


@dataclass(frozen=True, slots=True)
class Story:
    """The demo's steps, over a running stack."""

    stack: Stack
    wired: Wiring
    console: Console
    tell: Callable[[str], None]

    def prepare(self) -> None:
        """Make the source files and the organisation, connect it, load stores and mapping."""
        folder = (self.stack.settings.home / RECEIPTS).parent
        stores = complete_journey.stores()
        receipts = convert_once(folder)
        self.tell(f"The year's receipts of a real chain lie in {receipts}.")
        with httpx.Client(base_url=self.stack.sandbox_url, timeout=60) as sandbox:
            sandbox.post(
                "/_sandbox/organisations", json=chart.organisation(stores)
            ).raise_for_status()
            access = self.wired.xero()
            if not any(
                one.name == chart.ORGANISATION for one in self.wired.organisations().values()
            ):
                connect(access, sandbox)
        self.tell(f"{chart.ORGANISATION} is connected to Daybook through OAuth.")
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
        """Trigger the deployed flows, one date and then the seven before it, and watch them."""
        first, last = BACKFILL_DATES
        runs = (
            ("daily-sales/midnight", {"business_date": BUSINESS_DATE.isoformat()}),
            (
                "backfill/ad-hoc",
                {"start_date": first.isoformat(), "end_date": last.isoformat()},
            ),
        )
        with httpx.Client(base_url=self.stack.prefect_api_url, timeout=30) as prefect:
            for deployment, parameters in runs:
                self._watch(prefect, deployment, parameters)

    def show(self) -> None:
        """Print the table, whether POS, ledger and Xero are equal, and where to look."""
        lines = self._lines()
        self.console.print(_table(lines))
        tills = till_totals(self.stack.settings.home / RECEIPTS, BACKFILL_DATES[0], BUSINESS_DATE)
        self._verdict(lines, tills)
        self.tell(
            f"Calls to Xero this time: {self._calls()}, of which {self._calls(writes='1')} wrote."
        )
        self.tell(f"Prefect, runs and artifacts: {self.stack.prefect_url}")
        self.tell(f"Xero sandbox, the books:     {self.stack.sandbox_url}")
        self.tell(f"Source files, mapping, logs: {self.stack.settings.home}")

    def _watch(self, prefect: httpx.Client, deployment: str, parameters: dict[str, str]) -> None:
        """Start one run and follow it to its end; a progress line shows the documents."""
        found = prefect.get(f"/deployments/name/{deployment}")
        found.raise_for_status()
        created = prefect.post(
            f"/deployments/{found.json()['id']}/create_flow_run",
            json={"parameters": parameters, "state": {"type": "SCHEDULED"}},
        )
        created.raise_for_status()
        run_id = created.json()["id"]
        self.tell(f"{deployment} {' to '.join(parameters.values())} is started in Prefect.")
        deadline = time.monotonic() + _RUN_SECONDS_MAX
        with self.console.status("waiting for the worker") as status:
            while True:
                self.stack.check()
                run = prefect.get(f"/flow_runs/{run_id}").json()
                if run["state_type"] in _ENDED:
                    break
                if time.monotonic() > deadline:
                    raise Unavailable(f"{deployment} has not ended after {_RUN_SECONDS_MAX} s.")
                status.update(f"{run['name']}: {run['state_name'].lower()}; {self._progress()}")
                time.sleep(_POLL_SECONDS)
        said = (run["state"].get("message") or "").strip().splitlines()
        message = said[0].replace("**", "") if said else ""
        self.tell(f"{run['name']}: {run['state_name']}. {message}")
        if run["state_type"] != "COMPLETED":
            raise DemoFailed(
                f"{run['name']} ended {run['state_name']}: see "
                f"{self.stack.prefect_url}/runs/flow-run/{run_id}"
            )

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
