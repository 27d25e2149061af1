"""Runs of expenses and receipts that die before they wrote down what Xero answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from expense_place import connected_expenses

from daybook.jobs import attach, post_round

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expense_place import ExpensePlace

pytestmark = pytest.mark.chaos


@pytest.fixture
def place(database_url: str) -> Iterator[ExpensePlace]:
    """250 expenses with about 300 receipts, unless a test makes another world."""
    with connected_expenses(database_url) as connected:
        connected.world(transaction_count=250)
        yield connected


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
