"""The tables of expenses, and which of them need a person."""

from __future__ import annotations

import datetime as dt

from daybook.expenses.expense import AttachmentRef, Expense, Override, SourceStatus
from daybook.expenses.states import AttachmentState, Stage
from daybook.jobs.expense_table import attachment_rows, needs_person
from daybook.ledger.expenses import LedgerAttachment, LedgerExpense

DUE = dt.datetime(2026, 3, 5, 12, 30, tzinfo=dt.UTC)


def expense(
    state: AttachmentState,
    reason: str | None = None,
    *,
    attempt_count: int = 1,
    next_due_at: dt.datetime | None = None,
) -> LedgerExpense:
    """A synced expense with one receipt in this state."""
    fact = Expense(
        "aspire", "t1", "a1", SourceStatus.SETTLED, DUE.date(), 1250, "SGD", "Grab", "Transport"
    )
    file = LedgerAttachment(AttachmentRef("k", "a.jpg"), state, reason, attempt_count, next_due_at)
    return LedgerExpense(
        fact, Override(), Stage.SYNCED, (), "h", "h", 1, "posted", "id", 1, (file,)
    )


def test_failed_upload_that_is_tried_again_needs_nobody() -> None:
    """One that was given up does."""
    assert not needs_person(expense(AttachmentState.FAILED, reason="later", next_due_at=DUE))
    assert needs_person(expense(AttachmentState.GIVEN_UP, reason="broken"))
    assert not needs_person(expense(AttachmentState.UPLOADED))


def test_attachment_row_says_attempts_and_when_it_is_due() -> None:
    """Beside the reason."""
    failed = expense(AttachmentState.FAILED, reason="later", next_due_at=DUE, attempt_count=2)
    [row] = attachment_rows([failed])
    assert (2, "2026-03-05 12:30 UTC", "later") == (row["attempts"], row["again"], row["why"])
