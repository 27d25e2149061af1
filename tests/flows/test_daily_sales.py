"""The daily-sales and backfill flows, from files to the sandbox, on a Prefect server."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, NoReturn, cast

import pytest
from kopi_corner import connected_chain
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterName,
)
from prefect.flow_engine import run_flow
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import SecretStr
from sqlalchemy import text
from till_files import Sale, write_sales

from daybook import wiring
from daybook.errors import FinalError, InputError
from daybook.jobs.choose_store_days import choose, given_up
from daybook.jobs.post import Posted
from daybook.ledger.stores import write_stores
from daybook.pos.files import FilesSource
from daybook.sales.store import TradingDays
from daybook.settings import Settings
from daybook.wiring import Wiring
from flows.backfill import backfill
from flows.daily_sales import daily_sales
from flows.store_days import post_store_days

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path
    from uuid import UUID

    from kopi_corner import Chain
    from prefect.client.schemas.objects import FlowRun, State

    from daybook.pos.source import Page
    from daybook.sales.store import Store

DATE = dt.date(2026, 3, 14)
MIDDAY = "2026-03-14T12:00:00+13:00"

pytestmark = [pytest.mark.prefect, pytest.mark.postgres, pytest.mark.xdist_group("flows")]


@dataclass(frozen=True)
class Tills:
    """The chain, the folder its tills export to, and this process's wiring."""

    chain: Chain
    folder: Path
    wired: Wiring

    def count(self, table: str) -> int:
        """How many rows a table of the ledger has."""
        with self.chain.engine.connect() as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - the test's own word


@pytest.fixture
def tills(
    prefect_server: str,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Tills]:
    """Three stores with one sale each; the flows find them through the shared wiring."""
    assert prefect_server
    with connected_chain(database_url) as chain:
        app = chain.access.app
        wired = Wiring(
            Settings(
                home=tmp_path / "home",
                database_url=SecretStr(database_url),
                secret_key=SecretStr(chain.access.connections.key),
                xero_api_url=app.api_url,
                xero_identity_url=app.identity_url,
                xero_login_url=app.login_url,
                xero_client_id=app.client_id,
                xero_client_secret=SecretStr(app.client_secret),
                pos_url=SecretStr(str(tmp_path / "tills")),
            )
        )
        monkeypatch.setattr(wiring, "shared", lambda: wired)
        write_sales(tmp_path / "tills", [Sale(f"S0{n}", f"R{n}", MIDDAY) for n in (1, 2, 3)])
        yield Tills(chain, tmp_path / "tills", wired)
        wired.close()


def artifacts(key: str) -> list[Any]:
    """The data of the newest artifacts of that key."""
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        )
    return [one.data for one in sorted(found, key=lambda one: str(one.created))]


def test_day_is_posted_and_reported(tills: Tills) -> None:
    """Three receipts become three paid invoices, and the artifact says they are equal."""
    state = daily_sales(business_date=DATE, return_state=True)
    assert state.is_completed(), state.message
    assert {"PAID": 3} == tills.chain.books()["counts"]["invoices"]
    table = artifacts("store-days")[-1]
    assert "posted" in table
    assert "DB-S01-20260314" in table
    assert "equal to the cent" in artifacts("summary")[-1]
    assert f"]({tills.chain.access.app.api_url}" in artifacts("documents-in-xero")[-1]


def test_second_run_of_the_same_day_writes_nothing(tills: Tills) -> None:
    """The ledger calls the day done, so nothing is asked of Xero."""
    daily_sales(business_date=DATE)
    before = tills.chain.writes()
    state = daily_sales(business_date=DATE, return_state=True)
    assert state.is_completed()
    assert before == tills.chain.writes()


def test_dry_run_writes_nothing_anywhere(tills: Tills) -> None:
    """No receipt, no document, no call to Xero; the plan is an artifact."""
    before = len(tills.chain.control.get("/_sandbox/requests").json()["requests"])
    state = daily_sales(business_date=DATE, dry_run=True, return_state=True)
    assert state.is_completed(), state.message
    assert [0, 0, 0, 0] == [
        tills.count(name) for name in ("receipts", "daily_totals", "documents", "store_days")
    ]
    log = tills.chain.control.get("/_sandbox/requests").json()["requests"]
    assert before == len([row for row in log if "/_sandbox" not in row["path"]])
    assert "planned" in artifacts("dry-run")[-1]


def test_store_that_cannot_be_posted_stops_no_other(tills: Tills) -> None:
    """One unmapped tender: its store is held by name, the others are in Xero, the run fails."""
    sales = [Sale("S01", "R1", MIDDAY, tender="Barter"), Sale("S02", "R2", MIDDAY)]
    write_sales(tills.folder, sales)
    state = daily_sales(business_date=DATE, return_state=True)
    assert state.is_failed()
    assert "2026-03-14 store S01: The tender 'Barter' is not in the mapping" in str(state.message)
    assert {"PAID": 1} == tills.chain.books()["counts"]["invoices"]


def test_row_that_cannot_be_read_holds_its_day_by_name(tills: Tills) -> None:
    """The other store is posted, the bad row is said; the corrected file is posted by itself."""
    good = [Sale("S01", "R1", MIDDAY), Sale("S02", "R2", MIDDAY)]
    write_sales(tills.folder, [*good, Sale("S02", "R3", MIDDAY, net="1O.00")])
    state = daily_sales(business_date=DATE, return_state=True)
    assert state.is_failed()
    assert "lines.csv row 4, net_amount" in str(state.message)
    assert "2026-03-14 store S02: A row of this day could not be read" in str(state.message)
    assert ["DB-S01-20260314"] == [row["number"] for row in tills.chain.books()["invoices"]]
    write_sales(tills.folder, [*good, Sale("S02", "R3", MIDDAY)])
    assert daily_sales(business_date=DATE, return_state=True).is_completed()
    assert ["11.50", "23.00"] == [row["total"] for row in tills.chain.books()["invoices"]]


def night(tills: Tills, date: dt.date) -> State[Any]:
    """The run without dates that begins at noon in New Zealand on the day after this one."""
    now_at = dt.datetime.combine(date + dt.timedelta(days=1), dt.time(0), dt.UTC)
    rule = tills.wired.closing_rule(now_at)
    store_days = choose(tills.chain.engine, None, None, rule)

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=4))  # type: ignore[arg-type]  # as in daily_sales
    def run() -> State[str]:
        return post_store_days(
            store_days, dry_run=False, given_up=given_up(tills.chain.engine, None, rule)
        )

    state: State[Any] = run(return_state=True)
    return state


def test_day_held_past_the_trailing_window_is_posted_once_it_is_mended(tills: Tills) -> None:
    """Two weeks later nobody has to know that there was such a day."""
    sale = Sale("S02", "R2", MIDDAY)
    write_sales(tills.folder, [replace(sale, net="1O.00")])
    assert daily_sales(business_date=DATE, return_state=True).is_failed()
    write_sales(tills.folder, [sale])
    assert night(tills, DATE + dt.timedelta(days=14)).is_completed()
    assert ["DB-S02-20260314"] == [row["number"] for row in tills.chain.books()["invoices"]]


def test_day_held_for_too_long_fails_the_night_by_name(tills: Tills) -> None:
    """It is not read any more, and not forgotten: a backfill settles it."""
    sale = Sale("S02", "R2", MIDDAY)
    write_sales(tills.folder, [replace(sale, net="1O.00")])
    assert daily_sales(business_date=DATE, return_state=True).is_failed()
    write_sales(tills.folder, [sale])
    state = daily_sales(return_state=True)
    assert state.is_failed()
    assert "2026-03-14 store S02 (held). Correct" in str(state.message)
    assert backfill(DATE, DATE, return_state=True).is_completed()
    assert daily_sales(return_state=True).is_completed()


def test_old_dates_that_the_source_does_not_give_out_stop_no_others(
    tills: Tills, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loyverse shuts its history after a month: it is said, and the night is posted."""
    write_sales(tills.folder, [Sale("S02", "R2", MIDDAY, net="1O.00")])
    assert daily_sales(business_date=DATE, return_state=True).is_failed()
    later = "2026-04-13T12:00:00+12:00"
    write_sales(tills.folder, [Sale("S01", "R1", later), Sale("S02", "R2", MIDDAY)])
    read = FilesSource.receipts

    def refuse_old(
        source: FilesSource,
        stores: Sequence[Store],
        first: dt.date,
        last: dt.date,
        *,
        known_store_ids: Collection[str] | None = None,
    ) -> Iterator[Page]:
        if first <= DATE:
            raise InputError("The last 31 days alone are given out.")
        return read(source, stores, first, last, known_store_ids=known_store_ids)

    monkeypatch.setattr(FilesSource, "receipts", refuse_old)
    state = night(tills, dt.date(2026, 4, 13))
    assert state.is_failed()
    assert "The last 31 days alone are given out." in str(state.message)
    assert "2026-03-14 store S02: A row of this day could not be read" in str(state.message)
    assert ["DB-S01-20260413"] == [row["number"] for row in tills.chain.books()["invoices"]]


def test_missing_day_fails_the_run_by_name(tills: Tills) -> None:
    """The store trades every day, and nothing was read of it: the others are posted."""
    store = replace(tills.chain.stores[2], expected=TradingDays())
    with tills.chain.engine.begin() as connection:
        write_stores(connection, [store], tills.chain.organisation.organisation_id)
    write_sales(tills.folder, [Sale("S01", "R1", MIDDAY)])
    state = daily_sales(business_date=DATE, return_state=True)
    assert state.is_failed()
    assert "2026-03-14 store S03: Kopi 3 should have traded on Saturday" in str(state.message)
    assert "store S02" not in str(state.message)  # it does not say when it trades
    assert "1 missing" in artifacts("summary")[-1]
    assert {"PAID": 1} == tills.chain.books()["counts"]["invoices"]


def test_retry_after_a_correction_does_only_what_is_missing(tills: Tills) -> None:
    """The corrected receipt is posted; the store that was posted before is not touched."""
    held = [Sale("S01", "R1", MIDDAY, paid="11.00"), Sale("S02", "R2", MIDDAY)]
    write_sales(tills.folder, held)
    assert daily_sales(business_date=DATE, return_state=True).is_failed()
    later = "2026-03-14T12:30:00+13:00"
    write_sales(tills.folder, [Sale("S01", "R1", later), Sale("S02", "R2", MIDDAY)])
    before = tills.chain.writes()
    assert daily_sales(business_date=DATE, return_state=True).is_completed()
    assert 2 == tills.chain.writes() - before  # one invoice, one payment
    assert {"PAID": 2} == tills.chain.books()["counts"]["invoices"]


def test_only_calls_of_unknown_outcome_are_left(tills: Tills) -> None:
    """A run killed with its last calls under way leaves nothing planned: they are looked up."""
    daily_sales(business_date=DATE)
    before = tills.chain.books()["counts"]
    with tills.chain.engine.begin() as connection:
        connection.execute(
            text("UPDATE documents SET state = 'sending', id_xero = NULL WHERE kind = 'payment'")
        )
        connection.execute(text("UPDATE store_days SET state = 'planned'"))
    state = daily_sales(business_date=DATE, return_state=True)
    assert state.is_completed(), state.message
    assert before == tills.chain.books()["counts"]


def test_ended_connection_fails_the_night_by_name_and_loses_nothing(tills: Tills) -> None:
    """Receipts are read and documents planned; once it is connected again they are posted."""
    with tills.chain.engine.begin() as connection:
        connection.execute(text("UPDATE connections SET state = 'reconnect_needed'"))
    state = daily_sales(business_date=DATE, return_state=True)
    assert state.is_failed()
    assert "Kopi Corner" in str(state.message)
    assert "connect Xero again" in str(state.message)
    assert "2026-03-14 store S01: planned, not posted yet" in str(state.message)
    with tills.chain.engine.begin() as connection:
        connection.execute(text("UPDATE connections SET state = 'connected'"))
    state = daily_sales(business_date=DATE, return_state=True)
    assert state.is_completed(), state.message
    assert {"PAID": 3} == tills.chain.books()["counts"]["invoices"]


def read_runs(name_has: str) -> list[FlowRun]:
    """The flow runs whose names have these words."""
    named = FlowRunFilter(name=FlowRunFilterName(like_=name_has))
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(flow_run_filter=named)


def scheduled_rest(deployment_id: UUID) -> list[FlowRun]:
    """The runs that runs of this deployment scheduled."""
    found = read_runs("the rest of daily-sales")
    return [one for one in found if one.deployment_id == deployment_id]


def run_deployed(deployment_id: UUID, parameters: dict[str, Any]) -> State[Any]:
    """A run of the night's deployment, as a worker carries it out, now."""
    with get_client(sync_client=True) as client:
        run = client.create_flow_run_from_deployment(deployment_id, parameters=parameters)
    return cast("State[Any]", run_flow(daily_sales, flow_run=run, return_type="state"))


def test_night_without_calls_goes_on_by_itself(
    tills: Tills, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails by name and leaves its place; the run that it scheduled posts the rest."""
    settings = tills.wired.settings.model_copy(update={"xero_day_calls": 1})
    poor = Wiring(settings)
    monkeypatch.setattr(wiring, "shared", lambda: poor)
    with get_client(sync_client=True) as client:
        deployment_id = client.create_deployment(client.create_flow(daily_sales), "nightly")
    state = run_deployed(deployment_id, {"business_date": str(DATE)})
    poor.close()
    assert state.is_failed()
    assert "calls of this day are used up" in str(state.message)
    (rest,) = scheduled_rest(deployment_id)
    assert rest.expected_start_time is not None
    assert f"the rest by itself at {rest.expected_start_time:%Y-%m-%d %H:%M}" in str(state.message)
    assert deployment_id == rest.deployment_id
    assert {} == tills.chain.books()["counts"]["invoices"]
    monkeypatch.setattr(wiring, "shared", lambda: tills.wired)  # the day is over
    state = run_deployed(deployment_id, rest.parameters)
    assert state.is_completed(), state.message
    assert {"PAID": 3} == tills.chain.books()["counts"]["invoices"]


def test_one_organisation_is_posted_into_by_the_flow_itself(
    tills: Tills, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal that cancels a run reaches the flow alone: a thread of its own would post on."""
    threads = []

    def record(*_: object, **__: object) -> Posted:
        threads.append(current_thread())
        return Posted()

    monkeypatch.setattr("tasks.post.post_job", record)
    daily_sales(business_date=DATE, return_state=True)
    assert [main_thread()] == threads
    assert tills.count("documents") > 0


def test_runs_that_wait_for_the_same_calls_schedule_one(
    tills: Tills, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run an hour later, or one restarted, adds none; one of other stores does its own."""
    poor = Wiring(tills.wired.settings.model_copy(update={"xero_day_calls": 1}))
    monkeypatch.setattr(wiring, "shared", lambda: poor)
    monkeypatch.setattr(
        "tasks.go_on.quarter_after", lambda _: dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
    )
    with get_client(sync_client=True) as client:
        deployment_id = client.create_deployment(client.create_flow(daily_sales), "of some stores")
    for stores in (["S01"], ["S01"], ["S02"]):
        state = run_deployed(deployment_id, {"business_date": str(DATE), "stores": stores})
        assert "Prefect runs the rest by itself at 2099-01-01 00:00" in str(state.message)
    poor.close()
    rest = scheduled_rest(deployment_id)
    assert [["S01"], ["S02"]] == sorted(one.parameters["stores"] for one in rest)


def test_rest_that_cannot_be_scheduled_hides_nothing_else(
    tills: Tills, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else is wrong is said beside it, and the run was reported."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("the server is gone")

    poor = Wiring(tills.wired.settings.model_copy(update={"xero_day_calls": 1}))
    monkeypatch.setattr(wiring, "shared", lambda: poor)
    monkeypatch.setattr("tasks.go_on.run_deployment", refuse)
    with get_client(sync_client=True) as client:
        deployment_id = client.create_deployment(
            client.create_flow(daily_sales), "without a server"
        )
    state = run_deployed(deployment_id, {"business_date": str(DATE)})
    poor.close()
    assert "calls of this day are used up" in str(state.message)
    assert "The rest is not scheduled, run it again yourself" in str(state.message)
    assert "store S01: planned, not posted yet" in str(state.message)


def test_run_by_hand_without_calls_says_when_to_run_it_again(
    tills: Tills, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a deployment nothing can be scheduled."""
    poor = Wiring(tills.wired.settings.model_copy(update={"xero_day_calls": 1}))
    monkeypatch.setattr(wiring, "shared", lambda: poor)
    state = daily_sales(business_date=DATE, return_state=True)
    poor.close()
    assert state.is_failed()
    assert "Run it again after" in str(state.message)


def test_report_that_fails_hides_nothing_else(
    tills: Tills, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be read is said beside it, with where to look."""

    def refuse(*_: object) -> NoReturn:
        raise FinalError("Xero does not show its invoices.")

    monkeypatch.setattr("tasks.report.reconcile", refuse)
    good, bad = Sale("S01", "R1", MIDDAY), Sale("S02", "R2", MIDDAY, net="1O.00")
    write_sales(tills.folder, [good, bad])
    state = daily_sales(business_date=DATE, return_state=True)
    assert state.is_failed()
    assert "lines.csv row 3, net_amount" in str(state.message)
    assert "Not checked: Xero does not show its invoices." in str(state.message)


def test_backfill_posts_every_date_oldest_first(tills: Tills) -> None:
    """Two weeks in one run: batches are filled across dates, and each date is dated right."""
    sales = [Sale("S01", f"R{day}", f"2026-03-{day:02}T23:59:59+13:00") for day in range(1, 15)]
    write_sales(tills.folder, sales)
    state = backfill(dt.date(2026, 3, 1), DATE, return_state=True)
    assert state.is_completed(), state.message
    invoices = tills.chain.books()["invoices"]
    assert [f"DB-S01-202603{day:02}" for day in range(1, 15)] == [row["number"] for row in invoices]
    log = tills.chain.control.get("/_sandbox/requests", params={"writes": "1"}).json()
    assert 3 == log["count"]  # the contact, the invoices, the payments


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        (dt.date(2026, 3, 14), dt.date(2026, 3, 1), "is before the first date"),
        (dt.date(2026, 3, 14), dt.date(2999, 1, 1), "is not over yet"),
    ],
)
def test_impossible_dates_fail_with_one_sentence(
    tills: Tills, first: dt.date, last: dt.date, says: str
) -> None:
    """A range backwards or in the future is refused before anything is read."""
    state = backfill(first, last, return_state=True)
    assert state.is_failed()
    assert says in str(state.message)
    assert 0 == tills.count("receipts")


def test_missing_files_fail_with_what_to_do(tills: Tills) -> None:
    """A folder without files is said, with the setting to correct."""
    for file in tills.folder.iterdir():
        file.unlink()
    state = daily_sales(business_date=DATE, return_state=True)
    assert state.is_failed()
    assert "DAYBOOK_POS_URL" in str(state.message)
