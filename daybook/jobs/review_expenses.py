"""What a person decides about expenses: account, tax, split, by hand, excluded. Who is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from daybook.errors import InputError
from daybook.expenses.expense import Override
from daybook.expenses.states import Stage
from daybook.ledger.documents import SENT_STATES
from daybook.ledger.expenses import lock_documents, read_expenses, write_overrides, write_stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock
    from daybook.ledger.expenses import LedgerExpense


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who decides, and when."""

    name: str
    clock: Clock


def change_expenses(
    engine: Engine, changes: Mapping[str, Mapping[str, Any]], reviewer: Reviewer
) -> int:
    """Change some decisions about each expense; None takes a decision back. Says how many changed.

    Raises `InputError` when an expense is not known or a value cannot be used; nothing is changed.
    """
    with engine.begin() as connection:
        known = _known(connection, list(changes))
        overrides = {
            expense_id: _changed(one.override, changes[expense_id], expense_id)
            for expense_id, one in known.items()
        }
        differing = {key: new for key, new in overrides.items() if new != known[key].override}
        write_overrides(connection, differing, actor=reviewer.name, now_at=reviewer.clock.now())
    return len(differing)


def move_expenses(
    engine: Engine, expense_ids: Sequence[str], stage: Stage, reviewer: Reviewer, why: str = ""
) -> int:
    """Exclude expenses, mark them as posted by hand, or take either back (pending)."""
    assert stage is not Stage.SYNCED, "only Xero's answer makes an expense synced"
    with engine.begin() as connection:
        known = _known(connection, expense_ids)
        # Read again under the lock: a loader may have claimed one since.
        states = lock_documents(connection, list(known))
        for expense_id, one in known.items():
            if one.stage is Stage.SYNCED or states.get(expense_id) in SENT_STATES:
                raise InputError(
                    f"{expense_id} is in Xero already, or on its way there. Remove it in Xero "
                    "first if it should not be there, and then say this again."
                )
        moving = [key for key, one in known.items() if one.stage is not stage]
        write_stage(
            connection, moving, stage, actor=reviewer.name, now_at=reviewer.clock.now(), why=why
        )
    return len(moving)


def _known(connection: Connection, expense_ids: Sequence[str]) -> dict[str, LedgerExpense]:
    found = {
        one.expense.expense_id: one
        for one in read_expenses(connection, expense_ids, for_update=True)
    }
    missing = [one for one in expense_ids if one not in found]
    if missing:
        raise InputError(
            f"There is no expense {', '.join(missing[:5])}. "
            "'daybook expenses list' shows those there are."
        )
    return found


def _changed(override: Override, changes: Mapping[str, Any], expense_id: str) -> Override:
    wanted = {**msgspec.to_builtins(override), **changes}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    try:
        return msgspec.convert(wanted, type=Override)
    except msgspec.ValidationError as error:
        raise InputError(f"What is said about {expense_id} cannot be used: {error}.") from error
