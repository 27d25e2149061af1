"""When a store is expected to trade."""

from __future__ import annotations

import datetime as dt

import pytest

from daybook.sales.store import Store, TradingDays

MONDAY = dt.date(2026, 3, 16)
# Closed on Mondays and on Tuesday the 17th; open on Monday the 23rd all the same.
DAYS = TradingDays(
    weekdays=(1, 2, 3, 4, 5, 6),
    closed_dates=(dt.date(2026, 3, 17),),
    open_dates=(dt.date(2026, 3, 23),),
)


@pytest.mark.parametrize(
    ("day", "is_expected"), [(16, False), (17, False), (18, True), (22, True), (23, True)]
)
def test_exceptions_win_over_the_week(day: int, is_expected: bool) -> None:  # noqa: FBT001 - a table
    """A date named on its own is what it says, whatever day of the week it is."""
    store = Store("S01", "Tanjong", "Asia/Singapore", "SGD", expected=DAYS)
    assert is_expected is store.expects_sales_on(MONDAY.replace(day=day))


def test_a_store_that_does_not_say_when_it_trades_misses_nothing() -> None:
    """Nobody can tell a closed day from a missing one."""
    assert not Store("S01", "Tanjong", "Asia/Singapore", "SGD").expects_sales_on(MONDAY)
