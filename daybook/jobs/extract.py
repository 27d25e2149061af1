"""Reads a source's receipts into the ledger; run again, it changes nothing."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from daybook.errors import InputError
from daybook.jobs.unreadable_days import UnreadableRows, place_of
from daybook.ledger.receipts import ReceiptCounts, WholeDays, write_receipts
from daybook.ledger.rejects import RejectRow, write_rejects
from daybook.ledger.store_days import unreadable_store_days
from daybook.ledger.stores import read_stores
from daybook.pos.source import Reach, Reject
from daybook.sales.business_date import utc_window
from daybook.sales.window import store_days_of, within
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Engine

    from daybook.clock import Clock
    from daybook.ledger.receipts import LeftDay
    from daybook.pos.source import Page, ReceiptSource
    from daybook.posting.holds import Hold
    from daybook.sales.store import Store, StoreDay

_REJECTS_SHOWN_MAX: Final = 20
_INSTANT: Final = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Extracted:
    """What an extract came to; `rejects` are the first of the rows that could not be read.

    `held` are the store-days that may lack a receipt for it.
    """

    receipts: ReceiptCounts
    line_count: int = 0
    page_count: int = 0
    reject_count: int = 0
    new_reject_count: int = 0
    rejects: tuple[RejectRow, ...] = ()
    held: Mapping[StoreDay, Hold] = field(default_factory=dict)

    def __add__(self, other: Extracted) -> Extracted:
        """Both together."""
        return Extracted(
            self.receipts + other.receipts,
            self.line_count + other.line_count,
            self.page_count + other.page_count,
            self.reject_count + other.reject_count,
            self.new_reject_count + other.new_reject_count,
            (self.rejects + other.rejects)[:_REJECTS_SHOWN_MAX],
            {**self.held, **other.held},
        )

    @property
    def sentences(self) -> list[str]:
        """One sentence for each row that could not be read, and one for those not shown."""
        shown = [f"{place_of(one)}: {one.reason}" for one in self.rejects]
        more = self.reject_count - len(shown)
        return [*shown, *([f"{counted(more, 'more row')} could not be read."] if more > 0 else [])]

    def __str__(self) -> str:
        """For the log."""
        superseded = self.receipts.superseded_count
        return (
            f"{counted(self.receipts.new_count, 'receipt')} new, "
            f"{self.receipts.changed_count} changed, {self.receipts.unchanged_count} unchanged"
            f"{f', {superseded} superseded' if superseded else ''}; "
            f"{counted(self.reject_count, 'row')} rejected"
        )


def extract(  # noqa: PLR0913 - from where, into what, which and when, for whom
    source: ReceiptSource,
    engine: Engine,
    stores: Sequence[Store],
    first_date: dt.date,
    last_date: dt.date,
    *,
    run_id: str | None,
    clock: Clock,
) -> Extracted:
    """Read the stores' receipts of these business dates, one transaction per page.

    Raises:
        InputError: the dates are the wrong way round, or the source cannot be used as it is.
    """
    if last_date < first_date:
        raise InputError(
            f"The last date {last_date} is before the first date {first_date}; swap them."
        )
    extracted = Extracted(ReceiptCounts(0, 0, 0))
    if not stores:
        return extracted
    with engine.connect() as connection:
        known_store_ids = frozenset(read_stores(connection))
        ids = [store.store_id for store in stores]
        unheard = unreadable_store_days(connection, ids, first_date, last_date)
    pages = source.receipts(stores, first_date, last_date, known_store_ids=known_store_ids)
    unreadable = UnreadableRows()
    for page in _one_ahead(pages):
        unreadable.add(page.rejects)
        batch = within(page.batch, stores, first_date, last_date)
        for day in store_days_of(batch, stores) if unheard else ():
            unheard.pop(day, None)
        whole = WholeDays(page.origin, page.whole_days, page.kept_days, page.stand_in)
        now_at = clock.now()
        with engine.begin() as connection:
            counts = write_receipts(connection, batch, stores, now_at=now_at, whole=whole)
            left = [_left(source, stores, one) for one in counts.left]
            unreadable.add(left)
            rejects = [
                RejectRow(r.url, r.row_number, r.column, r.reason) for r in (*page.rejects, *left)
            ]
            new_reject_count = write_rejects(connection, rejects, run_id=run_id, now_at=now_at)
        extracted += Extracted(
            receipts=counts,
            line_count=len(batch.lines),
            page_count=1,
            reject_count=len(rejects),
            new_reject_count=new_reject_count,
            rejects=tuple(rejects),
        )
    # A source that has nothing of such a day any more has not mended it either.
    held = {**unheard, **unreadable.holds(stores, first_date, last_date)}
    return replace(extracted, held=held)


def _left(source: ReceiptSource, stores: Sequence[Store], left: LeftDay) -> Reject:
    """A day that stays as the ledger has it: a reject that holds it."""
    date, store_id = left.store_day.business_date, left.store_day.store_id
    store = next(one for one in stores if one.store_id == store_id)
    start_at, end_at = utc_window(date, date, store.time_zone, store.cutoff)
    said = (
        f"Of store {store_id} on {date.isoformat()}: {left.sentence} Export the day again without "
        "a filter; if the receipts are gone indeed, put the day's report beside it. The day waits."
    )
    reach = Reach(frozenset([store_id]), start_at, end_at - _INSTANT)
    return Reject(source.name, 0, "", said, reach)


def _one_ahead(pages: Iterator[Page]) -> Iterator[Page]:
    """The pages, of which the next is read while the ledger writes the one before."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="page") as pool:
        coming = pool.submit(next, pages, None)
        while (page := coming.result()) is not None:
            coming = pool.submit(next, pages, None)
            yield page
