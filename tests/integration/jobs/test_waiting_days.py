"""Store-days that are not in Xero, with what to do."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from daybook.jobs.choose_store_days import ClosingRule
from daybook.jobs.waiting_days import waiting_days, waiting_rows
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
HOLD = Hold(HoldCode.UNREADABLE, "lines.csv row 3", "A row could not be read.")
MISSING = Hold(HoldCode.MISSING_DAY, "2026-03-13", "No receipt was found.")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A ledger with two stores, of which one opened on the 13th."""
    engine = open_engine(database_url)
    stores = [
        Store("S01", "Tanjong", "Asia/Singapore", "SGD"),
        Store("S02", "Bar", "Asia/Singapore", "SGD", opened_date=dt.date(2026, 3, 13)),
    ]
    with engine.begin() as connection:
        write_stores(connection, stores, None)
    yield engine
    engine.dispose()


def settle(
    engine: Engine, day: int, state: StoreDayState, *holds: Hold, store_id: str = "S01"
) -> None:
    """Put a day of March into this state."""
    status = StoreDayStatus(StoreDay(dt.date(2026, 3, day), store_id), state, holds)
    with engine.begin() as connection:
        write_store_days(connection, [status], run_id="test", now_at=NOW)


def test_every_day_that_is_not_in_xero_is_there_with_its_reasons(engine: Engine) -> None:
    """The newest first; posted days, days without sales and days before the opening are not."""
    settle(engine, 14, "posted")
    settle(engine, 13, "held", HOLD, MISSING)
    settle(engine, 12, "no_sales")
    settle(engine, 11, "planned")
    settle(engine, 13, "missing", MISSING, store_id="S02")
    settle(engine, 12, "missing", MISSING, store_id="S02")
    assert [
        ("2026-03-13", "S01", "held", "A row could not be read. No receipt was found."),
        ("2026-03-13", "S02", "missing", "No receipt was found."),
        ("2026-03-11", "S01", "planned", "It is not posted yet: the next run posts it."),
    ] == [tuple(row.values()) for row in waiting_rows(waiting_days(engine, RULE))]


def test_a_day_that_no_night_looks_at_any_more_says_so(engine: Engine) -> None:
    """The 5th is the oldest of ten days that had closed by then."""
    settle(engine, 5, "held", HOLD)
    settle(engine, 4, "held", HOLD)
    younger, older = waiting_days(engine, RULE)
    assert (HOLD.sentence,) == younger.sentences
    assert "run backfill/ad-hoc over its date" in older.sentences[-1]


def test_without_stores_nothing_waits(database_url: str) -> None:
    """A ledger that was just made has nothing to say."""
    engine = open_engine(database_url)
    assert [] == waiting_days(engine, RULE)
    engine.dispose()
