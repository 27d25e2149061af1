"""Long backfills in simulated time: as fast as the limits allow, and never over them."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from event_clock import EventClock
from kopi_corner import DATE, connected_chain, daily_total

from daybook.clock import SystemClock
from daybook.errors import RateLimited
from daybook.jobs.connect import client_of
from daybook.jobs.forecast import forecast
from daybook.jobs.plan import plan
from daybook.jobs.post import post
from daybook.ledger.call_budget import LedgerCallBudget, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopi_corner import Chain

    from daybook.sales.store import StoreDay


@contextmanager
def limited_chain(
    database_url: str, *, store_count: int, **limits: int
) -> Iterator[tuple[Chain, EventClock]]:
    """A chain whose organisation counts calls, in simulated time."""
    with connected_chain(database_url, store_count) as chain:
        clock = EventClock(chain.control, SystemClock().now())
        given = {"enabled": True, "reset": True, **limits}
        chain.control.post("/_sandbox/limits", json=given).raise_for_status()
        yield chain, clock


def planned(chain: Chain, clock: EventClock, date_count: int) -> list[StoreDay]:
    """Many dates of every store, totalled and planned."""
    days = chain.total(
        [
            daily_total(store.store_id, DATE + dt.timedelta(days=offset))
            for offset in range(date_count)
            for store in chain.stores
        ]
    )
    plan(chain.engine, days, prefix="DB", run_id="test", clock=clock)
    return days


def worker(
    chain: Chain,
    clock: EventClock,
    days: Sequence[StoreDay],
    limits: Limits,
    *,
    delay_seconds: float = 0,
    **options: Any,  # noqa: ANN401 - passed on to post
) -> list[str]:
    """Post as a worker does, one call at a time; returns what it said meanwhile."""
    said: list[str] = []
    budget = LedgerCallBudget(chain.engine, clock, limits)
    access = replace(chain.access, budget=budget, clock=clock)
    organisation = chain.organisation
    with clock.taking_part():
        clock.sleep(delay_seconds)
        post(
            chain.engine,
            client_of(access, organisation.connection_id, organisation.tenant_id_xero),
            organisation,
            days,
            run_id="test",
            clock=clock,
            calls_at_once=1,
            progress=said.append,
            **{"lock_wait_seconds": 7 * 86400, **options},
        )
    return said


def calls(chain: Chain, clock: EventClock) -> Counter[int]:
    """Calls to the organisation since the limits were set, by status."""
    started_at = clock.started_at.isoformat(timespec="milliseconds")
    log = chain.control.get("/_sandbox/requests", params={"path": "/api.xro/"}).json()["requests"]
    return Counter(row["status"] for row in log if row["at"] >= started_at)


@pytest.mark.parametrize("worker_count", [1, 2])
def test_backfill_takes_the_least_time_its_calls_allow(
    database_url: str, worker_count: int
) -> None:
    """90 days of 50 stores, by one worker or by two at once: within 5 %, and never refused."""
    with limited_chain(database_url, store_count=50) as (chain, clock):
        days = planned(chain, clock, 90)
        expected = forecast(
            chain.engine,
            chain.organisation.organisation_id,
            days,
            minute_calls=60,
            day_calls=5000,
        )
        parts = [days[part::worker_count] for part in range(worker_count)]
        with ThreadPoolExecutor(worker_count) as pool:
            for done in [pool.submit(worker, chain, clock, part, Limits()) for part in parts]:
                done.result()
        made = calls(chain, clock)
        assert {200} == set(made)
        least_seconds = 60 * (math.ceil(made[200] / 60) - 1)
        assert 1.05 * least_seconds >= (clock.now() - clock.started_at).total_seconds()
        # Two workers cannot share a batch. Reading back is not part of posting; making the contact
        # is not part of the forecast.
        assert abs(expected.call_count - made[200]) <= 5 + 2 * worker_count
        books = chain.books()
        assert {"PAID": 4500} == books["counts"]["invoices"]
        assert {"AUTHORISED": 9000} == books["counts"]["payments"]


def test_used_up_day_is_waited_for(database_url: str) -> None:
    """The run says when it goes on, lets go of the organisation, and goes on by itself."""
    with limited_chain(database_url, store_count=30, day=20) as (chain, clock):
        days = planned(chain, clock, 30)
        said = worker(chain, clock, days, Limits(day_count=20), waits_for_day=True)
        made = calls(chain, clock)
        assert {200} == set(made)
        least_seconds = 86400 * (math.ceil(made[200] / 20) - 1)
        assert least_seconds > 0
        assert 1.05 * least_seconds >= (clock.now() - clock.started_at).total_seconds()
        # A day and a few seconds after the first call, which may be a minute later by the clock.
        on_at = [clock.started_at + dt.timedelta(days=1, seconds=wait) for wait in (0, 60)]
        assert any(f"goes on at {at:%Y-%m-%d %H:%M} UTC" in one for one in said for at in on_at)
        assert {"PAID": 900} == chain.books()["counts"]["invoices"]


def test_used_up_day_without_waiting_leaves_the_rest_planned(database_url: str) -> None:
    """The night does not wait a day: it ends with the time, and its next run does what is left."""
    with limited_chain(database_url, store_count=30, day=20) as (chain, clock):
        days = planned(chain, clock, 30)
        with pytest.raises(RateLimited, match="goes on at") as limited:
            worker(chain, clock, days, Limits(day_count=20))
        assert "day" == limited.value.problem
        with clock.taking_part():
            clock.sleep(86400 + 60)
        worker(chain, clock, days, Limits(day_count=20), waits_for_day=True)
        assert {"PAID": 900} == chain.books()["counts"]["invoices"]


def test_backfill_leaves_the_nights_reserve(database_url: str) -> None:
    """A backfill stops short of the day's end; a night still gets its calls."""
    with limited_chain(database_url, store_count=30, day=40) as (chain, clock):
        days = planned(chain, clock, 30)
        with pytest.raises(RateLimited):
            worker(chain, clock, days, Limits(day_count=40, reserve_count=15))
        assert 25 == calls(chain, clock)[200]
        worker(chain, clock, days[-30:], Limits(day_count=40))
        assert 25 < calls(chain, clock)[200]


def test_night_does_not_wait_for_the_end_of_a_backfill(database_url: str) -> None:
    """It gets the organisation after a turn of the backfill, which goes on afterwards."""
    with limited_chain(database_url, store_count=30, minute=6) as (chain, clock):
        days = planned(chain, clock, 20)
        ended_at: dict[str, dt.datetime] = {}

        def run(name: str, part: Sequence[StoreDay], delay_seconds: float) -> list[str]:
            limits = Limits(minute_count=6)
            waits = {"delay_seconds": delay_seconds, "lock_wait_seconds": 200}
            said = worker(chain, clock, part, limits, **waits)
            ended_at[name] = clock.now()
            return said

        with ThreadPoolExecutor(2) as pool, clock.taking_part():
            backfill = pool.submit(run, "backfill", days[:-30], 0)
            night = pool.submit(run, "night", days[-30:], 70)
            clock.await_others(2)
        night.result()
        assert any("another run goes first" in sentence for sentence in backfill.result())
        # The backfill's turn, at most as long for the calls that are left, and the night's own.
        assert 70 + 60 + 60 + 60 >= (ended_at["night"] - clock.started_at).total_seconds()
        assert 300 <= (ended_at["backfill"] - clock.started_at).total_seconds()
        assert {200} == set(calls(chain, clock))
        books = chain.books()
        assert {"PAID": 600} == books["counts"]["invoices"]
        assert {"AUTHORISED": 1200} == books["counts"]["payments"]
