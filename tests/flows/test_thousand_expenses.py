"""A thousand expenses with their receipts through the flows, while Xero fails at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from expense_check import assert_books
from hurried_clock import HurriedClock
from memory_watch import watched_memory
from sqlalchemy import text
from wired_expenses import recent_world, wired_expenses

from daybook import wiring
from flows.attachments import attachments
from flows.expenses import expenses

if TYPE_CHECKING:
    from pathlib import Path

    from expense_place import ExpensePlace

pytestmark = [pytest.mark.prefect, pytest.mark.chaos, pytest.mark.xdist_group("flows")]
RECEIPT_COUNT = 1400
MEMORY_BYTES_MAX = 1 << 30
HOURS_MAX = 48


def waiting_count(place: ExpensePlace) -> int:
    """How many receipts are still to be attached, or to be given up."""
    with place.engine.connect() as connection:
        query = (
            "SELECT count(*) FROM expense_attachments WHERE state NOT IN ('uploaded', 'given_up')"
        )
        count: int = connection.execute(text(query)).scalar_one()
    return count


@pytest.mark.timeout(1800)
def test_a_thousand_expenses_arrive_once_with_every_receipt_that_can(
    prefect_server: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 expenses, 1,400 receipts: 10 % over 3 MB, 2 % with more than ten, 3 % broken.

    One run of the expenses flow, then the hourly one until nothing is due; waits are hurried.
    """
    assert prefect_server
    clock = HurriedClock()
    with wired_expenses(database_url, tmp_path / "home", clock) as (place, wired):
        monkeypatch.setattr(wiring, "shared", lambda: wired)
        world = recent_world(
            place,
            transaction_count=1000,
            receipt_share=0.95,
            second_receipt_share=0.33,
            large_share=0.1,
            broken_share=0.03,
            many_share=0.02,
        )
        assert abs(len(world["receipts"]) - RECEIPT_COUNT) < RECEIPT_COUNT / 20
        for path, probability in (("/BankTransactions", 0.1), ("*/Attachments/*", 0.02)):
            for fault in ("lost_reply", "lost_request", "server_error"):
                match = {"method": "PUT", "path": path}
                place.fault(match=match, probability=probability, fault=fault)
        with watched_memory() as peak:
            # It fails, since broken receipts want a person.
            assert expenses(auto=True, return_state=True).is_failed()
            for _ in range(HOURS_MAX):
                if not waiting_count(place):
                    break
                clock.sleep(3600)
                assert attachments(return_state=True).is_completed()
        arrived = assert_books(place, world)
    assert 1000 == arrived.document_count
    assert 0 < arrived.given_up_count < RECEIPT_COUNT / 20
    # The sandbox, which keeps every file, and Prefect's server are part of it.
    assert peak.byte_count < MEMORY_BYTES_MAX
