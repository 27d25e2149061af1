"""Chooses the expenses a run is about: those asked for, or every pending one, the oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.errors import InputError
from daybook.expenses.batching import chosen_ids, oldest_first
from daybook.expenses.eligibility import eligibility_problems
from daybook.expenses.states import Stage
from daybook.ledger.expenses import read_expenses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from daybook.expenses.problems import Problem


def choose_expenses(engine: Engine, expense_ids: Sequence[str] | None) -> list[list[str]]:
    """Batches of at most 1,000 expenses.

    Raises `InputError` when more were asked for, or one that the ledger does not know.
    """
    if expense_ids is None:
        with engine.connect() as connection:
            pending = read_expenses(connection, stage=Stage.PENDING)
        dates = {one.expense.expense_id: one.expense.spent_date for one in pending}
        return list(oldest_first(dates))
    wanted = chosen_ids(expense_ids)
    with engine.connect() as connection:
        found = read_expenses(connection, wanted)
    known = {one.expense.expense_id: one.expense.spent_date for one in found}
    missing = [one for one in wanted if one not in known]
    if missing:
        raise InputError(
            f"There is no expense {', '.join(missing[:5])}. "
            "'daybook expenses list' shows those there are."
        )
    return list(oldest_first(known))


def unlinked_problems(engine: Engine, expense_ids: Sequence[str]) -> dict[str, tuple[Problem, ...]]:
    """What stands in the way of those of these expenses whose account is not linked."""
    with engine.connect() as connection:
        found = read_expenses(connection, expense_ids)
    return {
        one.expense.expense_id: tuple(eligibility_problems(one.expense, None, ()))
        for one in found
        if one.organisation_id is None
    }
