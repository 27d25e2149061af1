"""Receipts that are due: late ones, and those that failed and may be tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import flow
from prefect.runtime import flow_run
from prefect.states import Completed

from daybook.errors import DaybookError
from tasks.expenses import attach, fetch, linked_organisations
from tasks.go_on import rest_of
from tasks.step import error_of

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State


class ReceiptsNotAttached(DaybookError):
    """A source could not be read, or an organisation's receipts could not be attached."""


@flow(name="attachments", flow_run_name="receipts that are due", retries=0, persist_result=False)
def attachments() -> State[str]:
    """Look for late receipts, and attach everything that is due to what is in Xero."""
    run_id = flow_run.id or "by hand"
    said: list[str] = []
    # What is known already is attached all the same, and one organisation stops no other.
    fetched = fetch(run_id, flow_run.scheduled_start_time, return_state=True)
    errors = [("", error_of(fetched))]
    for organisation in linked_organisations():
        state = attach(organisation, None, run_id, return_state=True)
        error = error_of(state)
        errors.append((f"{organisation.name}: ", error))
        if not error:
            said.append(f"{organisation.name}: {state.result()}")
    failures = [f"{where}{error}" for where, error in errors if error]
    failures += rest_of(error for _, error in errors)
    sentence = "; ".join(said) or "Nothing to do: no account is linked."
    if failures:
        raise ReceiptsNotAttached("\n".join([*failures, sentence]))
    return Completed(message=sentence, data=sentence)
