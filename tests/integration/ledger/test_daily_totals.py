"""Versions of daily totals in the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from till import DATE, NOON, SINGAPORE, Receipt, batch, opened_ledger

from daybook.ledger.daily_totals import TotalCounts, read_daily_totals, write_daily_totals
from daybook.sales.daily_totals import daily_totals
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Engine

    from daybook.sales.daily_total import DailyTotal

DAY = StoreDay(DATE, "S01")
(TOTAL,) = daily_totals(batch([Receipt()]), [SINGAPORE])
CHANGED = replace(TOTAL, voided_count=1)
DOLLARS = replace(TOTAL, currency="USD")


@pytest.fixture
def ledger(database_url: str) -> Iterator[Engine]:
    """A ledger with one store."""
    with opened_ledger(database_url) as engine:
        yield engine


def write(ledger: Engine, totals: Sequence[DailyTotal]) -> TotalCounts:
    """Make these the store-day's totals."""
    with ledger.begin() as connection:
        return write_daily_totals(connection, totals, [DAY], run_id="run", now_at=NOON)


def current(ledger: Engine) -> list[tuple[int, DailyTotal]]:
    """Revision and figures of what is current."""
    with ledger.connect() as connection:
        return [(one.revision, one.total) for one in read_daily_totals(connection, [DAY])]


def test_a_total_is_stored_and_read(ledger: Engine) -> None:
    """The first version of each currency is revision 1."""
    assert TotalCounts(2, 0, 0, 0) == write(ledger, [DOLLARS, TOTAL])
    assert [(1, TOTAL), (1, DOLLARS)] == current(ledger)


def test_the_same_total_again_writes_nothing(ledger: Engine) -> None:
    """The id that documents point at stays."""
    write(ledger, [TOTAL])
    with ledger.connect() as connection:
        (before,) = read_daily_totals(connection, [DAY])
    assert TotalCounts(0, 0, 1, 0) == write(ledger, [TOTAL])
    with ledger.connect() as connection:
        assert [before] == read_daily_totals(connection, [DAY])


def test_a_changed_total_is_a_new_revision_beside_the_old(ledger: Engine) -> None:
    """Every version is kept, one is current."""
    write(ledger, [TOTAL])
    assert TotalCounts(0, 1, 0, 0) == write(ledger, [CHANGED])
    assert [(2, CHANGED)] == current(ledger)
    with ledger.connect() as connection:
        assert 2 == connection.scalar(text("SELECT count(*) FROM daily_totals"))


def test_a_day_whose_receipts_are_gone_has_no_current_total(ledger: Engine) -> None:
    """The currency that vanished is demoted; coming back, it is counted on."""
    write(ledger, [TOTAL, DOLLARS])
    assert TotalCounts(0, 0, 1, 1) == write(ledger, [TOTAL])
    assert TotalCounts(0, 0, 0, 1) == write(ledger, [])
    assert [] == current(ledger)
    assert TotalCounts(0, 1, 0, 0) == write(ledger, [TOTAL])
    assert [(2, TOTAL)] == current(ledger)


def test_other_days_are_left_alone(ledger: Engine) -> None:
    """Only the store-days of the call can lose their total."""
    write(ledger, [TOTAL])
    with ledger.begin() as connection:
        write_daily_totals(connection, [], [replace(DAY, store_id="S02")], run_id=None, now_at=NOON)
    assert [(1, TOTAL)] == current(ledger)


def test_a_total_of_a_day_not_asked_for_breaks_the_program(ledger: Engine) -> None:
    """It would be stored without the day's other currencies being looked at."""
    with pytest.raises(AssertionError), ledger.begin() as connection:
        write_daily_totals(connection, [TOTAL], [], run_id=None, now_at=NOON)


def test_two_current_totals_of_a_day_cannot_be_stored(ledger: Engine) -> None:
    """The database itself refuses a second current total."""
    write(ledger, [TOTAL])
    write(ledger, [CHANGED])
    with pytest.raises(Exception, match="uq_daily_totals_current"), ledger.begin() as connection:
        connection.execute(text("UPDATE daily_totals SET is_current = true"))
