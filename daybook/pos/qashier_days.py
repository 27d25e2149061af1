"""What Qashier's files say about one store on one day, and what of it is taken over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.pos.qashier_balance import imbalances, report_receipt
from daybook.pos.qashier_receipt import DayReceipts
from daybook.pos.source import Reject
from daybook.sales.business_date import utc_window

if TYPE_CHECKING:
    from daybook.pos.qashier_report import Figures
    from daybook.sales.store import Store, StoreDay


@dataclass(frozen=True, slots=True)
class Version:
    """What a file says about a store-day: a report's figures, or why it cannot be taken over."""

    url: str
    written_at: dt.datetime | None
    figures: Figures | None = None
    problems: tuple[Reject, ...] = ()


def day_receipts(day: StoreDay, store: Store, version: Version) -> DayReceipts | tuple[Reject, ...]:
    """The day's receipts, or the reasons why there are none; never a part of them."""
    if version.problems or version.figures is None:
        return version.problems
    found = imbalances(version.figures, store.currency)
    if found:
        return tuple(Reject(version.url, o.row_number, o.column, o.sentence) for o in found)
    receipt = report_receipt(version.figures, day.business_date, store.time_zone)
    return DayReceipts(store, version.written_at or _end(day, store), (receipt,))


def too_early(day: StoreDay, store: Store, written_at: dt.datetime | None) -> str | None:
    """Why a file that was written before the day was over cannot tell of it, if it was."""
    if written_at is None or written_at >= _end(day, store):
        return None
    return (
        f"The file was written before {day.business_date.isoformat()} was over in {store.name}, "
        "so sales may be missing in it. Export the day again, or, if the store had closed by then, "
        "allow early files."
    )


def cut_off_refused(store: Store) -> str | None:
    """Why this store cannot be read from files of whole calendar days, if it cannot."""
    if store.cutoff == dt.time(0, 0):
        return None
    return (
        f"Store {store.name} begins its day at {store.cutoff.isoformat('minutes')}, but Qashier's "
        "files hold days from midnight to midnight, so its day cannot be made from them. Set its "
        "cutoff to 00:00, or read its receipts from another source."
    )


def _end(day: StoreDay, store: Store) -> dt.datetime:
    return utc_window(day.business_date, day.business_date, store.time_zone, store.cutoff)[1]
