"""A store: one trading place, with the clock that dates its sales."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TradingDays:
    """When a store trades: on these days of the week (0 is Monday), and some dates differ."""

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    closed_dates: tuple[dt.date, ...] = ()
    open_dates: tuple[dt.date, ...] = ()

    def include(self, date: dt.date) -> bool:
        """Whether the store trades on that date."""
        if date in self.open_dates:
            return True
        return date.weekday() in self.weekdays and date not in self.closed_dates


@dataclass(frozen=True, slots=True)
class Store:
    """One store; `cutoff` is the local time at which its next business date begins.

    Without `expected` nobody knows when it trades, so that no day can be missing.
    """

    store_id: str
    name: str
    time_zone: str
    currency: str
    cutoff: dt.time = dt.time(0, 0)
    opened_date: dt.date | None = None
    closed_date: dt.date | None = None
    expected: TradingDays | None = None

    def expects_sales_on(self, date: dt.date) -> bool:
        """Whether a day without any receipt is a missing day, not a closed one."""
        return self.expected is not None and self.expected.include(date)


@dataclass(frozen=True, slots=True, order=True)
class StoreDay:
    """One store on one business date: what is totalled, planned and posted."""

    business_date: dt.date
    store_id: str
