"""Tries a source: what a run would read from it, day by day. Writes nothing anywhere."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daybook.errors import InputError
from daybook.jobs.unreadable_days import UnreadableRows
from daybook.money import amount_from_minor
from daybook.posting.control_holds import hold_of
from daybook.sales.business_date import last_closed_date
from daybook.sales.control_totals import control_failures
from daybook.sales.daily_totals import daily_totals
from daybook.sales.frames import joined
from daybook.sales.store import StoreDay
from daybook.sales.window import within
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from daybook.pos.source import ReceiptSource, Reject
    from daybook.posting.holds import Hold
    from daybook.sales.control_totals import ControlFailure
    from daybook.sales.daily_total import DailyTotal
    from daybook.sales.frames import ReceiptBatch
    from daybook.sales.store import Store

_REJECTS_KEPT_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Checked:
    """What the source holds; `rejects` are the first of the rows that cannot be read.

    `held` are the store-days that a run would hold back for them.
    """

    source_name: str
    totals: tuple[DailyTotal, ...] = ()
    failures: tuple[ControlFailure, ...] = ()
    rejects: tuple[Reject, ...] = ()
    reject_count: int = 0
    held: Mapping[StoreDay, Hold] = field(default_factory=dict)
    silent_store_ids: tuple[str, ...] = ()
    missing: tuple[StoreDay, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether every row could be read, every day balances and none is missing."""
        return not self.reject_count and not self.failures and not self.missing


def check_source(
    source: ReceiptSource,
    stores: Sequence[Store],
    first_date: dt.date,
    last_date: dt.date,
    *,
    known_store_ids: Collection[str],
    progress: Callable[[str], None] = lambda _sentence: None,
) -> Checked:
    """Read the stores' receipts of these dates and total them, as a run would.

    All receipts of the dates are in memory at once, some 200 bytes each. `progress` is told how
    far it has come after each page.

    Raises:
        InputError: there are no stores, the dates are the wrong way round, or the source cannot
            be used as it is.
    """
    if not stores:
        raise InputError(
            "There are no stores to check; load them with `daybook stores load`, or name a file "
            "of them with --stores."
        )
    if last_date < first_date:
        raise InputError(
            f"The last date {last_date} is before the first date {first_date}; swap them."
        )
    batches: list[ReceiptBatch] = []
    rejects: list[Reject] = []
    receipt_count = reject_count = 0
    unreadable = UnreadableRows()
    for page in source.receipts(stores, first_date, last_date, known_store_ids=known_store_ids):
        batches.append(within(page.batch, stores, first_date, last_date))
        rejects += page.rejects[: _REJECTS_KEPT_MAX - len(rejects)]
        reject_count += len(page.rejects)
        unreadable.add(page.rejects)
        receipt_count += len(batches[-1].receipts)
        progress(f"{counted(receipt_count, 'receipt')} read")
    progress(f"{counted(receipt_count, 'receipt')} read, summing them up")
    batch = joined(batches)
    totals = daily_totals(batch, stores)
    heard = {total.store_id for total in totals}
    traded = {StoreDay(total.business_date, total.store_id) for total in totals}
    return Checked(
        source_name=source.name,
        totals=tuple(totals),
        failures=tuple(control_failures(batch, stores, totals)),
        rejects=tuple(rejects),
        reject_count=reject_count,
        held=unreadable.holds(stores, first_date, last_date),
        silent_store_ids=tuple(one.store_id for one in stores if one.store_id not in heard),
        missing=tuple(day for day in _expected(stores, first_date, last_date) if day not in traded),
    )


def _expected(stores: Sequence[Store], first: dt.date, last: dt.date) -> list[StoreDay]:
    """The store-days on which there should be sales, by the stores' own [store.expected]."""
    dates = [first + dt.timedelta(days=offset) for offset in range((last - first).days + 1)]
    return [
        StoreDay(date, store.store_id)
        for date in dates
        for store in stores
        if store.expects_sales_on(date)
        and (store.opened_date or date) <= date <= (store.closed_date or date)
    ]


def last_common_date(stores: Sequence[Store], now_at: dt.datetime, after: dt.timedelta) -> dt.date:
    """The newest business date that is over in all the stores."""
    return min(last_closed_date(now_at, one.time_zone, one.cutoff, after) for one in stores)


def day_rows(checked: Checked) -> list[dict[str, str | int]]:
    """One row per business date, store and currency; amounts with the currency's decimals."""
    unbalanced = {
        (one.store_day.business_date, one.store_day.store_id, one.currency)
        for one in checked.failures
    }

    def amount(total: DailyTotal, minor: int) -> str:
        return f"{amount_from_minor(minor, total.currency):f}"

    return [
        {
            "date": one.business_date.isoformat(),
            "store": one.store_id,
            "currency": one.currency,
            "receipts": one.receipt_count,
            "refunds": one.refund_count,
            "voids": one.voided_count,
            "net": amount(one, one.net_minor),
            "tax": amount(one, one.tax_minor),
            "total": amount(one, one.total_minor),
            "tenders": amount(one, one.tender_minor),
            "balanced": "no"
            if (one.business_date, one.store_id, one.currency) in unbalanced
            else "yes",
        }
        for one in checked.totals
    ]


def reject_rows(checked: Checked) -> list[dict[str, str | int]]:
    """One row per reject."""
    return [
        {"file": one.url, "row": one.row_number, "column": one.column, "reason": one.reason}
        for one in checked.rejects
    ]


def imbalances(checked: Checked) -> list[str]:
    """One sentence for every day whose figures disagree, with the receipts that explain it."""
    return [
        f"{one.store_day.business_date} store {one.store_day.store_id}: {hold_of(one).sentence}"
        for one in checked.failures
    ]
