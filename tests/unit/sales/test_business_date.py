"""Which date a sale belongs to."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import InputError
from daybook.sales.business_date import business_dates, last_closed_date, utc_window

NEW_YORK = "America/New_York"
MIDNIGHT = dt.time(0, 0)
MIDNIGHT_AT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
# Clocks that change at midnight, at two, by half an hour, and never.
ZONES = [
    NEW_YORK,
    "Asia/Singapore",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Pacific/Apia",
    "Asia/Kathmandu",
]


def instants(first_year: int, last_year: int) -> st.SearchStrategy[dt.datetime]:
    """Any second of these years."""
    ends = [dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp() for year in (first_year, last_year)]
    return st.integers(*map(int, ends)).map(lambda at: dt.datetime.fromtimestamp(at, dt.UTC))


def column(instants: list[dt.datetime]) -> pd.Series[pd.Timestamp]:
    """The instants as frames hold them."""
    return pd.Series(instants, dtype="datetime64[us, UTC]")


def date_of(text: str, zone: str, cutoff: dt.time = MIDNIGHT) -> str:
    """The business date of one instant, as text."""
    return str(business_dates(column([dt.datetime.fromisoformat(text)]), zone, cutoff)[0])


@pytest.mark.parametrize(
    ("text", "zone", "cutoff", "date"),
    [
        ("2026-03-14T15:59:59Z", "Asia/Singapore", MIDNIGHT, "2026-03-14"),
        ("2026-03-14T16:00:00Z", "Asia/Singapore", MIDNIGHT, "2026-03-15"),
        ("2026-03-14T19:59:59Z", "Asia/Singapore", dt.time(4, 0), "2026-03-14"),
        ("2026-03-14T20:00:00Z", "Asia/Singapore", dt.time(4, 0), "2026-03-15"),
        ("2017-03-12T04:59:59Z", NEW_YORK, MIDNIGHT, "2017-03-11"),
        ("2017-03-12T05:00:00Z", NEW_YORK, MIDNIGHT, "2017-03-12"),
        ("2017-03-13T03:59:59Z", NEW_YORK, MIDNIGHT, "2017-03-12"),
        ("2017-03-13T04:00:00Z", NEW_YORK, MIDNIGHT, "2017-03-13"),
        ("2017-11-06T04:59:59Z", NEW_YORK, MIDNIGHT, "2017-11-05"),
        ("2017-11-06T05:00:00Z", NEW_YORK, MIDNIGHT, "2017-11-06"),
        ("1970-01-01T00:00:00Z", "UTC", MIDNIGHT, "1970-01-01"),
        ("1969-12-31T23:59:59Z", "UTC", MIDNIGHT, "1969-12-31"),
    ],
)
def test_a_sale_belongs_to_the_local_date_less_the_cutoff(
    text: str, zone: str, cutoff: dt.time, date: str
) -> None:
    """The day turns at the cut-off on the wall, on days of 23 and 25 hours too."""
    assert date == date_of(text, zone, cutoff)


def test_no_sales_have_no_dates() -> None:
    """An empty column of instants is fine."""
    assert [] == list(business_dates(column([]), NEW_YORK, MIDNIGHT))


@given(
    st.lists(instants(1990, 2040), min_size=1),
    st.sampled_from(ZONES),
    st.timedeltas(dt.timedelta(0), dt.timedelta(hours=23, minutes=59)),
)
def test_a_column_agrees_with_the_calendar(
    sold_at: list[dt.datetime], zone: str, cutoff: dt.timedelta
) -> None:
    """Every instant gets the date that converting it on its own gives."""
    local = [at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for at in sold_at]
    expected = [(at - cutoff).date() for at in local]
    assert expected == business_dates(column(sold_at), zone, (MIDNIGHT_AT + cutoff).time()).tolist()


@given(
    instants(1990, 2040),
    st.sampled_from(ZONES),
    st.integers(0, 23).map(dt.time),
)
def test_the_window_covers_its_dates(at: dt.datetime, zone: str, cutoff: dt.time) -> None:
    """An instant lies in the window of its own business date."""
    date = business_dates(column([at]), zone, cutoff).tolist()[0]
    start, end = utc_window(date, date, zone, cutoff)
    assert start <= at < end


@pytest.mark.parametrize(
    ("text", "cutoff", "date"),
    [
        ("2017-11-05T05:40:00+00:00", dt.time(1, 30), dt.date(2017, 11, 5)),
        ("2017-11-05T06:10:00+00:00", dt.time(1, 30), dt.date(2017, 11, 4)),
        ("2017-11-05T06:30:00+00:00", dt.time(1, 30), dt.date(2017, 11, 5)),
        ("2017-03-12T07:10:00+00:00", dt.time(2, 30), dt.date(2017, 3, 12)),
        ("2017-03-12T06:59:59+00:00", dt.time(2, 30), dt.date(2017, 3, 11)),
    ],
)
def test_a_cutoff_in_the_hour_that_changes_still_has_a_window_that_covers(
    text: str, cutoff: dt.time, date: dt.date
) -> None:
    """The wall shows the cut-off twice in autumn and never in spring."""
    start, end = utc_window(date, date, NEW_YORK, cutoff)
    assert str(date) == date_of(text, NEW_YORK, cutoff)
    assert start <= dt.datetime.fromisoformat(text) < end


def test_a_date_is_not_closed_while_the_repeated_hour_may_still_add_to_it() -> None:
    """Between the two half past ones, the day before can come back."""
    now_at = dt.datetime(2017, 11, 5, 5, 40, tzinfo=dt.UTC)
    closed = last_closed_date(now_at, NEW_YORK, dt.time(1, 30), dt.timedelta(0))
    assert dt.date(2017, 11, 3) == closed


@pytest.mark.parametrize(
    ("date", "hours"),
    [
        (dt.date(2017, 3, 11), 24),
        (dt.date(2017, 3, 12), 23),
        (dt.date(2017, 11, 5), 25),
    ],
)
def test_days_on_which_clocks_change_have_23_or_25_hours(date: dt.date, hours: int) -> None:
    """The window of a business date is as long as the day was."""
    start, end = utc_window(date, date, NEW_YORK, MIDNIGHT)
    assert dt.timedelta(hours=hours) == end - start


def test_a_date_is_closed_once_it_is_over_and_has_settled() -> None:
    """A day counts as closed only after the grace time that follows its end."""
    midnight = dt.datetime(2026, 3, 14, 16, tzinfo=dt.UTC)
    grace = dt.timedelta(minutes=10)
    before, after = midnight + grace - dt.timedelta(seconds=1), midnight + grace
    assert dt.date(2026, 3, 13) == last_closed_date(before, "Asia/Singapore", MIDNIGHT, grace)
    assert dt.date(2026, 3, 14) == last_closed_date(after, "Asia/Singapore", MIDNIGHT, grace)


@given(instants(2016, 2019), st.sampled_from(ZONES))
def test_the_last_closed_date_has_ended_and_the_next_has_not(
    now_at: dt.datetime, zone: str
) -> None:
    """Nothing can be sold any more on a closed date, and something can on the next."""
    closed = last_closed_date(now_at, zone, dt.time(1, 30), dt.timedelta(0))
    _, end = utc_window(closed, closed, zone, dt.time(1, 30))
    following = closed + dt.timedelta(days=1)
    _, next_end = utc_window(following, following, zone, dt.time(1, 30))
    assert end <= now_at < next_end


@pytest.mark.parametrize("zone", ["Asia/Singapur", "", "../etc/passwd", "America", "UTC+8"])
def test_an_unknown_time_zone_is_a_sentence(zone: str) -> None:
    """What is not a zone is named, with what would be one."""
    with pytest.raises(InputError, match="is not a time zone; use a name such as Asia/Singapore"):
        utc_window(dt.date(2026, 1, 1), dt.date(2026, 1, 1), zone, MIDNIGHT)
