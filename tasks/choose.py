"""Chooses the store-days a run is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import get_run_logger

from daybook import wiring
from daybook.jobs.choose_store_days import choose as choose_job
from tasks.step import step

if TYPE_CHECKING:
    import datetime as dt

    from daybook.sales.store import StoreDay


@step("choose store-days")
def choose(
    stores: list[str] | None, dates: tuple[dt.date, dt.date] | None, now_at: dt.datetime
) -> list[StoreDay]:
    """Every store-day asked for, or of the trailing window, that the ledger does not call done."""
    wired = wiring.shared()
    chosen = choose_job(wired.engine, stores, dates, wired.closing_rule(now_at))
    get_run_logger().info("%d store-days are not done yet", len(chosen))
    return chosen
