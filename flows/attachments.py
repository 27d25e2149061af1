"""Receipts that are due: late ones, and those that failed and may be tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import flow
from prefect.runtime import flow_run
from prefect.states import Completed

from tasks.expenses import attach, fetch, linked_organisations

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State


@flow(name="attachments", flow_run_name="receipts that are due", retries=0, persist_result=False)
def attachments() -> State[str]:
    """Look for late receipts, and attach everything that is due to what is in Xero."""
    run_id = flow_run.id or "by hand"
    fetch(run_id, flow_run.scheduled_start_time)
    said = [
        f"{organisation.name}: {attach(organisation, None, run_id)}"
        for organisation in linked_organisations()
    ]
    sentence = "; ".join(said) or "Nothing to do: no account is linked."
    return Completed(message=sentence, data=sentence)
