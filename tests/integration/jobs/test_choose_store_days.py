"""Which store-days a run is about."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from daybook.errors import InputError
from daybook.jobs.choose_store_days import ClosingRule, choose, given_up, runs_of_dates
from daybook.ledger.engine import open_engine
from daybook.ledger.store_days import StoreDayState, StoreDayStatus, write_store_days
from daybook.ledger.stores import write_stores
from daybook.posting.holds import Hold, HoldCode
from daybook.sales.store import Store, StoreDay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

NOW = dt.datetime(2026, 3, 14, 23, 30, tzinfo=dt.UTC)  # 07:30 on the 15th in Singapore
RULE = ClosingRule(NOW, dt.timedelta(0), trailing_days=2, unfinished_days=10)
HOLD = Hold(HoldCode.UNREADABLE, "lines.csv row 3", "A row of this day could not be read.")
STORES = (
    Store("S01", "Tanjong", "Asia/Singapore", "SGD"),
    Store("S02", "Bar", "Asia/Singapore", "SGD", cutoff=dt.time(8, 0)),
    Store("S03", "London", "Europe/London", "GBP", opened_date=dt.date(2026, 3, 13)),
)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A ledger with three stores on three clocks."""
    engine = open_engine(database_url)
    with engine.begin() as connection:
        write_stores(connection, STORES, None)
    yield engine
    engine.dispose()


def days(chosen: list[StoreDay]) -> list[tuple[str, int]]:
    """Store and day of March."""
    return sorted((one.store_id, one.business_date.day) for one in chosen)


def test_each_store_closes_by_its_own_clock(engine: Engine) -> None:
    """Singapore has closed the 14th, the bar with its late cut-off and London only the 13th."""
    assert [
        ("S01", 13), ("S01", 14), ("S02", 12), ("S02", 13), ("S03", 13),
    ] == days(choose(engine, None, None, RULE))  # fmt: skip


def test_a_day_younger_than_its_source_s_grace_is_not_chosen_yet(engine: Engine) -> None:
    """Seven and a half hours after midnight; a later night chooses it, and reads it again."""
    for hours, last in ((7, 14), (8, 13)):
        rule = replace(RULE, closed_after=dt.timedelta(hours=hours))
        assert [("S01", last - 1), ("S01", last)] == days(choose(engine, ["S01"], None, rule))
    eight = replace(RULE, closed_after=dt.timedelta(hours=8))
    for day, says in ((14, "2026-03-14 is not final yet"), (15, "2026-03-15 is not over yet")):
        dates = (dt.date(2026, 3, day), dt.date(2026, 3, day))
        with pytest.raises(InputError, match=says):
            choose(engine, ["S01"], dates, eight)


def test_trailing_window_is_read_again_and_a_range_is_not(engine: Engine) -> None:
    """The night looks at posted days again, in case they changed; a backfill leaves them alone."""
    done = StoreDayStatus(StoreDay(dt.date(2026, 3, 14), "S01"), "posted")
    empty = StoreDayStatus(StoreDay(dt.date(2026, 3, 13), "S01"), "no_sales")
    with engine.begin() as connection:
        write_store_days(connection, [done, empty], run_id="test", now_at=NOW)
    dates = (dt.date(2026, 3, 13), dt.date(2026, 3, 14))
    assert [("S01", 13), ("S01", 14)] == days(choose(engine, ["S01"], None, RULE))
    assert [("S01", 13)] == days(choose(engine, ["S01"], dates, RULE))


def settle(engine: Engine, day: int, state: StoreDayState, store_id: str = "S01") -> None:
    """Put a day of March into this state."""
    holds = (HOLD,) if state in ("held", "missing", "failed") else ()
    status = StoreDayStatus(StoreDay(dt.date(2026, 3, day), store_id), state, holds)
    with engine.begin() as connection:
        write_store_days(connection, [status], run_id="test", now_at=NOW)


@pytest.mark.parametrize("state", ["held", "missing", "failed", "planned", "totalled"])
def test_a_day_that_is_not_in_xero_outlives_the_trailing_window(
    engine: Engine, state: StoreDayState
) -> None:
    """What holds it may be put right weeks later; the night then finds it by itself."""
    settle(engine, 5, state)
    settle(engine, 6, "posted")
    settle(engine, 7, "no_sales")
    assert [("S01", 5), ("S01", 13), ("S01", 14)] == days(choose(engine, ["S01"], None, RULE))
    assert ("S01", 5) not in days(choose(engine, ["S02"], None, RULE))
    assert () == given_up(engine, None, RULE)


def test_a_day_held_for_too_long_is_not_read_again_but_named(engine: Engine) -> None:
    """Until a person settles it; that is once it is posted, or outside the time of its store."""
    settle(engine, 4, "held")
    settle(engine, 4, "missing", "S02")
    assert [("S01", 13), ("S01", 14)] == days(choose(engine, ["S01"], None, RULE))
    (sentence,) = given_up(engine, None, RULE)
    assert "older than the 10 days" in sentence
    assert "2026-03-04 store S01 (held). Correct" in sentence
    settle(engine, 4, "posted")
    assert () == given_up(engine, ["S01"], RULE)
    settle(engine, 3, "missing", "S02")
    (sentence,) = given_up(engine, ["S02"], RULE)
    assert "2026-03-03 store S02 (missing). Correct" in sentence
    with engine.begin() as connection:
        write_stores(connection, [replace(STORES[1], opened_date=dt.date(2026, 3, 5))], None)
    assert () == given_up(engine, None, RULE)


def test_of_very_many_days_given_up_the_oldest_are_named(engine: Engine) -> None:
    """A year that was never mapped is one sentence."""
    rule = replace(RULE, trailing_days=1, unfinished_days=1)
    for day in range(1, 13):
        settle(engine, day, "held")
    (sentence,) = given_up(engine, ["S01"], rule)
    assert "2026-03-10 store S01 (held) and 2 more. Correct" in sentence


def test_an_old_day_does_not_make_the_source_read_everything_since() -> None:
    """Days further apart than a week are read each for itself."""
    chosen = [StoreDay(dt.date(2026, 3, day), "S01") for day in (14, 1, 8, 16, 25)]
    assert [[1, 8, 14, 16], [25]] == [
        [one.business_date.day for one in run] for run in runs_of_dates(chosen)
    ]


def test_range_is_every_date_of_it(engine: Engine) -> None:
    """Oldest first, for the stores asked for."""
    dates = (dt.date(2026, 3, 1), dt.date(2026, 3, 3))
    chosen = choose(engine, ["S02", "S01"], dates, RULE)
    assert [(1, "S01"), (1, "S02"), (2, "S01"), (2, "S02"), (3, "S01"), (3, "S02")] == [
        (one.business_date.day, one.store_id) for one in chosen
    ]


@pytest.mark.parametrize(
    ("stores", "first", "last", "says"),
    [
        (["S1"], 1, 2, "There is no store 'S1'. Did you mean 'S01'?"),
        (None, 3, 2, "The last date, 2026-03-02, is before the first date, 2026-03-03."),
        (["S01"], 14, 15, "2026-03-15 is not over yet at Tanjong: its last closed business date"),
        (["S02"], 13, 14, "Ask for 2026-03-13 or earlier."),
    ],
)
def test_impossible_requests_are_refused_in_a_sentence(
    engine: Engine, stores: list[str] | None, first: int, last: int, says: str
) -> None:
    """An unknown store, a range backwards and a day that is not over yet are said as such."""
    dates = (dt.date(2026, 3, first), dt.date(2026, 3, last))
    with pytest.raises(InputError) as refused:
        choose(engine, stores, dates, RULE)
    assert says in str(refused.value)


def test_ledger_without_stores_says_what_to_do(database_url: str) -> None:
    """Nothing can be chosen before stores are loaded."""
    engine = open_engine(database_url)
    with pytest.raises(InputError, match="daybook stores load"):
        choose(engine, None, None, RULE)
    engine.dispose()
