"""Receipts that a person says are not needed, while a run attaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from expense_place import connected_expenses

from daybook.clock import SystemClock
from daybook.errors import Busy
from daybook.jobs.skip_receipts import skip_receipts
from daybook.ledger.organisation_lock import organisation_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expense_place import ExpensePlace


class HastyClock(SystemClock):
    """Does not wait."""

    def sleep(self, seconds: float) -> None:
        """Come back at once."""


@pytest.fixture
def place(database_url: str) -> Iterator[ExpensePlace]:
    """An expense with a receipt that is on its way."""
    with connected_expenses(database_url) as connected:
        connected.world(transaction_count=0)
        connected.pay(
            id="t1",
            account_id="acc-sgd",
            datetime="2026-03-05T04:00:00Z",
            amount=-1250,
            currency_code="SGD",
            type="debit",
            status="settled",
            channel="card",
        )
        connected.upload("t1", "taxi.txt", b"12.50")
        connected.extract()
        yield connected


def test_skipping_waits_for_a_run_that_attaches(place: ExpensePlace) -> None:
    """What it has in hand is not taken from it; afterwards it is skipped."""
    [one] = place.expenses()
    ids = [one.expense.expense_id]
    clock, places = HastyClock(), [place.organisation]
    with (
        organisation_lock(
            place.engine, place.organisation, wait_seconds=0, clock=clock, work="attaching"
        ),
        pytest.raises(Busy),
    ):
        skip_receipts(place.engine, places, ids, actor="mei", clock=clock)
    assert "not_needed" not in {each.state for each in place.expenses()[0].attachments}
    skip_receipts(place.engine, places, ids, actor="mei", clock=clock)
    assert {"not_needed"} == {each.state for each in place.expenses()[0].attachments}
