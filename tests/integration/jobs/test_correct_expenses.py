"""Correcting entries in the sandbox: once each, whatever becomes of replies and processes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from expense_place import connected_expenses
from golden_steps import Steps

from daybook.jobs import correct_expenses, post_round
from daybook.ledger.expense_corrections import read_corrections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expense_place import ExpensePlace


@pytest.fixture
def place(database_url: str) -> Iterator[ExpensePlace]:
    """A reconciled expense of 12.50 that the card account calls 23.00 now."""
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
            counterparty_name="Grab",
            additional_info={"spend_category": "Transport"},
        )
        for step in (("sync", ""), ("reconcile", ""), ("change", "amount: 23.00"), ("sync", "")):
            Steps(connected).do("mei", step[0], "t1", step[1])
        yield connected


def correct(place: ExpensePlace) -> None:
    """As the command does."""
    Steps(place).correct("t1", "")


def assert_corrected_once(place: ExpensePlace) -> None:
    """The original and one entry of 10.50, and nothing in the way any more."""
    there = {row["Reference"]: Decimal(row["Total"]) for row in place.bank_transactions()}
    assert {
        "DB-EXP-aspire-t1": Decimal("12.50"),
        "DB-EXP-aspire-t1-C1": Decimal("10.50"),
    } == there
    assert 2 == len(place.bank_transactions())
    [one] = place.expenses()
    assert (False, ()) == (one.is_updated, one.problems)


@pytest.mark.parametrize(
    "fault", ["lost_reply", "lost_request", "server_error", "truncated_body", "duplicate_delivery"]
)
def test_entry_of_a_lost_reply_is_looked_up(place: ExpensePlace, fault: str) -> None:
    """Applied or not, the entry is there once."""
    place.fault(match={"method": "PUT", "path": "/BankTransactions"}, nth=1, fault=fault)
    correct(place)
    assert_corrected_once(place)
    correct(place)
    assert_corrected_once(place)


def die(*_: object, **__: object) -> None:
    """End as if the process were killed."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("at", ["sent", "settled"])
def test_entry_of_a_killed_run_is_found_by_the_next(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Killed after Xero had it, or before the ledger said so with the expense."""
    with monkeypatch.context() as patch:
        if at == "sent":
            patch.setattr(post_round, "settle", die)
        else:
            patch.setattr(correct_expenses, "_settle", die)
        with pytest.raises(KeyboardInterrupt):
            correct(place)
    correct(place)
    assert_corrected_once(place)


def test_dry_run_stores_and_posts_nothing(place: ExpensePlace) -> None:
    """The entry is only said."""
    said = correct_expenses.correct_expenses(
        place.syncing(), place.organisation, ["aspire-t1"], dry_run=True
    )
    sentence = (
        "aspire-t1: spend money of 10.50 SGD dated 2026-03-05 on account 449, reference "
        "DB-EXP-aspire-t1-C1."
    )
    assert [sentence] == said.sentences
    assert 1 == len(place.bank_transactions())
    with place.engine.connect() as connection:
        assert {"aspire-t1": []} == read_corrections(connection, ["aspire-t1"])


def test_refused_entry_says_so_and_is_tried_again(place: ExpensePlace) -> None:
    """The account was archived meanwhile: Xero's words stay with the expense until it is in use."""
    books = f"/_sandbox/organisations/{place.organisation.tenant_id_xero}/accounts/449"
    steps = Steps(place)
    steps.do("mei", "change", "t1", "amount: 23.00; category: Software")
    steps.do("mei", "sync", "t1", "")
    place.control.post(f"{books}/archive").raise_for_status()
    correct(place)
    [one] = place.expenses()
    assert "The correcting entry DB-EXP-aspire-t1-C1 is not in Xero" in one.problems[-1].sentence
    place.control.post(f"{books}/restore").raise_for_status()
    correct(place)
    [one] = place.expenses()
    assert () == one.problems
    there = {row["Reference"]: Decimal(row["Total"]) for row in place.bank_transactions()}
    assert [Decimal("12.50"), Decimal("12.50"), Decimal("23.00")] == sorted(there.values())
