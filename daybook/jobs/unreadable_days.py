"""Which store-days lack receipts that could not be read: they are held back, with the reason."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daybook.posting.holds import Hold, HoldCode
from daybook.sales.business_date import business_date, utc_window
from daybook.sales.store import StoreDay
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from daybook.ledger.rejects import RejectRow
    from daybook.pos.source import Reach, Reject
    from daybook.sales.store import Store

_NAMED_MAX: Final = 3
_DAY: Final = dt.timedelta(days=1)
_INSTANT: Final = dt.timedelta(microseconds=1)


@dataclass(slots=True)
class _Rows:
    """How many rows have one reach, and what the first of them say."""

    count: int = 0
    said: list[Reject] = field(default_factory=list)


@dataclass(slots=True)
class UnreadableRows:
    """Rejects as they come in, by their reach; memory holds the first few of each."""

    _by_reach: defaultdict[Reach, _Rows] = field(default_factory=lambda: defaultdict(_Rows))

    def add(self, rejects: Iterable[Reject]) -> None:
        """Take note of these."""
        for reject in rejects:
            rows = self._by_reach[reject.reach]
            rows.count += 1
            if len(rows.said) < _NAMED_MAX:
                rows.said.append(reject)

    def holds(
        self, stores: Sequence[Store], first_date: dt.date, last_date: dt.date
    ) -> Mapping[StoreDay, Hold]:
        """The store-days of the window that may lack a receipt, each with the rows it may lack."""
        held: defaultdict[StoreDay, _Rows] = defaultdict(_Rows)
        exact: set[StoreDay] = set()
        for reach, rows in self._by_reach.items():
            days = list(_store_days(reach, stores, first_date, last_date))
            for day in days:
                held[day].count += rows.count
                held[day].said += rows.said[: _NAMED_MAX - len(held[day].said)]
            if len(days) == 1 and reach.first_at is not None:
                exact.update(days)
        return {day: _hold(rows, is_certain=day in exact) for day, rows in sorted(held.items())}


def place_of(reject: Reject | RejectRow) -> str:
    """Where it stands, as a sentence says it."""
    row = f" row {reject.row_number}" if reject.row_number else ""
    column = f", {reject.column}" if reject.column else ""
    return f"{reject.url}{row}{column}"


def _store_days(
    reach: Reach, stores: Sequence[Store], first_date: dt.date, last_date: dt.date
) -> Iterator[StoreDay]:
    for store in stores:
        if reach.store_ids is not None and store.store_id not in reach.store_ids:
            continue
        start, end = utc_window(first_date, last_date, store.time_zone, store.cutoff)
        first_at = max(start, reach.first_at or start)
        last_at = min(end - _INSTANT, reach.last_at or end)
        if first_at > last_at:
            continue
        date = max(first_date, business_date(first_at, store.time_zone, store.cutoff))
        last = min(last_date, business_date(last_at, store.time_zone, store.cutoff))
        while date <= last:
            yield StoreDay(date, store.store_id)
            date += _DAY


def _hold(rows: _Rows, *, is_certain: bool) -> Hold:
    whose = "of this day" if is_certain else "that may be of this day"
    what = f"{counted(rows.count, 'row')} {whose}" if rows.count > 1 else f"A row {whose}"
    named = "; ".join(f"{place_of(one)}: {one.reason.rstrip('.')}" for one in rows.said)
    more = rows.count - len(rows.said)
    return Hold(
        HoldCode.UNREADABLE,
        place_of(rows.said[0]),
        f"{what} could not be read, so receipts are missing: {named}"
        f"{f'; and {more} more' if more else ''}. Correct the source; the next run then posts "
        "the day.",
    )
