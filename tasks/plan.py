"""Plans the documents of store-days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import get_run_logger

from daybook import wiring
from daybook.jobs.plan import Planned
from daybook.jobs.plan import plan as plan_job
from tasks.step import step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daybook.jobs.total import Totalled
    from daybook.posting.holds import Hold
    from daybook.sales.store import StoreDay


@step("plan {span}")
def plan(
    store_days: list[StoreDay],
    totalled: Totalled,
    held: Mapping[StoreDay, Hold],
    *,
    span: str,
    run_id: str,
) -> Planned:
    """Plan these store-days; what is held says so in the log, with store, date and reason."""
    wired = wiring.shared()
    planned = plan_job(
        wired.engine,
        store_days,
        control_failures=totalled.control_failures,
        held=held,
        prefix=wired.settings.invoice_prefix,
        run_id=run_id,
        clock=wired.clock,
    )
    log = get_run_logger()
    log.info("%s: %s", span, planned)
    for sentence in planned.sentences:
        log.warning(sentence)
    return planned
