"""Adds receipts up to daily totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import get_run_logger

from daybook import wiring
from daybook.jobs.choose_store_days import chosen_stores
from daybook.jobs.total import Totalled
from daybook.jobs.total import total as total_job
from tasks.step import step

if TYPE_CHECKING:
    from daybook.sales.store import StoreDay


@step("total {span}")
def total(store_days: list[StoreDay], span: str, run_id: str) -> Totalled:
    """Total these store-days and check their control totals."""
    wired = wiring.shared()
    stores = chosen_stores(wired.engine, {day.store_id for day in store_days})
    totalled = total_job(wired.engine, stores, store_days, run_id=run_id, clock=wired.clock)
    get_run_logger().info("%s: %s", span, totalled)
    return totalled
