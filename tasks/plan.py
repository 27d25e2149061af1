"""Plans the documents of store-days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import get_run_logger

from daybook import wiring
from daybook.jobs.plan import Planned
from daybook.jobs.plan import plan as plan_job
from tasks.step import step

if TYPE_CHECKING:
    from daybook.sales.store import StoreDay


@step("plan {span}")
def plan(store_days: list[StoreDay], span: str, run_id: str) -> Planned:
    """Plan these store-days; what is held says so in the log, with store, date and reason."""
    wired = wiring.shared()
    planned = plan_job(
        wired.engine,
        store_days,
        prefix=wired.settings.invoice_prefix,
        run_id=run_id,
        clock=wired.clock,
    )
    log = get_run_logger()
    log.info("%s: %d documents planned, %s", span, planned.document_count, planned)
    for status in planned.statuses:
        for hold in status.holds:
            day = status.store_day
            log.warning(
                "%s store %s is %s: %s", day.business_date, day.store_id, status.state, hold
            )
    return planned
