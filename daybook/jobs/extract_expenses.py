"""Reads expenses and the receipts known for them into the ledger; again, it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.ledger.expenses import FoundExpense, write_found
from daybook.wording import counted

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Engine

    from daybook.clock import Clock
    from daybook.spend.source import ExpenseSource, ReceiptStore


@dataclass(frozen=True, slots=True)
class ExpensesExtracted:
    """What an extraction came to; `sentences` say what could not be read or matched."""

    expense_count: int
    new_count: int
    changed_count: int
    ignored_count: int
    sentences: tuple[str, ...]

    def __str__(self) -> str:
        """For the log."""
        ignored = counted(
            self.ignored_count, "payment that is no expense", "payments that are no expenses"
        )
        return (
            f"{counted(self.expense_count, 'expense')}, {self.new_count} new, "
            f"{self.changed_count} changed, {ignored}, {len(self.sentences)} to look at"
        )


def extract_expenses(  # noqa: PLR0913 - the composition of one extraction
    source: ExpenseSource,
    receipts: ReceiptStore,
    engine: Engine,
    first_date: dt.date,
    last_date: dt.date,
    *,
    run_id: str,
    clock: Clock,
) -> ExpensesExtracted:
    """Bring the ledger up to date with the window, both ends included."""
    pages = list(source.expenses(first_date, last_date))
    # A list that grew while it was paged shows a row twice.
    expenses = list({one.expense_id: one for page in pages for one in page.expenses}.values())
    found = receipts.find(expenses)
    whole = [FoundExpense(one, found.by_expense.get(one.expense_id, ())) for one in expenses]
    with engine.begin() as connection:
        written = write_found(connection, whole, actor=run_id, now_at=clock.now())
    rejects = [reject for page in pages for reject in page.rejects] + list(found.unmatched)
    return ExpensesExtracted(
        len(expenses),
        written.new_count,
        written.changed_count,
        sum(page.ignored_count for page in pages),
        tuple(f"{one.where}: {one.sentence}" for one in rejects),
    )
