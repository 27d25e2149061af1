"""Expenses into Xero: fetched, checked, posted as spend money, then their receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import flow
from prefect.runtime import flow_run
from prefect.states import Completed

from daybook.errors import DaybookError, InputError
from daybook.expenses.batching import chosen_ids
from tasks.expenses import attach, choose, fetch, organisations_of, plan, post, report
from tasks.go_on import rest_of
from tasks.step import error_of

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State


class ExpensesNotSynced(DaybookError):
    """Some expenses are not in Xero as they should be."""


def _name() -> str:
    parameters = flow_run.parameters
    ids = parameters["expense_ids"]
    name = f"expenses, {len(ids)} chosen" if ids else "expenses, all pending"
    return f"{name} (dry run)" if parameters["dry_run"] else name


@flow(name="expenses", flow_run_name=_name, retries=0, persist_result=False)
def expenses(
    expense_ids: list[str] | None = None,
    auto: bool = False,  # noqa: FBT001, FBT002 - a switch in Prefect's run form
    dry_run: bool = False,  # noqa: FBT001, FBT002 - a switch in Prefect's run form
) -> State[str]:
    """Post expenses into Xero and attach their receipts.

    Args:
        expense_ids: The expenses to sync, at most 1,000; changed ones are updated in Xero as well.
        auto: Instead of ids: fetch, and sync everything that is ready, the oldest first.
        dry_run: Check and show what would be posted; nothing is written to Xero.
    """
    if bool(expense_ids) == auto:
        raise InputError("Give expense_ids, or set auto for everything that is ready.")
    wanted = chosen_ids(expense_ids) if expense_ids else None
    run_id = flow_run.id or "by hand"
    said: list[str] = []
    errors: list[tuple[str, object]] = []
    if auto and not dry_run:  # what is known already is synced all the same
        fetched = fetch(run_id, flow_run.scheduled_start_time, return_state=True)
        errors.append(("", error_of(fetched)))
    batches = choose(wanted)
    for batch in batches:
        planned = plan(batch, len(batch), run_id, dry_run=dry_run, return_state=True)
        error = error_of(planned)
        errors.append(("", error))
        said += [] if error else [planned.result()]
        # What was planned before is not posted unchecked: it may stand in Xero by now.
        for organisation in [] if dry_run or error else organisations_of(batch):
            updates = wanted is not None
            posted = post(organisation, batch, run_id, with_updates=updates, return_state=True)
            attached = attach(organisation, batch, run_id, return_state=True)
            errors += [(f"{organisation.name}: ", error_of(state)) for state in (posted, attached)]
    failures = [f"{where}{error}" for where, error in errors if error]
    failures += [] if dry_run else rest_of(error for _, error in errors)
    if not failures and (dry_run or not batches):
        sentence = "; ".join(said) or "Nothing to do: no expense is pending."
        return Completed(message=sentence, data=sentence)
    summary, problems = report([one for batch in batches for one in batch])
    if failures or problems:
        raise ExpensesNotSynced("\n".join([*failures, *problems]))
    return Completed(message=summary, data=summary)
