"""The shared budget: never more than Xero allows, and hardly less."""

from __future__ import annotations

import datetime as dt
import heapq
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, text

from daybook.errors import RateLimited
from daybook.ledger.call_budget import LedgerCallBudget, Limits, Remaining
from daybook.ledger.engine import open_engine
from daybook.ledger.tables import xero_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Engine

_START = dt.datetime(2026, 7, 14, 12, tzinfo=dt.UTC)
_TENANT = "tenant-1"


@dataclass(frozen=True)
class _Seen:
    """What a reply said."""

    minute_remaining: int | None = None
    day_remaining: int | None = None
    app_minute_remaining: int | None = None
    retry_after_seconds: int | None = None
    problem: str | None = None


class _EventClock:
    """Simulated time: waiting jumps ahead, and on the way lets calls end when they are due."""

    def __init__(self) -> None:
        self.now_at = _START
        self._events: list[tuple[dt.datetime, int, Callable[[], None]]] = []
        self._count = 0

    def now(self) -> dt.datetime:
        return self.now_at

    def at(self, moment: dt.datetime, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, action))

    def sleep(self, seconds: float) -> None:
        until_at = self.now_at + dt.timedelta(seconds=seconds)
        while self._events and self._events[0][0] <= until_at:
            self.now_at, _, action = heapq.heappop(self._events)
            action()
        self.now_at = max(self.now_at, until_at)


class _FixedWindows:
    """Xero's own counting: fixed windows that start at a moment nobody knows."""

    def __init__(self, minute_offset_seconds: float, minute_count: int = 60) -> None:
        self._offset = minute_offset_seconds
        self._minute_count = minute_count
        self._used: dict[int, int] = defaultdict(int)
        self.refused_count = 0

    def call(self, arrived_at: dt.datetime) -> _Seen:
        window = int((arrived_at.timestamp() + self._offset) // 60)
        if self._used[window] >= self._minute_count:
            self.refused_count += 1
            return _Seen(minute_remaining=0, retry_after_seconds=30, problem="minute")
        self._used[window] += 1
        return _Seen(minute_remaining=self._minute_count - self._used[window])

    def use_elsewhere(self, at: dt.datetime, count: int) -> None:
        self._used[int((at.timestamp() + self._offset) // 60)] += count


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated, empty ledger."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> _EventClock:
    """Simulated time."""
    return _EventClock()


def _make_calls(
    budgets: Sequence[LedgerCallBudget],
    clock: _EventClock,
    latencies: Sequence[float],
    xero: _FixedWindows,
) -> list[dt.datetime]:
    """Make one call per latency, the budgets in turn, as many at once as they allow."""
    arrivals: list[dt.datetime] = []
    for number, latency in enumerate(latencies):
        budget = budgets[number % len(budgets)]
        call_id = budget.acquire(_TENANT)
        end_at = clock.now() + dt.timedelta(seconds=latency)
        arrived_at = clock.now() + dt.timedelta(seconds=latency * (number * 7 % 10) / 10)
        arrivals.append(arrived_at)

        def arrive(
            budget: LedgerCallBudget = budget,
            call_id: int = call_id,
            arrived_at: dt.datetime = arrived_at,
            end_at: dt.datetime = end_at,
        ) -> None:
            seen = xero.call(arrived_at)
            clock.at(end_at, lambda: budget.release(call_id, seen))

        clock.at(arrived_at, arrive)
    return sorted(arrivals)


def _longest_burst(arrivals: Sequence[dt.datetime], window_seconds: float) -> int:
    """Return the most arrivals in any window of that length, wherever it starts."""
    window = dt.timedelta(seconds=window_seconds)
    first = most = 0
    for last, arrived_at in enumerate(arrivals):
        while arrived_at - arrivals[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_a_first_burst_waits_for_nothing(engine: Engine, clock: _EventClock) -> None:
    """Five calls may be in progress at once from the start."""
    budget = LedgerCallBudget(engine, clock)
    for _ in range(5):
        budget.acquire(_TENANT)
    assert clock.now() == _START


def test_a_sixth_call_waits_for_one_to_end(engine: Engine, clock: _EventClock) -> None:
    """Also when the others belong to another process."""
    one, other = LedgerCallBudget(engine, clock), LedgerCallBudget(engine, clock)
    ids = [one.acquire(_TENANT) for _ in range(5)]
    clock.at(_START + dt.timedelta(seconds=3), lambda: one.release(ids[0], _Seen()))
    other.acquire(_TENANT)
    waited_seconds = (clock.now() - _START).total_seconds()
    assert 3 <= waited_seconds <= 3.3


def test_organisations_do_not_wait_for_each_other(engine: Engine, clock: _EventClock) -> None:
    """The limits of one organisation are its own."""
    budget = LedgerCallBudget(engine, clock)
    for _ in range(5):
        budget.acquire(_TENANT)
        budget.acquire("tenant-2")
    assert clock.now() == _START


def test_a_call_whose_process_died_ends_with_its_lease(engine: Engine, clock: _EventClock) -> None:
    """A slot is not lost for ever when a process is killed."""
    dead = LedgerCallBudget(engine, clock, Limits(concurrent_count=1, lease_seconds=120))
    dead.acquire(_TENANT)
    LedgerCallBudget(engine, clock, Limits(concurrent_count=1, lease_seconds=120)).acquire(_TENANT)
    waited_seconds = (clock.now() - _START).total_seconds()
    assert 120 <= waited_seconds <= 121


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # an example takes a second: no shrinking
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    latencies=st.lists(st.floats(0.05, 4), min_size=70, max_size=150),
    process_count=st.integers(1, 3),
    offset_seconds=st.floats(0, 60),
)
def test_no_alignment_of_xeros_minute_ever_sees_more_than_sixty(
    engine: Engine, latencies: list[float], process_count: int, offset_seconds: float
) -> None:
    """Whatever the latencies and however many processes share it, and with zero refusals."""
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE xero_calls, xero_limits"))
    clock = _EventClock()
    budgets = [LedgerCallBudget(engine, clock) for _ in range(process_count)]
    xero = _FixedWindows(offset_seconds)
    arrivals = _make_calls(budgets, clock, latencies, xero)
    assert _longest_burst(arrivals, 60) <= 60
    assert xero.refused_count == 0


@pytest.mark.parametrize("process_count", [1, 2])
def test_the_minute_is_used_within_five_per_cent(
    engine: Engine, clock: _EventClock, process_count: int
) -> None:
    """300 calls of half a second to two seconds need little more than four minutes' worth."""
    latencies = [0.5 + (number * 7 % 10) * 0.15 for number in range(300)]
    budgets = [LedgerCallBudget(engine, clock) for _ in range(process_count)]
    xero = _FixedWindows(17)
    _make_calls(budgets, clock, latencies, xero)
    least_seconds = (300 / 60 - 1) * 60
    assert (clock.now() - _START).total_seconds() <= 1.05 * least_seconds + 20
    assert xero.refused_count == 0


def test_a_used_up_day_says_when_it_goes_on(engine: Engine, clock: _EventClock) -> None:
    """It is not waited out: the caller is told, to the second."""
    budget = LedgerCallBudget(engine, clock, Limits(day_count=3))
    for _ in range(3):
        budget.release(budget.acquire(_TENANT), _Seen())
        clock.sleep(100)
    with pytest.raises(RateLimited, match=r"2026-07-15 12:00 UTC") as caught:
        budget.acquire(_TENANT)
    assert ("day", 86_400 - 300 + 3) == (caught.value.problem, caught.value.retry_after_seconds)
    clock.sleep(86_400 - 300 + 3)
    budget.acquire(_TENANT)


def test_the_day_is_used_within_five_per_cent(engine: Engine, clock: _EventClock) -> None:
    """Three days' worth of calls take little more than two days, and no day sees too many."""
    limits = Limits(day_count=100)
    budget = LedgerCallBudget(engine, clock, limits)
    arrivals: list[dt.datetime] = []
    while len(arrivals) < 300:
        try:
            call_id = budget.acquire(_TENANT)
        except RateLimited as error:
            clock.sleep(error.retry_after_seconds or 0)
            continue
        arrivals.append(clock.now())
        clock.sleep(0.5)
        budget.release(call_id, _Seen())
    assert _longest_burst(arrivals, 86_400) <= 100
    assert clock.now() - _START <= 1.05 * dt.timedelta(days=2)


def test_a_reserve_is_left_to_others(engine: Engine, clock: _EventClock) -> None:
    """A backfill stops before the last calls of the day; the midnight run may use them."""
    backfill = LedgerCallBudget(engine, clock, Limits(day_count=10, reserve_count=4))
    night = LedgerCallBudget(engine, clock, Limits(day_count=10))
    for _ in range(6):
        backfill.release(backfill.acquire(_TENANT), _Seen())
    with pytest.raises(RateLimited):
        backfill.acquire(_TENANT)
    for _ in range(4):
        night.release(night.acquire(_TENANT), _Seen())
    with pytest.raises(RateLimited):
        night.acquire(_TENANT)


def test_calls_made_elsewhere_are_believed(engine: Engine, clock: _EventClock) -> None:
    """When Xero says that less is left than we think, every process knows at once."""
    one, other = LedgerCallBudget(engine, clock), LedgerCallBudget(engine, clock)
    one.release(one.acquire(_TENANT), _Seen(minute_remaining=10, day_remaining=700))
    left = other.remaining(_TENANT)
    assert (10, 700) == (left.minute_count, left.day_count)


def test_what_xero_counts_less_than_we_do_changes_nothing(
    engine: Engine, clock: _EventClock
) -> None:
    """Its window may have started anew, which ours cannot know."""
    budget = LedgerCallBudget(engine, clock)
    for _ in range(3):
        budget.release(budget.acquire(_TENANT), _Seen(minute_remaining=60, day_remaining=5000))
    left = budget.remaining(_TENANT)
    assert (57, 4997) == (left.minute_count, left.day_count)


def test_a_smaller_tier_than_set_is_learnt_from_the_first_reply(
    engine: Engine, clock: _EventClock
) -> None:
    """1,000 a day instead of 5,000, without any setting."""
    budget = LedgerCallBudget(engine, clock)
    for used in range(1, 4):
        budget.release(budget.acquire(_TENANT), _Seen(day_remaining=1000 - used))
    assert 997 == budget.remaining(_TENANT).day_count


def test_calls_made_elsewhere_are_forgotten_after_the_window(
    engine: Engine, clock: _EventClock
) -> None:
    """A minute later they count in no minute any more."""
    budget = LedgerCallBudget(engine, clock)
    budget.release(budget.acquire(_TENANT), _Seen(minute_remaining=0))
    budget.acquire(_TENANT)
    waited_seconds = (clock.now() - _START).total_seconds()
    assert 60 <= waited_seconds <= 61.5


def test_sharing_with_a_stranger_is_rarely_refused(engine: Engine, clock: _EventClock) -> None:
    """Another app instance without our table uses half of every minute."""
    budget = LedgerCallBudget(engine, clock)
    xero = _FixedWindows(17)
    for minute in range(12):
        at = _START + dt.timedelta(seconds=60 * minute)
        clock.at(at, lambda at=at: xero.use_elsewhere(at, 30))  # type: ignore[misc] # default binds the loop's value
    _make_calls([budget], clock, [0.5] * 240, xero)
    assert xero.refused_count <= 2


@pytest.mark.parametrize("problem", ["minute", "concurrent", "appminute"])
def test_a_wait_that_xero_asks_for_holds_for_all(
    engine: Engine, clock: _EventClock, problem: str
) -> None:
    """A 429 of one process keeps the others from hammering."""
    one, other = LedgerCallBudget(engine, clock), LedgerCallBudget(engine, clock)
    one.release(one.acquire(_TENANT), _Seen(retry_after_seconds=22, problem=problem))
    other.acquire(_TENANT)
    assert dt.timedelta(seconds=22) == clock.now() - _START


def test_a_day_that_xero_calls_used_up_is_over_for_all(engine: Engine, clock: _EventClock) -> None:
    """Until the moment that Xero named."""
    one, other = LedgerCallBudget(engine, clock), LedgerCallBudget(engine, clock)
    one.release(one.acquire(_TENANT), _Seen(retry_after_seconds=66_975, problem="day"))
    assert 0 == other.remaining(_TENANT).day_count
    with pytest.raises(RateLimited) as caught:
        other.acquire(_TENANT)
    assert ("day", 66_975) == (caught.value.problem, caught.value.retry_after_seconds)


def test_the_apps_minute_is_shared_by_all_organisations(engine: Engine, clock: _EventClock) -> None:
    """Near the app's limit the organisations are counted together."""
    budget = LedgerCallBudget(engine, clock, Limits(app_minute_count=8))
    for number in range(9):
        budget.release(budget.acquire(f"tenant-{number}"), _Seen())
    waited_seconds = (clock.now() - _START).total_seconds()
    assert 60 <= waited_seconds <= 64


def test_waiting_for_a_turn_has_an_end(engine: Engine, clock: _EventClock) -> None:
    """A limit that never frees is an error that says so."""
    limits = Limits(concurrent_count=1, lease_seconds=10_000, wait_seconds_max=60)
    budget = LedgerCallBudget(engine, clock, limits)
    budget.acquire(_TENANT)
    with pytest.raises(RateLimited) as caught:
        budget.acquire(_TENANT)
    assert "concurrent" == caught.value.problem


def test_an_unused_organisation_has_everything_left(engine: Engine, clock: _EventClock) -> None:
    """The reserve is not counted as left."""
    budget = LedgerCallBudget(engine, clock, Limits(reserve_count=300))
    assert Remaining(5, 60, 4700, 10_000) == budget.remaining(_TENANT)


def test_old_calls_are_forgotten(engine: Engine, clock: _EventClock) -> None:
    """The table does not grow for ever."""
    old_at = _START - dt.timedelta(days=31)
    with engine.begin() as connection:
        rows = [{"tenant_id_xero": "old", "started_at": old_at, "finished_at": old_at}] * 1500
        connection.execute(insert(xero_calls), rows)
    budget = LedgerCallBudget(engine, clock, Limits(minute_count=10_000, concurrent_count=10_000))
    for _ in range(500):
        budget.acquire(_TENANT)
    with engine.connect() as connection:
        assert 500 == connection.scalar(select(func.count()).select_from(xero_calls))


class _FastClock:
    """Real time, sped up: threads really wait and really compete."""

    _SPEED = 60

    def __init__(self) -> None:
        self._started = time.monotonic()

    def now(self) -> dt.datetime:
        passed_seconds = (time.monotonic() - self._started) * self._SPEED
        return _START + dt.timedelta(seconds=passed_seconds)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self._SPEED)


def test_two_processes_at_once_stay_inside_every_limit(engine: Engine, database_url: str) -> None:
    """Ten threads on two engines: no minute above sixty, never more than five in progress."""
    fast = _FastClock()
    other = open_engine(database_url)
    in_progress: list[int] = []
    open_calls = 0
    lock = threading.Lock()

    def work(budget: LedgerCallBudget) -> None:
        nonlocal open_calls
        for _ in range(15):
            call_id = budget.acquire(_TENANT)
            with lock:
                open_calls += 1
                in_progress.append(open_calls)
            fast.sleep(0.5)
            with lock:
                open_calls -= 1
            budget.release(call_id, _Seen())

    # On a busy machine a call may seem to take minutes of this time, and is in progress still.
    limits = Limits(lease_seconds=3600, wait_seconds_max=36_000)
    budgets = [LedgerCallBudget(engine, fast, limits), LedgerCallBudget(other, fast, limits)]
    threads = [threading.Thread(target=work, args=(budgets[n % 2],)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.dispose()
    with engine.connect() as connection:
        starts = connection.scalars(select(xero_calls.c.started_at)).all()
    assert 150 == len(starts)
    assert max(in_progress) <= 5
    assert _longest_burst(sorted(starts), 60) <= 60
