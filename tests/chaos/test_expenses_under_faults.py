"""A thousand expenses with their receipts while replies are lost and Xero fails at random."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from expense_check import assert_books
from expense_place import connected_expenses
from memory_watch import watched_memory

from daybook.expenses.backoff import RetryPolicy
from daybook.jobs import attach, post_round

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expense_place import ExpensePlace

pytestmark = pytest.mark.chaos
RECEIPT_COUNT = 1400
MEMORY_BYTES_MAX = 1 << 30
AT_ONCE = RetryPolicy(attempts_max=20, first_wait=dt.timedelta(0))


@pytest.fixture
def place(database_url: str) -> Iterator[ExpensePlace]:
    """250 expenses with about 300 receipts, unless a test makes another world."""
    with connected_expenses(database_url) as connected:
        connected.world(transaction_count=250)
        yield connected


@pytest.mark.timeout(1800)
def test_a_thousand_expenses_arrive_once_with_every_receipt_that_can(place: ExpensePlace) -> None:
    """1,000 expenses, 1,400 receipts: 10 % over 3 MB, 2 % with more than ten, 3 % broken."""
    world = place.world(
        transaction_count=1000,
        receipt_share=0.95,
        second_receipt_share=0.33,
        large_share=0.1,
        broken_share=0.03,
        many_share=0.02,
    )
    assert abs(len(world["receipts"]) - RECEIPT_COUNT) < RECEIPT_COUNT / 20
    with watched_memory() as peak:
        place.extract()
        for path, probability in (("/BankTransactions", 0.1), ("*/Attachments/*", 0.02)):
            for fault in ("lost_reply", "lost_request", "server_error"):
                match = {"method": "PUT", "path": path}
                place.fault(match=match, probability=probability, fault=fault)
        place.sync()
        for _ in range(3):
            place.attach(AT_ONCE)
    arrived = assert_books(place, world)
    assert 1000 == arrived.document_count
    assert 0 < arrived.given_up_count < RECEIPT_COUNT / 20
    # The sandbox, which keeps every file, is part of this process.
    assert peak.byte_count < MEMORY_BYTES_MAX


def die(*_: object, **__: object) -> None:
    """End as if the process were killed before it could write down what Xero answered."""
    raise KeyboardInterrupt


def test_run_that_dies_before_it_noted_the_outcome_doubles_nothing(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent is found in Xero by the next run, and the rest is sent."""
    place.extract()
    with monkeypatch.context() as patch:
        patch.setattr(post_round, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            place.sync()
    sent = len(place.bank_transactions())
    assert sent > 0
    assert f"{sent} found in Xero" in place.sync()
    rows = place.bank_transactions()
    assert 250 == len(rows) == len({row["Reference"] for row in rows})


def test_upload_whose_run_died_is_not_sent_again(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run sees in Xero what arrived, and uploads only what did not."""
    world = place.world(transaction_count=8, receipt_share=1, refund_share=0)
    place.extract()
    place.sync()
    with monkeypatch.context() as patch:
        patch.setattr(attach, "write_outcomes", die)
        with pytest.raises(KeyboardInterrupt):
            place.attach()
    assert place.requests("PUT", "/Attachments/") > 0
    place.attach()
    assert len(world["receipts"]) == place.requests("PUT", "/Attachments/")
