"""The table of what a run would do."""

from __future__ import annotations

import datetime as dt

from daybook.jobs.preview import Preview
from daybook.jobs.store_day_table import preview_table
from daybook.ledger.store_days import StoreDayStatus
from daybook.posting.holds import Hold, HoldCode
from daybook.sales.daily_total import CategoryTotal, DailyTotal
from daybook.sales.store import StoreDay

DAY = StoreDay(dt.date(2026, 3, 14), "S01")
FOOD = CategoryTotal(
    "Food", "GST", is_refund=False, net_minor=100_000, tax_minor=9_000, line_count=1
)
TOTAL = DailyTotal("S01", DAY.business_date, "SGD", 1, 0, 0, (FOOD,), ())
MISSING = Hold(HoldCode.MISSING_DAY, "2026-03-14", "It should have traded.")


def preview(status: StoreDayStatus, *totals: DailyTotal) -> Preview:
    """A store-day of which nothing is in the ledger yet."""
    return Preview(status, totals, (), 0)


def test_a_day_shows_its_figures() -> None:
    """One row for each of its currencies."""
    (row,) = preview_table([preview(StoreDayStatus(DAY, "planned"), TOTAL)])
    assert (1, "SGD", "1,090.00", "planned") == (
        row["receipts"],
        row["currency"],
        row["total"],
        row["status"],
    )


def test_a_missing_day_is_shown_and_a_closed_one_is_not() -> None:
    """A dry run says what a run would say."""
    missing = preview(StoreDayStatus(DAY, "missing", (MISSING,)))
    (row,) = preview_table([missing, preview(StoreDayStatus(DAY, "no_sales"))])
    assert (0, "", "missing", "It should have traded.") == (
        row["receipts"],
        row["total"],
        row["status"],
        row["why"],
    )
