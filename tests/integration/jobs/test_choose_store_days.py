"""Which store-days a run is about."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from daybook.errors import InputError
from daybook.jobs.choose_store_days import ClosingRule, choose
from daybook.ledger.engine import open_engine
from daybook.ledger.store_days import StoreDayStatus, write_store_days
from daybook.ledger.stores import write_stores
from daybook.sales.store import Store, StoreDay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

NOW = dt.datetime(2026, 3, 14, 23, 30, tzinfo=dt.UTC)  # 07:30 on the 15th in Singapore
RULE = ClosingRule(NOW, dt.timedelta(0), trailing_days=2)
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
