"""Chooses the store-days a run is about."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - Prefect reads the annotations
from typing import TYPE_CHECKING

from prefect import get_run_logger

from daybook import wiring
from daybook.jobs.choose_store_days import choose_range, choose_trailing
from tasks.step import step

if TYPE_CHECKING:
    from daybook.sales.store import StoreDay


@step("choose store-days")
def choose(
    first_date: dt.date | None,
    last_date: dt.date | None,
    stores: list[str] | None,
    now_at: dt.datetime,
) -> list[StoreDay]:
    """Every store-day asked for, or of the trailing window, that the ledger does not call done."""
    wired = wiring.shared()
    if first_date is None or last_date is None:
        chosen = choose_trailing(
            wired.engine,
            stores,
            now_at=now_at,
            trailing_days=wired.settings.trailing_days,
            closed_after=wired.closed_after,
        )
    else:
        chosen = choose_range(
            wired.engine,
            stores,
            first_date,
            last_date,
            now_at=now_at,
            closed_after=wired.closed_after,
        )
    get_run_logger().info("%d store-days are not done yet", len(chosen))
    return chosen
