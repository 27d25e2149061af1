"""One batch of expenses brought into Xero: checked, planned, posted; changed ones on request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.expenses.states import Stage
from daybook.jobs.plan_expenses import plan_expenses
from daybook.jobs.post import Posted, post
from daybook.jobs.update_expenses import update_expenses
from daybook.ledger.expenses import read_expenses

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy import Engine

    from daybook.clock import Clock
    from daybook.jobs.plan_expenses import ExpensesPlanned
    from daybook.ledger.organisations import Organisation
    from daybook.xero.client import XeroClient


@dataclass(frozen=True, slots=True)
class Syncing:
    """What every step of one sync needs."""

    engine: Engine
    client_of: Callable[[int], XeroClient]
    prefix: str
    excluded_countries: Collection[str]
    run_id: str
    clock: Clock
    progress: Callable[[str], None] = lambda _sentence: None


def plan_batch(
    syncing: Syncing, expense_ids: Collection[str] | None, *, dry_run: bool = False
) -> ExpensesPlanned:
    """Check these pending expenses, or all, and plan those that pass."""
    return plan_expenses(
        syncing.engine,
        syncing.client_of,
        expense_ids,
        prefix=syncing.prefix,
        excluded_countries=syncing.excluded_countries,
        run_id=syncing.run_id,
        clock=syncing.clock,
        dry_run=dry_run,
    )


def post_batch(
    syncing: Syncing,
    organisation: Organisation,
    expense_ids: Sequence[str],
    *,
    with_updates: bool,
) -> str:
    """Post what is planned for these expenses; `with_updates` also those changed since synced.

    Correcting entries are not posted: `correct_expenses` alone compares them with Xero first.
    """
    with syncing.engine.connect() as connection:
        pending = read_expenses(connection, expense_ids, stage=Stage.PENDING)
    client = syncing.client_of(organisation.organisation_id)
    posted: Posted = post(
        syncing.engine,
        client,
        organisation,
        (),
        expense_ids=[one.expense.expense_id for one in pending],
        run_id=syncing.run_id,
        clock=syncing.clock,
        progress=syncing.progress,
    )
    if not with_updates:
        return str(posted)
    updated = update_expenses(
        syncing.engine,
        client,
        organisation,
        expense_ids,
        prefix=syncing.prefix,
        run_id=syncing.run_id,
        clock=syncing.clock,
    )
    return f"{posted}; {updated}"


def organisation_ids_of(engine: Engine, expense_ids: Sequence[str]) -> set[int]:
    """The organisations that these expenses' accounts are linked in."""
    with engine.connect() as connection:
        found = read_expenses(connection, expense_ids)
    return {one.organisation_id for one in found if one.organisation_id is not None}
