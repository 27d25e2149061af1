"""Adds the ledger's receipts up to daily totals and checks them; run again, it changes nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.ledger.daily_totals import TotalCounts, read_daily_totals, write_daily_totals
from daybook.ledger.receipts import lock_stores, read_receipts, receipt_counts
from daybook.sales.control_totals import ControlFailure, control_failures
from daybook.sales.daily_totals import daily_totals
from daybook.sales.store import StoreDay
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock
    from daybook.sales.daily_total import DailyTotal
    from daybook.sales.store import Store

_CHUNK_RECEIPTS: Final = 50_000


@dataclass(frozen=True, slots=True)
class TotalledDay:
    """One store-day: its current totals in the ledger, one per currency, and what is wrong."""

    store_day: StoreDay
    daily_total_ids: tuple[int, ...]
    control_failures: tuple[ControlFailure, ...]

    @property
    def has_sales(self) -> bool:
        """Whether there is any receipt, if only a voided one."""
        return bool(self.daily_total_ids)


@dataclass(frozen=True, slots=True)
class Totalled:
    """What totalling came to, by store-day."""

    counts: TotalCounts
    receipt_count: int
    days: tuple[TotalledDay, ...]

    def __add__(self, other: Totalled) -> Totalled:
        """Both together."""
        return Totalled(
            self.counts + other.counts,
            self.receipt_count + other.receipt_count,
            self.days + other.days,
        )

    @property
    def control_failures(self) -> tuple[ControlFailure, ...]:
        """Every control total that does not agree."""
        return tuple(failure for day in self.days for failure in day.control_failures)

    def __str__(self) -> str:
        """For the log."""
        differ = counted(
            len(self.control_failures), "control total differs", "control totals differ"
        )
        return (
            f"{counted(len(self.days), 'store-day')} with "
            f"{counted(self.receipt_count, 'receipt')}: "
            f"{counted(self.counts.new_count, 'total')} new, {self.counts.changed_count} changed, "
            f"{self.counts.unchanged_count} unchanged, {self.counts.vanished_count} vanished; "
            f"{differ}"
        )


def total(
    engine: Engine,
    stores: Sequence[Store],
    store_days: Collection[StoreDay],
    *,
    run_id: str | None,
    clock: Clock,
) -> Totalled:
    """Total these store-days from the ledger's receipts, in chunks of bounded size.

    Each chunk is one transaction that holds its stores, so the receipts cannot change between
    being read and their totals being stored.
    """
    totalled = Totalled(TotalCounts(0, 0, 0, 0), 0, ())
    with engine.connect() as connection:
        counted = receipt_counts(connection, store_days)
    for chunk in _chunks(sorted(store_days), counted):
        with engine.begin() as connection:
            totalled += _total_chunk(connection, stores, chunk, run_id=run_id, clock=clock)
    return totalled


def _total_chunk(
    connection: Connection,
    stores: Sequence[Store],
    chunk: Sequence[StoreDay],
    *,
    run_id: str | None,
    clock: Clock,
) -> Totalled:
    lock_stores(connection, {day.store_id for day in chunk})
    batch = read_receipts(connection, chunk)
    everything = daily_totals(batch, stores)
    failures: dict[StoreDay, list[ControlFailure]] = defaultdict(list)
    for failure in control_failures(batch, stores, everything):
        failures[failure.store_day].append(failure)
    wanted = set(chunk)
    strays = [one for one in everything if _day(one) not in wanted]
    for failure in _redated(strays, chunk):
        failures[failure.store_day].append(failure)
    totals = [one for one in everything if _day(one) in wanted]
    counts = write_daily_totals(connection, totals, chunk, run_id=run_id, now_at=clock.now())
    ids: dict[StoreDay, list[int]] = defaultdict(list)
    for stored in read_daily_totals(connection, chunk):
        ids[stored.store_day].append(stored.daily_total_id)
    days = tuple(TotalledDay(day, tuple(ids[day]), tuple(failures[day])) for day in chunk)
    return Totalled(counts, len(batch.receipts), days)


def _day(one: DailyTotal) -> StoreDay:
    return StoreDay(one.business_date, one.store_id)


def _redated(strays: Sequence[DailyTotal], chunk: Sequence[StoreDay]) -> Iterator[ControlFailure]:
    """Receipts stored under a date that the store's clock no longer gives them.

    The clock of the store was changed after they were extracted: another extract puts it right.
    """
    for stray in strays:
        receipt_count = stray.receipt_count + stray.voided_count
        for day in chunk:
            if day.store_id == stray.store_id:
                yield ControlFailure(day, stray.currency, "dates", expected=0, found=receipt_count)


def _chunks(
    store_days: Sequence[StoreDay], counted: Mapping[StoreDay, int]
) -> Iterator[list[StoreDay]]:
    """Store-days in order, as many at a time as have a bounded number of receipts."""
    chunk: list[StoreDay] = []
    receipt_count = 0
    for day in store_days:
        count = counted.get(day, 0)
        if chunk and receipt_count + count > _CHUNK_RECEIPTS:
            yield chunk
            chunk, receipt_count = [], 0
        chunk.append(day)
        receipt_count += count
    if chunk:
        yield chunk
