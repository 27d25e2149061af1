"""Lets go of expenses whose bank transactions somebody removed in Xero.

Only Xero's word counts: each of them, correcting entries too, is read there first.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from daybook.errors import InputError
from daybook.expenses.states import Stage
from daybook.ledger.documents import SENT_STATES
from daybook.ledger.expense_corrections import read_corrections
from daybook.ledger.expense_removals import write_removed
from daybook.ledger.expenses import read_expenses
from daybook.ledger.organisation_lock import organisation_lock
from daybook.xero.bank_transactions import read_bank_transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from daybook.jobs.sync_expenses import Syncing
    from daybook.ledger.expenses import LedgerExpense
    from daybook.ledger.organisations import Organisation
    from daybook.xero.client import XeroClient

_WAIT_SECONDS: Final = 60


def release_expenses(
    syncing: Syncing,
    organisations: Mapping[int, Organisation],
    expense_ids: Sequence[str],
    stage: Stage,
    *,
    why: str = "",
) -> int:
    """Move those of these expenses that are synced to another stage; says how many.

    Raises `InputError` when one is in Xero still, and `Busy` while a run works on them; then none
    of its organisation is moved.
    """
    count = 0
    with syncing.engine.connect() as connection:
        synced = read_expenses(connection, expense_ids, stage=Stage.SYNCED)
    for key in sorted({one.organisation_id for one in synced if one.organisation_id is not None}):
        mine = [one.expense.expense_id for one in synced if one.organisation_id == key]
        count += _release(syncing, organisations[key], mine, stage, why=why)
    return count


def _release(
    syncing: Syncing, organisation: Organisation, ids: Sequence[str], stage: Stage, *, why: str
) -> int:
    """Those of one organisation, while nobody posts or attaches there."""
    clock = syncing.clock
    with ExitStack() as locks:
        connection = locks.enter_context(
            organisation_lock(syncing.engine, organisation, wait_seconds=_WAIT_SECONDS, clock=clock)
        )
        locks.enter_context(
            organisation_lock(
                syncing.engine,
                organisation,
                wait_seconds=_WAIT_SECONDS,
                clock=clock,
                work="attaching",
            )
        )
        with connection.begin():
            synced = read_expenses(connection, ids, stage=Stage.SYNCED)
            there = {one.expense.expense_id: _ids_xero(connection, one) for one in synced}
        client = syncing.client_of(organisation.organisation_id)
        for expense_id, ids_xero in there.items():
            _check_removed(client, expense_id, ids_xero)
        with connection.begin():
            write_removed(
                connection, list(there), stage, actor=syncing.run_id, now_at=clock.now(), why=why
            )
    return len(there)


def _ids_xero(connection: Connection, one: LedgerExpense) -> list[str]:
    """Every bank transaction of an expense that is in Xero; all answers must be known."""
    expense_id = one.expense.expense_id
    entries = [
        each
        for each in read_corrections(connection, [expense_id])[expense_id]
        if each.state in SENT_STATES
    ]
    if any(each.id_xero is None for each in entries):
        raise InputError(
            f"It is not known yet whether Xero took a correcting entry of {expense_id}. Daybook "
            f"looks it up first: daybook expenses correct {expense_id}"
        )
    return [key for key in (one.id_xero, *(each.id_xero for each in entries)) if key is not None]


def _check_removed(client: XeroClient, expense_id: str, ids_xero: Sequence[str]) -> None:
    for id_xero in ids_xero:
        found = read_bank_transaction(client, id_xero)
        if not found.is_removed:
            raise InputError(
                f"{expense_id} is in Xero as {found.reference}. Remove that there first if it "
                "should not be there, and then say this again."
            )
