"""Which store-days a row that could not be read holds back."""

from __future__ import annotations

import datetime as dt

from daybook.jobs.unreadable_days import UnreadableRows
from daybook.pos.source import NO_DAY, Reach, Reject
from daybook.posting.holds import Hold, HoldCode
from daybook.sales.store import Store, StoreDay

FIRST, LAST = dt.date(2026, 3, 13), dt.date(2026, 3, 15)
DAY = dt.timedelta(days=1)
# Until four in the morning it is still yesterday in the bar.
BAR = Store("B1", "Bar", "Asia/Singapore", "SGD", dt.time(4))
CAFE = Store("C1", "Cafe", "Asia/Singapore", "SGD")
# Half past two in the morning of 15 March in Singapore.
NIGHT = dt.datetime(2026, 3, 14, 18, 30, tzinfo=dt.UTC)


def reject(reach: Reach, row_number: int = 7) -> Reject:
    """A row with a bad amount."""
    return Reject("lines.csv", row_number, "net_amount", "'1O' is not an amount.", reach)


def holds(*rejects: Reject) -> dict[StoreDay, Hold]:
    """What these rejects hold, of both stores, in the three days."""
    rows = UnreadableRows()
    for one in rejects:
        rows.add([one])
    return dict(rows.holds([BAR, CAFE], FIRST, LAST))


def days(reach: Reach) -> list[tuple[str, int]]:
    """The store-days one reject holds, as store and day of March."""
    return sorted((day.store_id, day.business_date.day) for day in holds(reject(reach)))


def test_a_sale_holds_the_business_date_of_its_store() -> None:
    """The same instant is another date where the day begins at four."""
    assert [("B1", 14)] == days(Reach(frozenset(["B1"]), NIGHT, NIGHT))
    assert [("C1", 15)] == days(Reach(frozenset(["C1"]), NIGHT, NIGHT))


def test_a_sale_of_an_unknown_store_holds_its_date_in_every_store() -> None:
    """Nobody knows whose it is."""
    assert [("B1", 14), ("C1", 15)] == days(Reach(None, NIGHT, NIGHT))


def test_a_sale_of_an_unknown_time_holds_all_dates_of_its_store() -> None:
    """Nobody knows when it was."""
    assert [("B1", 13), ("B1", 14), ("B1", 15)] == days(Reach(frozenset(["B1"])))


def test_a_range_holds_its_dates_as_far_as_they_are_asked_for() -> None:
    """A file's dates may begin before the window and end after it."""
    assert [("C1", 13)] == days(Reach(frozenset(["C1"]), NIGHT - 9 * DAY, NIGHT - 2 * DAY))
    assert [("C1", 15)] == days(Reach(frozenset(["C1"]), NIGHT, NIGHT + 9 * DAY))


def test_what_is_outside_the_window_holds_nothing() -> None:
    """Another run is about those days."""
    assert [] == days(Reach(None, NIGHT - 9 * DAY, NIGHT - 8 * DAY))
    assert [] == days(Reach(None, NIGHT + 2 * DAY, NIGHT + 3 * DAY))


def test_what_leaves_no_day_incomplete_holds_nothing() -> None:
    """A store that nobody knows has no days."""
    assert [] == days(NO_DAY)


def test_nothing_known_holds_everything_that_was_asked_for() -> None:
    """A source that says nothing about a row may have lost any sale."""
    assert 6 == len(days(Reach()))


def test_the_hold_names_file_row_and_reason() -> None:
    """And how many rows there are, of which the first three are named."""
    reach = Reach(frozenset(["C1"]), NIGHT, NIGHT)
    found = holds(*(reject(reach, number) for number in range(7, 12)))
    assert {
        StoreDay(LAST, "C1"): Hold(
            HoldCode.UNREADABLE,
            "lines.csv row 7, net_amount",
            "5 rows of this day could not be read, so receipts are missing: "
            "lines.csv row 7, net_amount: '1O' is not an amount; "
            "lines.csv row 8, net_amount: '1O' is not an amount; "
            "lines.csv row 9, net_amount: '1O' is not an amount; and 2 more. "
            "Correct the source; the next run then posts the day.",
        )
    } == found


def test_the_hold_says_when_the_day_is_not_certain() -> None:
    """A row without a row number, of no column, that may be of this day."""
    odd = Reject("api/receipts/A1", 0, "", "It is odd.", Reach(None, NIGHT, NIGHT))
    hold = holds(odd)[StoreDay(LAST, "C1")]
    assert hold.sentence.startswith(
        "A row that may be of this day could not be read, so receipts are missing: "
        "api/receipts/A1: It is odd. Correct"
    )


def test_reaches_together_cover_both() -> None:
    """From the first to the last; what one does not know, both do not know."""
    one = Reach(frozenset(["B1"]), NIGHT, NIGHT)
    other = Reach(frozenset(["C1"]), NIGHT + DAY, NIGHT + 2 * DAY)
    assert Reach(frozenset(["B1", "C1"]), NIGHT, NIGHT + 2 * DAY) == one | other
    assert Reach() == one | Reach()
