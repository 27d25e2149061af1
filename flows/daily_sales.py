"""The midnight run: every closed business date that the ledger does not call done."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - Prefect makes the run form from the annotations
from typing import TYPE_CHECKING

from prefect import flow
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner

from flows.store_days import post_store_days
from tasks.choose import choose, given_up
from tasks.keep_alive import keep_alive

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State


def _name() -> str:
    date = flow_run.parameters["business_date"]
    planned_at = flow_run.scheduled_start_time
    name = f"daily-sales {date}" if date else f"daily-sales up to {planned_at:%Y-%m-%d %H:%M} UTC"
    return f"{name} (dry run)" if flow_run.parameters["dry_run"] else name


@flow(
    name="daily-sales",
    flow_run_name=_name,
    task_runner=ThreadPoolTaskRunner(max_workers=4),  # type: ignore[arg-type] # Prefect leaves its type open
    retries=0,
    persist_result=False,
)
def daily_sales(
    business_date: dt.date | None = None,
    stores: list[str] | None = None,
    dry_run: bool = False,  # noqa: FBT001, FBT002 - a switch in Prefect's run form
) -> State[str]:
    """Post daily sales into Xero.

    Args:
        business_date: One date to post. Leave it empty for every closed date of the trailing window
            and older ones that did not get into Xero.
        stores: Ids of the stores to post. Leave it empty for all of them.
        dry_run: Show what would be posted and write nothing anywhere.
    """
    planned_at = flow_run.scheduled_start_time
    dates = (business_date, business_date) if business_date else None
    store_days = choose(stores, dates, planned_at)
    named = () if dates else (*given_up(stores, planned_at), *(() if dry_run else keep_alive()))
    return post_store_days(store_days, dry_run=dry_run, given_up=named)
