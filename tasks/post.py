"""Posts planned documents into one organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import get_run_logger

from daybook import wiring
from daybook.jobs.post import Posted
from daybook.jobs.post import post as post_job
from tasks.step import step

if TYPE_CHECKING:
    from daybook.ledger.organisations import Organisation
    from daybook.sales.store import StoreDay


@step("post {organisation.name}")
def post(
    organisation: Organisation, store_days: list[StoreDay], run_id: str, *, keep_reserve: bool
) -> Posted:
    """Post what is planned for these store-days; each document goes out once, whatever happens."""
    wired = wiring.shared()
    log = get_run_logger()
    posted = post_job(
        wired.engine,
        wired.client(organisation, keep_reserve=keep_reserve),
        organisation,
        store_days,
        run_id=run_id,
        clock=wired.clock,
        waits_for_day=keep_reserve,  # a backfill goes on by itself when the next day begins
        progress=log.info,
    )
    log.info("%s: %s", organisation.name, posted)
    return posted
