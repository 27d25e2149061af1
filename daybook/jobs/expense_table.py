"""The tables people look at: expenses with what stands in their way, and their receipts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from daybook.expenses.states import AttachmentState, ExpenseState
from daybook.money import amount_from_minor
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daybook.ledger.expenses import LedgerExpense

_TEXT_MAX: Final = 18
NOT_DONE: Final = frozenset(
    (
        ExpenseState.NEEDS_MAPPING,
        ExpenseState.SYNC_ERROR,
        ExpenseState.UPDATE_ERROR,
        ExpenseState.ATTACHMENT_ERROR,
    )
)


def rows(expenses: Sequence[LedgerExpense]) -> list[dict[str, str | int]]:
    """One row each, whole."""
    return [
        {
            "expense": one.expense.expense_id,
            "date": one.expense.spent_date.isoformat(),
            "amount": str(amount_from_minor(one.expense.amount_minor, one.expense.currency)),
            "currency": one.expense.currency,
            "merchant": one.expense.merchant,
            "category": one.override.category or one.expense.category,
            "state": one.state,
            "updated": "Updated" if one.is_updated else "",
            "receipts": f"{_uploaded_count(one)}/{len(one.attachments)}",
            "why": " ".join(sentences_of(one)),
        }
        for one in expenses
    ]


def narrow_rows(expenses: Sequence[LedgerExpense]) -> list[dict[str, str | int]]:
    """One row each, as wide as a terminal: long texts are cut."""
    return [
        {
            "expense": _cut(str(row["expense"])),
            "date": row["date"],
            "amount": f"{row['amount']} {row['currency']}",
            "merchant": _cut(str(row["merchant"]), 14),
            "state": f"{row['state']}{', Updated' if row['updated'] else ''}",
            "receipts": row["receipts"],
        }
        for row in rows(expenses)
    ]


def sentences_of(one: LedgerExpense) -> list[str]:
    """What a person should read about an expense."""
    said = [problem.sentence for problem in one.problems]
    said += [f"{each.ref.name}: {each.reason}" for each in one.attachments if each.reason]
    return said


def needs_person(one: LedgerExpense) -> bool:
    """Whether somebody has to act: a failed upload that is tried again by itself needs nobody."""
    if one.state is ExpenseState.ATTACHMENT_ERROR:
        return any(each.state is AttachmentState.GIVEN_UP for each in one.attachments)
    return one.state in NOT_DONE


def summary(expenses: Sequence[LedgerExpense]) -> str:
    """One line: how many stand where."""
    states = Counter(str(one.state) for one in expenses)
    updated = sum(1 for one in expenses if one.is_updated)
    told = [f"{count} {state}" for state, count in sorted(states.items())]
    told += [f"{updated} of them updated since"] if updated else []
    return f"{counted(len(expenses), 'expense')}: {', '.join(told) or 'none'}"


def attachment_rows(expenses: Sequence[LedgerExpense]) -> list[dict[str, str | int]]:
    """One row for each receipt's file."""
    return [
        {
            "expense": one.expense.expense_id,
            "date": one.expense.spent_date.isoformat(),
            "receipt": each.ref.name,
            "state": each.state.replace("_", " "),
            "attempts": each.attempt_count,
            "again": f"{each.next_due_at:%Y-%m-%d %H:%M} UTC" if each.next_due_at else "",
            "why": each.reason or "",
        }
        for one in expenses
        for each in one.attachments
    ]


def _uploaded_count(one: LedgerExpense) -> int:
    return sum(1 for each in one.attachments if each.state == "uploaded")


def _cut(words: str, length: int = _TEXT_MAX) -> str:
    return words if len(words) <= length else f"{words[: length - 1]}…"
