"""Expenses into the sandbox: once, to the cent, with receipts, whatever becomes of replies."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from expense_place import MAPPING, connected_expenses
from sqlalchemy import text

from daybook.clock import SystemClock
from daybook.errors import InputError
from daybook.expenses.backoff import RetryPolicy
from daybook.expenses.problems import ProblemCode
from daybook.expenses.states import ExpenseState, Stage
from daybook.jobs.load_expense_mapping import load_expense_mapping
from daybook.jobs.review_expenses import Reviewer, change_expenses, move_expenses
from daybook.ledger.expenses import read_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expense_place import ExpensePlace

    from daybook.ledger.expenses import LedgerExpense


@pytest.fixture
def place(database_url: str) -> Iterator[ExpensePlace]:
    """An organisation and an Aspire of the test's own."""
    with connected_expenses(database_url) as connected:
        yield connected


def transaction(number: int, **changes: object) -> dict[str, object]:
    """A card payment of 12.50 at Grab."""
    return {
        "id": f"t{number}",
        "account_id": "acc-sgd",
        "datetime": f"2026-03-{number:02}T04:00:00Z",
        "amount": -1250,
        "currency_code": "SGD",
        "type": "debit",
        "status": "settled",
        "channel": "card",
        "reference": f"CARD {number}",
        "counterparty_name": "Grab",
        "additional_info": {"spend_category": "Transport", "card_number": "•••• 4417"},
        **changes,
    }


def paid(place: ExpensePlace, **changes: object) -> LedgerExpense:
    """One payment, extracted."""
    place.world(transaction_count=0)
    place.pay(**transaction(5, **changes))
    place.extract()
    return place.expenses()[0]


def codes_of(place: ExpensePlace) -> list[ProblemCode]:
    """What stands in the way of the first expense."""
    return [one.code for one in place.expenses()[0].problems]


def assert_once(place: ExpensePlace) -> None:
    """Every expense is in Xero once, with its own amount."""
    rows = place.bank_transactions()
    there = {row["Reference"]: Decimal(row["Total"]) for row in rows}
    wanted = {
        f"DB-EXP-{one.expense.expense_id}": Decimal(abs(one.expense.amount_minor)) / 100
        for one in place.expenses()
    }
    assert wanted == there
    assert len(wanted) == len(rows)
    assert {Stage.SYNCED} == {one.stage for one in place.expenses()}


def test_expenses_become_spend_money_with_their_receipts(place: ExpensePlace) -> None:
    """120 card payments are posted, refunds as money received, and each receipt attached once."""
    world = place.world(transaction_count=120)
    extracted = place.extract()
    assert (120, 120, 0) == (extracted.expense_count, extracted.new_count, extracted.changed_count)
    place.sync()
    assert_once(place)
    kinds = Counter(row["Type"] for row in place.bank_transactions())
    assert 120 == kinds["SPEND"] + kinds["RECEIVE"]
    assert 0 < kinds["RECEIVE"] < 20
    attached = place.attach()
    assert len(world["receipts"]) == attached.uploaded_count
    assert len(world["receipts"]) == place.requests("PUT", "/Attachments/")
    states = {one.state for one in place.expenses()}
    assert {ExpenseState.SYNCED, ExpenseState.ATTACHMENT_MISSING} == states


def test_second_run_writes_nothing(place: ExpensePlace) -> None:
    """Extracting, syncing and attaching again changes nothing anywhere."""
    place.world(transaction_count=30)
    place.extract()
    place.sync()
    place.attach()
    before = place.requests("PUT", "")
    again = place.extract()
    assert (0, 0) == (again.new_count, again.changed_count)
    place.sync(with_updates=True)
    place.attach()
    assert before == place.requests("PUT", "")
    assert_once(place)


@pytest.mark.parametrize(
    "fault", ["lost_reply", "lost_request", "truncated_body", "reset_mid_body", "server_error"]
)
@pytest.mark.parametrize("path", ["/BankTransactions", "/Contacts"])
def test_lost_reply_is_looked_up_not_sent_again(place: ExpensePlace, path: str, fault: str) -> None:
    """Applied or not, after any broken reply every expense is in Xero once."""
    place.world(transaction_count=60)
    place.extract()
    place.fault(match={"method": "PUT", "path": path}, nth=1, fault=fault)
    place.sync()
    assert_once(place)


def test_expenses_of_a_lost_ledger_are_adopted(place: ExpensePlace) -> None:
    """The ledger is gone and made anew: the same expenses are found in Xero, not doubled."""
    place.world(transaction_count=20)
    place.extract()
    place.sync()
    with place.engine.begin() as connection:
        connection.execute(
            text("TRUNCATE expenses, expense_events, expense_attachments, documents CASCADE")
        )
    place.extract()
    assert "20 found in Xero" in place.sync()
    assert_once(place)


def test_payment_that_somebody_else_posted_is_held(place: ExpensePlace) -> None:
    """The vendor's own sync put it into Xero: held as a possible double, posted when told."""
    one = paid(place)
    body = {
        "Type": "SPEND",
        "Contact": {"Name": "Grab"},
        "BankAccount": {"Code": "092"},
        "Date": "2026-03-05",
        "Reference": "Aspire CARD 5",
        "LineItems": [{"Description": "x", "UnitAmount": 12.5, "AccountCode": "449"}],
    }
    place.client.write("PUT", "/BankTransactions", body, idempotency_key="other")
    place.sync()
    assert [ProblemCode.POSSIBLE_DOUBLE] == codes_of(place)
    assert ExpenseState.SYNC_ERROR == place.expenses()[0].state
    assert 1 == len(place.bank_transactions())
    change_expenses(
        place.engine,
        {one.expense.expense_id: {"is_no_double": True}},
        Reviewer("mei", SystemClock()),
    )
    place.sync()
    assert 2 == len(place.bank_transactions())
    assert Stage.SYNCED is place.expenses()[0].stage


def test_refused_expense_stops_no_other(place: ExpensePlace) -> None:
    """Xero refuses one contact name: that expense says so, the others are posted."""
    place.world(transaction_count=0)
    for number in (1, 2, 3):
        place.pay(**transaction(number))
    place.extract()
    bad = {"aspire-t2": {"contact": "bad <name>"}}
    change_expenses(place.engine, bad, Reviewer("mei", SystemClock()))
    place.sync()
    states = [one.state for one in place.expenses()]
    assert [ExpenseState.ATTACHMENT_MISSING, ExpenseState.SYNC_ERROR] == states[:2]
    assert ExpenseState.ATTACHMENT_MISSING == states[2]


def test_archived_account_holds_the_expense_until_it_is_mended(place: ExpensePlace) -> None:
    """The chart is read before sending: archived means held, restored means posted."""
    paid(place)
    books = f"/_sandbox/organisations/{place.organisation.tenant_id_xero}/accounts/449"
    place.control.post(f"{books}/archive").raise_for_status()
    place.sync()
    assert [ProblemCode.ACCOUNT] == codes_of(place)
    assert ExpenseState.NEEDS_MAPPING == place.expenses()[0].state
    place.control.post(f"{books}/restore").raise_for_status()
    place.sync()
    assert_once(place)


def test_changed_synced_expense_is_updated_on_request(place: ExpensePlace) -> None:
    """The amount changed after the sync: Updated, and Xero follows when asked to."""
    paid(place)
    place.sync()
    place.pay(id="t5", amount=-1300)
    assert 1 == place.extract().changed_count
    assert place.expenses()[0].is_updated
    place.sync()
    assert Decimal("12.50") == Decimal(place.bank_transactions()[0]["Total"])
    assert "1 expense updated" in place.sync(with_updates=True)
    assert Decimal("13.00") == Decimal(place.bank_transactions()[0]["Total"])
    assert not place.expenses()[0].is_updated
    assert_once(place)


def test_lost_reply_of_an_update_is_repeated(place: ExpensePlace) -> None:
    """An update comes to the same however often it is sent."""
    paid(place)
    place.sync()
    place.pay(id="t5", amount=-1300)
    place.extract()
    place.fault(match={"method": "POST", "path": "/BankTransactions"}, nth=1, fault="lost_reply")
    place.sync(with_updates=True)
    assert Decimal("13.00") == Decimal(place.bank_transactions()[0]["Total"])
    assert_once(place)


def test_locked_period_refuses_the_update_and_names_the_correction(place: ExpensePlace) -> None:
    """Xero is locked: the update is left and the entry that corrects it is said."""
    paid(place)
    place.sync()
    place.pay(id="t5", amount=-1300)
    place.extract()
    lock = {"PeriodLockDate": "2026-03-31"}
    path = f"/_sandbox/organisations/{place.organisation.tenant_id_xero}/lock-dates"
    place.control.post(path, json=lock).raise_for_status()
    place.sync(with_updates=True)
    one = place.expenses()[0]
    assert [ProblemCode.LOCKED] == [problem.code for problem in one.problems]
    assert "0.50 SGD on account 449" in one.problems[0].sentence
    assert ExpenseState.UPDATE_ERROR == one.state


def test_decisions_are_recorded_with_who(place: ExpensePlace) -> None:
    """By hand, excluded and set leave their trace; what is in Xero cannot be excluded."""
    one = paid(place)
    expense_id, mei = one.expense.expense_id, Reviewer("mei", SystemClock())
    move_expenses(place.engine, [expense_id], Stage.BY_HAND, mei, "journal 7")
    place.sync()
    assert [] == place.bank_transactions()
    move_expenses(place.engine, [expense_id], Stage.PENDING, mei)
    place.sync()
    with pytest.raises(InputError, match="in Xero already"):
        move_expenses(place.engine, [expense_id], Stage.EXCLUDED, mei)
    with place.engine.connect() as connection:
        events = [(row["actor"], row["event"]) for row in read_events(connection, expense_id)]
    assert [("test", "found"), ("mei", "by_hand"), ("mei", "pending"), ("test", "synced")] == events


def test_bank_account_of_another_account_is_refused(place: ExpensePlace) -> None:
    """One bank account stands for one account of the source."""
    paid(place)
    moved = MAPPING.replace('"aspire:acc-sgd"', '"aspire:acc-new"')
    with pytest.raises(InputError, match="already linked to another account, aspire:acc-sgd"):
        load_expense_mapping(place.engine, moved, "m.toml", loaded_by="test", clock=SystemClock())


def test_late_and_changed_receipts_follow_by_themselves(place: ExpensePlace) -> None:
    """A receipt that comes after the sync is attached by the next run; a copy of it is not."""
    paid(place)
    place.sync()
    assert 0 == place.attach().uploaded_count
    assert ExpenseState.ATTACHMENT_MISSING == place.expenses()[0].state
    place.upload("t5", "late.txt", b"paid 12.50 to Grab")
    place.upload("t5", "again.txt", b"paid 12.50 to Grab")
    place.extract()
    assert 2 == place.attach().uploaded_count
    assert 1 == place.requests("PUT", "/Attachments/")
    assert ExpenseState.SYNCED == place.expenses()[0].state


@pytest.mark.parametrize("fault", ["lost_reply", "lost_request", "server_error"])
def test_lost_upload_is_looked_up_before_it_is_sent_again(place: ExpensePlace, fault: str) -> None:
    """After a lost reply the list of attachments decides; the file is there once."""
    paid(place)
    place.sync()
    place.upload("t5", "late.txt", b"paid 12.50 to Grab")
    place.extract()
    place.fault(match={"method": "PUT", "path": "*/Attachments/*"}, nth=1, fault=fault)
    assert 1 == place.attach().uploaded_count
    id_xero = place.expenses()[0].id_xero
    files = place.client.get(f"/BankTransactions/{id_xero}/Attachments")["Attachments"]
    assert 1 == len(files)


def test_broken_receipt_is_given_up_with_its_reason(place: ExpensePlace) -> None:
    """What cannot become a file that Xero takes says why, and stops no other receipt."""
    paid(place)
    place.sync()
    place.upload("t5", "broken.pdf", b"%PDF-1.4\nnothing")
    place.upload("t5", "good.txt", b"paid 12.50 to Grab")
    place.extract()
    attached = place.attach()
    assert (1, 1) == (attached.uploaded_count, attached.given_up_count)
    assert "broken.pdf" in attached.sentences[0]
    assert ExpenseState.ATTACHMENT_ERROR == place.expenses()[0].state


def test_failed_upload_waits_and_is_tried_again_when_it_is_due(place: ExpensePlace) -> None:
    """Xero fails for a while: the reason and the next time are kept, nothing is sent before it."""
    paid(place)
    place.sync()
    place.upload("t5", "late.txt", b"paid 12.50 to Grab")
    place.extract()
    place.fault(match={"path": "*/Attachments*"}, fault="server_error", every=1)
    assert 1 == place.attach().failed_count
    one = place.expenses()[0]
    assert ExpenseState.ATTACHMENT_ERROR == one.state
    assert "not known whether it was done" in str(one.attachments[0].reason) or (
        "does not answer" in str(one.attachments[0].reason)
    )
    place.control.delete("/_sandbox/faults").raise_for_status()
    before = place.requests("PUT", "/Attachments/")
    assert 0 == place.attach().uploaded_count
    assert before == place.requests("PUT", "/Attachments/")
    with place.engine.begin() as connection:
        connection.execute(
            text("UPDATE expense_attachments SET next_due_at = now() - interval '1 minute'")
        )
    assert 1 == place.attach().uploaded_count
    assert ExpenseState.SYNCED == place.expenses()[0].state


def test_upload_is_given_up_after_the_policys_attempts(place: ExpensePlace) -> None:
    """The last attempt ends in given up, with how to begin anew."""
    paid(place)
    place.sync()
    place.upload("t5", "late.txt", b"paid 12.50 to Grab")
    place.extract()
    place.fault(match={"path": "*/Attachments*"}, fault="server_error", every=1)
    attached = place.attach(RetryPolicy(attempts_max=1))
    assert (0, 1) == (attached.failed_count, attached.given_up_count)
    assert "'daybook expenses attachments aspire-t5 --retry'" in attached.sentences[0]


def test_older_mapping_does_not_take_the_links_back(place: ExpensePlace) -> None:
    """The links of the mapping with the latest date are in force."""
    paid(place)
    older = MAPPING.replace("effective_date = 2026-01-01", "effective_date = 2025-01-01")
    older = older.replace('"aspire:acc-sgd"', '"aspire:acc-old"')
    load_expense_mapping(place.engine, older, "m.toml", loaded_by="test", clock=SystemClock())
    place.sync()
    assert_once(place)
