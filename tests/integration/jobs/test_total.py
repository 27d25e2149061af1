"""From receipts in the ledger to daily totals."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from till import DATE, NOON, SINGAPORE, Receipt, batch, opened_ledger

from daybook.clock import SystemClock
from daybook.jobs import total as module
from daybook.jobs.total import Totalled, total
from daybook.ledger.daily_totals import TotalCounts, read_daily_totals
from daybook.ledger.receipts import write_receipts
from daybook.sales.daily_totals import daily_totals
from daybook.sales.store import Store, StoreDay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Engine

    from daybook.ledger.daily_totals import StoredDailyTotal

DAY = StoreDay(DATE, "S01")
YESTERDAY = StoreDay(DATE - dt.timedelta(days=1), "S01")
TWO_DAYS = [
    Receipt(),
    Receipt("R2", sold_at=NOON - dt.timedelta(days=1), tenders=(("Visa", 1090),)),
    Receipt("R3", currency="USD"),
]


@pytest.fixture
def ledger(database_url: str) -> Iterator[Engine]:
    """A ledger with one store."""
    with opened_ledger(database_url) as engine:
        yield engine


def write(ledger: Engine, receipts: Sequence[Receipt]) -> None:
    """Put the receipts into the ledger."""
    with ledger.begin() as connection:
        write_receipts(connection, batch(receipts), [SINGAPORE], now_at=NOON)


def run(ledger: Engine, days: Sequence[StoreDay], store: Store = SINGAPORE) -> Totalled:
    """Total the store-days."""
    return total(ledger, [store], days, run_id="run", clock=SystemClock())


def test_receipts_become_current_totals(ledger: Engine) -> None:
    """Each store-day says which totals it has now, one per currency."""
    write(ledger, TWO_DAYS)
    totalled = run(ledger, [DAY, YESTERDAY])
    with ledger.connect() as connection:
        stored = read_daily_totals(connection, [DAY, YESTERDAY])
    assert daily_totals(batch(TWO_DAYS), [SINGAPORE]) == [one.total for one in stored]
    ids = [one.daily_total_id for one in stored]
    assert [(YESTERDAY, tuple(ids[:1])), (DAY, tuple(ids[1:]))] == [
        (day.store_day, day.daily_total_ids) for day in totalled.days
    ]
    assert TotalCounts(3, 0, 0, 0) == totalled.counts


def test_totalling_again_changes_nothing(ledger: Engine) -> None:
    """The ids stay the same."""
    write(ledger, TWO_DAYS)
    first, second = run(ledger, [DAY, YESTERDAY]), run(ledger, [DAY, YESTERDAY])
    assert TotalCounts(0, 0, 3, 0) == second.counts
    assert first.days == second.days


def test_a_store_day_without_receipts_has_no_sales(ledger: Engine) -> None:
    """It is listed all the same: a closed day is not a forgotten one."""
    (day,) = run(ledger, [DAY]).days
    assert (DAY, False) == (day.store_day, day.has_sales)


def test_a_day_whose_receipts_moved_away_loses_its_total(ledger: Engine) -> None:
    """A receipt corrected to another date leaves no total behind."""
    write(ledger, [Receipt()])
    run(ledger, [DAY])
    moved = Receipt(sold_at=NOON - dt.timedelta(days=1), updated_at=NOON + dt.timedelta(hours=1))
    write(ledger, [moved])
    totalled = run(ledger, [DAY, YESTERDAY])
    assert TotalCounts(1, 0, 0, 1) == totalled.counts
    assert [True, False] == [day.has_sales for day in totalled.days]


def test_a_day_that_does_not_balance_says_so(ledger: Engine) -> None:
    """The total is stored as it is, beside the receipts that make the difference."""
    write(ledger, [Receipt("short", tenders=(("Cash", 1089),))])
    (failure,) = run(ledger, [DAY]).control_failures
    assert ("balance", 1090, 1089, ("short",)) == (
        failure.control,
        failure.expected,
        failure.found,
        failure.receipt_ids_pos,
    )


def test_small_chunks_give_the_same_totals(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by working in chunks; the books do not show it."""
    write(ledger, TWO_DAYS)
    monkeypatch.setattr(module, "_CHUNK_RECEIPTS", 1)
    run(ledger, [DAY, YESTERDAY])
    with ledger.connect() as connection:
        stored = read_daily_totals(connection, [DAY, YESTERDAY])
    assert daily_totals(batch(TWO_DAYS), [SINGAPORE]) == [one.total for one in stored]


def test_receipts_dated_by_an_old_clock_are_reported(ledger: Engine) -> None:
    """After a change of the cut-off the store has to be extracted again."""
    write(ledger, [Receipt()])
    (failure,) = run(ledger, [DAY], replace(SINGAPORE, cutoff=dt.time(13, 0))).control_failures
    assert ("dates", DAY, 0, 1) == (
        failure.control,
        failure.store_day,
        failure.expected,
        failure.found,
    )


def test_a_total_waits_for_whoever_writes_the_store(ledger: Engine) -> None:
    """Receipts cannot change between being read and their total being stored."""
    write(ledger, [Receipt()])
    with ledger.connect() as other:
        write_receipts(other, batch([Receipt("R2")]), [SINGAPORE], now_at=NOON)
        with ledger.connect() as connection:
            connection.execute(text("SET lock_timeout = '200ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                module._total_chunk(  # noqa: SLF001 - the part that holds the lock
                    connection, [SINGAPORE], [DAY], run_id="run", clock=SystemClock()
                )
        other.commit()
    assert [2] == [one.total.receipt_count for one in _current(ledger)]


def _current(ledger: Engine) -> list[StoredDailyTotal]:
    run(ledger, [DAY])
    with ledger.connect() as connection:
        return read_daily_totals(connection, [DAY])
