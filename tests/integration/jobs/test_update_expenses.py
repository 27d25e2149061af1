"""Updates in the sandbox whose outcome was lost: Xero is read before anything is computed."""

from __future__ import annotations

import datetime as dt
import threading
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from expense_place import connected_expenses
from golden_steps import Steps

from daybook.clock import SystemClock
from daybook.errors import UnknownOutcome
from daybook.expenses.problems import ProblemCode
from daybook.jobs import update_expenses
from daybook.jobs.correct_expenses import correct_expenses
from daybook.ledger.organisation_lock import organisation_lock, somebody_waits
from daybook.xero.bank_transactions import update_bank_transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expense_place import ExpensePlace


PAYMENT = {
    "id": "t1",
    "account_id": "acc-sgd",
    "datetime": "2026-03-05T04:00:00Z",
    "amount": -1250,
    "currency_code": "SGD",
    "type": "debit",
    "status": "settled",
    "channel": "card",
    "counterparty_name": "Grab",
    "additional_info": {"spend_category": "Transport"},
}


@pytest.fixture
def place(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExpensePlace]:
    """A synced expense of 12.50; what was sent arrives at once."""
    monkeypatch.setattr(update_expenses, "ARRIVAL_SECONDS", 0)
    with connected_expenses(database_url) as connected:
        connected.world(transaction_count=0)
        connected.pay(**PAYMENT)
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
    said = correct_expenses(place.syncing(), place.organisation, ["aspire-t1"])
    assert "not known yet whether Xero took an earlier update" in said.sentences[0]
    assert 1 == len(place.bank_transactions())
    steps.do("mei", "sync", "t1", "")
    assert Decimal("23.00") == signed_total(place)


def test_killed_update_is_given_time_to_arrive(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long ago it was begun: it may have waited for its turn and left just now."""
    killed_update(place, monkeypatch, "update_bank_transaction")
    place.clock.sleep(60)
    monkeypatch.setattr(update_expenses, "ARRIVAL_SECONDS", 10)
    started_at = place.clock.now()
    Steps(place).do("mei", "sync", "t1", "")
    assert place.clock.now() - started_at >= dt.timedelta(seconds=10)
    assert Decimal("23.00") == signed_total(place)


def edit_in_xero(place: ExpensePlace, amount: str, region: str) -> None:
    """A bookkeeper changes amount or tracking."""
    [there] = place.bank_transactions()
    line = {"Description": "x", "Quantity": 1, "UnitAmount": amount, "AccountCode": "449"}
    line |= {"TaxType": "INPUT2", "Tracking": [{"Name": "Region", "Option": region}]}
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
    place.client.write("POST", "/BankTransactions", body, idempotency_key=f"{amount} {region}")


def regions(place: ExpensePlace) -> list[str]:
    """The tracking options in Xero."""
    [there] = place.bank_transactions()
    return [one["Option"] for line in there["LineItems"] for one in line["Tracking"]]


@pytest.mark.parametrize("is_reconciled", [True, False])
def test_killed_update_that_somebody_changed_in_xero_is_held(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch, *, is_reconciled: bool
) -> None:
    """Neither version is there: both sides are said, and nothing is overwritten."""
    killed_update(place, monkeypatch, "_write")
    edit_in_xero(place, "9.00", "North")
    steps = Steps(place)
    if is_reconciled:
        steps.reconcile("t1", "")
    steps.do("mei", "sync", "t1", "")
    [one] = place.expenses()
    assert "total is 9.00 in Xero and 12.50 in the ledger" in one.problems[0].sentence
    steps.correct("t1", "")
    assert Decimal("9.00") == signed_total(place)


def test_edit_after_a_killed_update_is_not_taken_for_what_was_posted(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """12.50 again as it was posted, but neither version is in Xero: held."""
    killed_update(place, monkeypatch, "_write")
    edit_in_xero(place, "9.00", "North")
    steps = Steps(place)
    steps.change("t1", "amount: 12.50")
    steps.do("mei", "sync", "t1", "")
    [one] = place.expenses()
    assert "total is 9.00 in Xero and 12.50 in the ledger" in one.problems[0].sentence


@pytest.mark.parametrize("is_reconciled", [True, False])
def test_tracking_that_somebody_changed_in_xero_is_held(
    place: ExpensePlace, *, is_reconciled: bool
) -> None:
    """Region South by hand, then a note on the expense: neither overwritten nor corrected."""
    edit_in_xero(place, "12.50", "South")
    steps = Steps(place)
    if is_reconciled:
        steps.reconcile("t1", "")
    steps.set("t1", "note: to the airport; category: Travel")
    steps.do("mei", "sync", "t1", "")
    [one] = place.expenses()
    assert [ProblemCode.DIFFERENT_IN_XERO] == [each.code for each in one.problems]
    said = "account 449 with tax type INPUT2, Region South has 12.50 in Xero and 0.00 in the ledger"
    assert said in one.problems[0].sentence
    assert ["South"] == regions(place)


@pytest.mark.parametrize("gives_in", ["xero", "expense"])
def test_held_update_goes_on_when_both_agree(place: ExpensePlace, gives_in: str) -> None:
    """Either the bookkeeper takes the edit back, or the expense takes it over."""
    edit_in_xero(place, "12.50", "South")
    steps = Steps(place)
    steps.set("t1", "note: to the airport")
    steps.do("mei", "sync", "t1", "")
    if gives_in == "xero":
        edit_in_xero(place, "12.50", "North")
    else:
        steps.set("t1", "tracking: Region=South")
    steps.do("mei", "sync", "t1", "")
    [one] = place.expenses()
    assert (False, ()) == (one.is_updated, one.problems)
    assert ["North" if gives_in == "xero" else "South"] == regions(place)
    [there] = place.bank_transactions()
    assert "to the airport" in there["LineItems"][0]["Description"]


def test_held_edit_is_not_forgotten_when_the_change_is_taken_back(place: ExpensePlace) -> None:
    """12.50 again as it was posted, but Xero holds 20.00 still: held until they agree."""
    edit_in_xero(place, "20.00", "North")
    steps = Steps(place)
    for amount in ("23.00", "12.50"):
        steps.change("t1", f"amount: {amount}")
        steps.do("mei", "sync", "t1", "")
    [one] = place.expenses()
    assert [ProblemCode.DIFFERENT_IN_XERO] == [each.code for each in one.problems]
    edit_in_xero(place, "12.50", "North")
    steps.do("mei", "sync", "t1", "")
    assert () == place.expenses()[0].problems


def test_run_that_waits_goes_between_two_updates(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn is over after the first: the other run goes first, then the rest is updated."""
    steps = Steps(place)
    for key in ("t2", "t3"):
        place.pay(**PAYMENT | {"id": key, "reference": key})
    place.extract()
    for one in place.expenses():
        steps.set(one.expense.id_source, "is_no_double: yes")
    place.sync()
    for one in place.expenses():
        steps.set(one.expense.id_source, "note: seen")
    order: list[str] = []

    def other() -> None:
        with organisation_lock(
            place.engine, place.organisation, wait_seconds=60, clock=SystemClock()
        ):
            order.append("other")

    waiting = threading.Thread(target=other)
    real = update_bank_transaction

    def update(*args: Any, **named: Any) -> object:  # noqa: ANN401 - whatever it takes
        if not order:
            waiting.start()
            with place.engine.connect() as connection:
                while not somebody_waits(connection, place.organisation):
                    time.sleep(0.01)
        order.append("update")
        return real(*args, **named)

    monkeypatch.setattr(update_expenses, "TURN_SECONDS", 0)
    monkeypatch.setattr(update_expenses, "update_bank_transaction", update)
    updated = update_expenses.update_expenses(
        place.engine,
        place.client,
        place.organisation,
        None,
        prefix="DB",
        run_id="test",
        clock=SystemClock(),  # whoever gives way has to do so for a while
    )
    waiting.join()
    assert ["update", "other", "update", "update"] == order
    assert (3, 0, {}) == (updated.updated_count, updated.unchanged_count, updated.problems)
