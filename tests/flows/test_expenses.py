"""The expenses and attachments flows, from the sandbox's Aspire to its Xero."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from wired_expenses import recent_world, wired_expenses

from daybook import wiring
from daybook.errors import FinalError, InputError, RateLimited
from daybook.expenses import batching
from daybook.expenses.states import AttachmentState
from daybook.jobs.attach import Attached
from daybook.wiring import Wiring
from flows.attachments import ReceiptsNotAttached, attachments
from flows.expenses import ExpensesNotSynced, expenses
from tasks import expenses as steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from expense_place import ExpensePlace

pytestmark = [pytest.mark.prefect, pytest.mark.postgres, pytest.mark.xdist_group("flows")]


@pytest.fixture
def place(
    prefect_server: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ExpensePlace]:
    """25 payments of the last days; the flows find everything through the shared wiring."""
    assert prefect_server
    with wired_expenses(database_url, tmp_path / "home") as (connected, wired):
        monkeypatch.setattr(wiring, "shared", lambda: wired)
        recent_world(connected, transaction_count=25, receipt_share=1)
        yield connected


def test_everything_ready_is_synced_with_its_receipts(place: ExpensePlace) -> None:
    """Auto fetches, posts and attaches; a second run writes nothing."""
    state = expenses(auto=True, return_state=True)
    assert state.is_completed(), state.message
    assert 25 == len(place.bank_transactions())
    assert place.requests("PUT", "/Attachments/") > 20
    before = place.requests("PUT", "")
    again = expenses(auto=True, return_state=True)
    assert again.is_completed(), again.message
    assert before == place.requests("PUT", "")


def test_dry_run_writes_nothing_to_xero(place: ExpensePlace) -> None:
    """The plan is shown; neither Xero nor the documents of the ledger change."""
    attachments()
    before = place.requests("PUT", "")
    state = expenses(auto=True, dry_run=True, return_state=True)
    assert "25 expenses ready" in str(state.message)
    assert before == place.requests("PUT", "")
    assert [] == place.bank_transactions()


def test_held_expense_fails_the_run_after_the_others_are_posted(place: ExpensePlace) -> None:
    """One category is not mapped: its expense is named, the others are in Xero."""
    first = place.control.get("/_sandbox/aspire").json()["transactions"][0]
    place.pay(id=first["id"], additional_info={"spend_category": "Gifts"}, counterparty_name="X")
    with pytest.raises(ExpensesNotSynced, match="category 'Gifts'"):
        expenses(auto=True)
    assert 24 == len(place.bank_transactions())


def test_chosen_expenses_alone_are_synced(place: ExpensePlace) -> None:
    """Ids limit the run to them; more than 1,000 are refused with their number."""
    attachments()
    chosen = [one.expense.expense_id for one in place.expenses()][:3]
    expenses(expense_ids=chosen)
    assert 3 == len(place.bank_transactions())
    with pytest.raises(InputError, match="1001 expenses were asked for"):
        expenses(expense_ids=[f"aspire-{number}" for number in range(1001)])


def test_used_up_day_is_said_and_keeps_what_was_known(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call is left: the run says when to go on; a day later everything is posted."""
    rich = wiring.shared()
    poor = Wiring(rich.settings.model_copy(update={"xero_day_calls": 1, "day_reserve_calls": 1}))
    monkeypatch.setattr(wiring, "shared", lambda: poor)
    with pytest.raises(ExpensesNotSynced, match="Run it again after"):
        expenses(auto=True)
    assert [] == place.bank_transactions()
    poor.close()
    monkeypatch.setattr(wiring, "shared", lambda: rich)
    expenses(auto=True)
    assert 25 == len(place.bank_transactions())


def test_what_cannot_be_checked_again_is_not_posted_from_the_plan_of_before(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person may have entered it in Xero since: that is found by the check alone."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise FinalError("Xero does not show its chart.")

    with monkeypatch.context() as broken:
        broken.setattr(steps, "post_batch", refuse)
        with pytest.raises(ExpensesNotSynced, match="Xero does not show its chart"):
            expenses(auto=True)
    with monkeypatch.context() as broken:
        broken.setattr(steps, "plan_batch", refuse)
        with pytest.raises(ExpensesNotSynced, match="Xero does not show its chart"):
            expenses(auto=True)
    assert [] == place.bank_transactions()
    expenses(auto=True)
    assert 25 == len(place.bank_transactions())


def test_dry_run_that_cannot_be_checked_schedules_nothing(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails with why; who wanted to look looks again."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise RateLimited("Xero's calls of this day are used up.", "day", 4000)

    attachments()
    monkeypatch.setattr(steps, "plan_batch", refuse)
    with pytest.raises(ExpensesNotSynced, match="calls of this day are used up") as caught:
        expenses(auto=True, dry_run=True)
    assert "again after" not in str(caught.value)
    assert place.bank_transactions() == []


def test_receipt_that_comes_later_is_attached_by_the_hourly_run(place: ExpensePlace) -> None:
    """The attachments flow finds it by itself."""
    expenses(auto=True)
    before = place.requests("PUT", "/Attachments/")
    known = place.control.get("/_sandbox/aspire").json()["transactions"][0]
    place.upload(known["id"], "late.txt", b"the receipt that was in the other jacket")
    state = attachments(return_state=True)
    assert "1 receipt attached" in str(state.message)
    assert before + 1 == place.requests("PUT", "/Attachments/")


def test_upload_that_is_tried_again_by_itself_does_not_fail_the_run(place: ExpensePlace) -> None:
    """Xero fails for a while: the run completes and says so, the next attachments run uploads."""
    asked = {"transaction_count": 2, "pending_share": 0, "refund_share": 0, "receipt_share": 1}
    place.control.post("/_sandbox/aspire/world", json=asked).raise_for_status()
    place.fault(match={"method": "PUT", "path": "*/Attachments/*"}, fault="server_error", every=1)
    state = expenses(auto=True, return_state=True)
    assert state.is_completed(), state.message
    assert "synced: attachment error" in str(state.message)
    place.control.delete("/_sandbox/faults").raise_for_status()
    with place.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE expense_attachments SET next_due_at = now() WHERE state = 'failed'"
        )
    state = attachments(return_state=True)
    assert "0 to be tried again, 0 given up" in str(state.message)
    states = {each.state for one in place.expenses() for each in one.attachments}
    assert {AttachmentState.UPLOADED} == states


def test_receipts_that_cannot_be_attached_stop_no_batch(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first batch's receipts fail as a whole: the other batches are posted, and it is said."""

    def fail(*_: object, **__: object) -> None:
        raise FinalError("Xero is not connected for files.")

    monkeypatch.setattr(batching, "EXPENSE_COUNT_MAX", 10)
    monkeypatch.setattr(steps, "attach_receipts", fail)
    with pytest.raises(ExpensesNotSynced, match="Kopi Expenses: Xero is not connected for files"):
        expenses(auto=True)
    assert 25 == len(place.bank_transactions())


def test_source_that_cannot_be_read_stops_nothing_else(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known already is posted and attached; the runs fail with the reason."""
    with monkeypatch.context() as patch:
        patch.setattr(steps, "attach_receipts", lambda *_: Attached())
        attachments()

    def fail(*_: object, **__: object) -> None:
        raise FinalError("Aspire refuses calls from this address.")

    monkeypatch.setattr(steps, "extract_expenses", fail)
    with pytest.raises(ExpensesNotSynced, match="Aspire refuses calls"):
        expenses(auto=True)
    assert 25 == len(place.bank_transactions())
    with place.engine.begin() as connection:
        # One is enough, and 25 more would wait for the next minute's calls.
        connection.exec_driver_sql(
            "UPDATE expense_attachments SET state = 'pending' WHERE expense_id ="
            " (SELECT min(expense_id) FROM expense_attachments)"
        )
    before = place.requests("GET", "/Attachments")
    with pytest.raises(ReceiptsNotAttached, match="Aspire refuses calls"):
        attachments()
    assert place.requests("GET", "/Attachments") > before
