"""Business dates: the one place that decides which date a sale belongs to.

The date is the store's wall clock less its cut-off. A sale at 01:30 in a store whose cut-off is
04:00 belongs to the day before. Where clocks change, business dates have 23 or 25 hours.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from daybook.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_SECOND: Final = dt.timedelta(seconds=1)
_DAY: Final = dt.timedelta(days=1)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_DAY_US: Final = 86_400_000_000
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def business_dates(
    sold_at: pd.Series[pd.Timestamp], time_zone: str, cutoff: dt.time
) -> NDArray[np.datetime64]:
    """The business date (datetime64[D]) of each instant (datetime64[us, UTC])."""
    microseconds = sold_at.to_numpy(dtype="datetime64[us]").view(np.int64)
    if not len(microseconds):
        return np.empty(0, dtype="datetime64[D]")
    starts, offsets = _offsets(time_zone, int(microseconds.min()), int(microseconds.max()))
    local = microseconds + (
        offsets[0]
        if len(offsets) == 1
        else offsets[np.searchsorted(starts, microseconds, side="right") - 1]
    )
    local -= _cutoff_span(cutoff) // _MICROSECOND
    return (local // _DAY_US).view("datetime64[D]")


def business_date(at: dt.datetime, time_zone: str, cutoff: dt.time) -> dt.date:
    """The business date of one instant (aware)."""
    local = at.astimezone(_zone(time_zone)).replace(tzinfo=None)
    return (local - _cutoff_span(cutoff)).date()


def utc_window(
    first_date: dt.date, last_date: dt.date, time_zone: str, cutoff: dt.time
) -> tuple[dt.datetime, dt.datetime]:
    """The interval [start, end) in UTC that covers every instant of these business dates."""
    zone = _zone(time_zone)
    start = min(_instants(first_date, zone, cutoff))
    end = max(_instants(last_date + _DAY, zone, cutoff))
    return start, end


def last_closed_date(
    now_at: dt.datetime, time_zone: str, cutoff: dt.time, closed_after: dt.timedelta
) -> dt.date:
    """The newest business date that ended at least `closed_after` ago."""
    local = (now_at - closed_after).astimezone(_zone(time_zone)).replace(tzinfo=None)
    candidate = (local - _cutoff_span(cutoff)).date() - _DAY
    # In the repeated hour of an autumn night the date before may still be running.
    _, end = utc_window(candidate, candidate, time_zone, cutoff)
    return candidate if end + closed_after <= now_at else candidate - _DAY


def _cutoff_span(cutoff: dt.time) -> dt.timedelta:
    return dt.timedelta(
        hours=cutoff.hour,
        minutes=cutoff.minute,
        seconds=cutoff.second,
        microseconds=cutoff.microsecond,
    )


def _instants(date: dt.date, zone: ZoneInfo, cutoff: dt.time) -> tuple[dt.datetime, dt.datetime]:
    """Both readings of the wall clock; they differ only where clocks change at the cut-off."""
    wall = dt.datetime.combine(date, cutoff, tzinfo=zone)
    return wall.astimezone(dt.UTC), wall.replace(fold=1).astimezone(dt.UTC)


@lru_cache(maxsize=1024)
def _zone(time_zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            f"'{time_zone}' is not a time zone; use a name such as Asia/Singapore or "
            "America/New_York."
        ) from error


def _offsets(
    time_zone: str, first_us: int, last_us: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Since when (UTC) each offset to local time holds, in microseconds, over the interval."""
    first_year = (_EPOCH + dt.timedelta(microseconds=first_us)).year
    last_year = (_EPOCH + dt.timedelta(microseconds=last_us)).year
    periods = [
        period
        for year in range(first_year, last_year + 1)
        for period in _year_offsets(time_zone, year)
    ]
    starts, offsets = zip(*periods, strict=True)
    return np.array(starts, dtype=np.int64), np.array(offsets, dtype=np.int64)


@lru_cache(maxsize=4096)
def _year_offsets(time_zone: str, year: int) -> tuple[tuple[int, int], ...]:
    """Pairs (start, offset) in microseconds within one UTC year, found by looking at each day."""
    zone = _zone(time_zone)
    day = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
    periods = [(day, _offset(day, zone))]
    while day.year == year:
        following = day + _DAY
        if _offset(following, zone) != periods[-1][1]:
            change = _change_between(day, following, zone)
            periods.append((change, _offset(change, zone)))
        day = following
    return tuple(
        ((start - _EPOCH) // _MICROSECOND, offset // _MICROSECOND)
        for start, offset in periods
        if start.year == year
    )


def _change_between(before: dt.datetime, after: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The first second with the offset of `after`, by halving."""
    offset = _offset(after, zone)
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(middle, zone) == offset:
            after = middle
        else:
            before = middle
    return after


def _offset(at: dt.datetime, zone: ZoneInfo) -> dt.timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
