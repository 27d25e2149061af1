"""Updates in the sandbox whose outcome was lost: Xero is read before anything is computed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from expense_place import connected_expenses
from golden_steps import Steps

from daybook.errors import UnknownOutcome
from daybook.jobs import update_expenses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expense_place import ExpensePlace


@pytest.fixture
def place(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExpensePlace]:
    """A synced expense of 12.50; what was sent arrives at once."""
    monkeypatch.setattr(update_expenses, "ARRIVAL_SECONDS", 0)
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
        Steps(connected).do("mei", "sync", "t1", "")
        yield connected


def die(*_: object, **__: object) -> None:
    """End as if the process were killed."""
    raise KeyboardInterrupt


def killed_update(place: ExpensePlace, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """23.00 now; the process ends before the update is sent, or after Xero took it."""
    steps = Steps(place)
    steps.change("t1", "amount: 23.00")
    with monkeypatch.context() as patch:
        patch.setattr(update_expenses, at, die)
        with pytest.raises(KeyboardInterrupt):
            steps.do("mei", "sync", "t1", "")
    assert place.expenses()[0].is_updating


def signed_total(place: ExpensePlace) -> Decimal:
    """Money out less money in, of everything in Xero."""
    return sum(
        (
            Decimal(row["Total"]) * (1 if row["Type"] == "SPEND" else -1)
            for row in place.bank_transactions()
        ),
        Decimal(),
    )


AT = pytest.mark.parametrize("at", ["update_bank_transaction", "_write"])


@AT
def test_change_that_is_taken_back_after_a_killed_update(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """12.50 again: Xero comes to that, whether it had taken the 23.00 or not."""
    killed_update(place, monkeypatch, at)
    steps = Steps(place)
    steps.change("t1", "amount: 12.50")
    steps.do("mei", "sync", "t1", "")
    assert Decimal("12.50") == signed_total(place)
    [one] = place.expenses()
    assert (False, False, ()) == (one.is_updating, one.is_updated, one.problems)


@AT
def test_killed_update_that_was_reconciled_meanwhile(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The difference is computed from what Xero holds, so that all comes to 23.00."""
    killed_update(place, monkeypatch, at)
    steps = Steps(place)
    steps.reconcile("t1", "")
    steps.do("mei", "sync", "t1", "")
    steps.correct("t1", "")
    assert Decimal("23.00") == signed_total(place)
    [one] = place.expenses()
    assert (False, False, ()) == (one.is_updating, one.is_updated, one.problems)


def test_update_without_any_answer_is_looked_up_by_the_next_run(place: ExpensePlace) -> None:
    """Every reply was lost and it was reconciled then: nothing is missing, no entry is offered."""
    steps = Steps(place)
    steps.change("t1", "amount: 23.00")
    place.fault(match={"method": "POST", "path": "/BankTransactions"}, every=1, fault="lost_reply")
    with pytest.raises(UnknownOutcome):
        steps.do("mei", "sync", "t1", "")
    place.control.delete("/_sandbox/faults").raise_for_status()
    steps.reconcile("t1", "")
    steps.do("mei", "sync", "t1", "")
    steps.correct("t1", "")
    assert 1 == len(place.bank_transactions())
    assert Decimal("23.00") == signed_total(place)
    assert () == place.expenses()[0].problems


def test_no_correction_while_an_update_is_unsettled(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was reconciled and released before: correcting waits until a sync has looked it up."""
    steps = Steps(place)
    steps.change("t1", "amount: 20.00")
    steps.reconcile("t1", "")
    steps.do("mei", "sync", "t1", "")
    steps.unreconcile("t1", "")
    killed_update(place, monkeypatch, "_write")
    steps.correct("t1", "")
    assert 1 == len(place.bank_transactions())
    steps.do("mei", "sync", "t1", "")
    assert Decimal("23.00") == signed_total(place)


def test_killed_update_that_somebody_changed_in_xero_is_held(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither version is there and it is reconciled: both sides are said."""
    killed_update(place, monkeypatch, "_write")
    [there] = place.bank_transactions()
    line = {"Description": "x", "Quantity": 1, "UnitAmount": "9.00", "AccountCode": "449"}
    body = {
        "BankTransactionID": there["BankTransactionID"],
        "Type": "SPEND",
        "Contact": {"ContactID": there["Contact"]["ContactID"]},
        "BankAccount": {"Code": "092"},
        "Date": "2026-03-05",
        "Reference": there["Reference"],
        "LineAmountTypes": "Inclusive",
        "LineItems": [line],
    }
    place.client.write("POST", "/BankTransactions", body, idempotency_key="edit")
    steps = Steps(place)
    steps.reconcile("t1", "")
    steps.do("mei", "sync", "t1", "")
    [one] = place.expenses()
    assert "total is 9.00 in Xero and 12.50 in the ledger" in one.problems[0].sentence
    steps.correct("t1", "")
    assert Decimal("9.00") == signed_total(place)
