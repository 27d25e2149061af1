"""Posts past dates on request: oldest first, resumable, and never twice."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - Prefect makes the run form from the annotations
from typing import TYPE_CHECKING

from prefect import flow
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner

from flows.store_days import post_store_days
from tasks.choose import choose

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State


def _name() -> str:
    parameters = flow_run.parameters
    name = f"backfill {parameters['start_date']} to {parameters['end_date']}"
    return f"{name} (dry run)" if parameters["dry_run"] else name


@flow(
    name="backfill",
    flow_run_name=_name,
    task_runner=ThreadPoolTaskRunner(max_workers=4),  # type: ignore[arg-type] # Prefect leaves its type open
    retries=0,
    persist_result=False,
)
def backfill(
    start_date: dt.date,
    end_date: dt.date,
    stores: list[str] | None = None,
    dry_run: bool = False,  # noqa: FBT001, FBT002 - a switch in Prefect's run form
) -> State[str]:
    """Post the daily sales of past dates into Xero; dates that are posted already are left alone.

    Args:
        start_date: The first business date.
        end_date: The last business date.
        stores: Ids of the stores to post. Leave it empty for all of them.
        dry_run: Show what would be posted and write nothing anywhere.
    """
    store_days = choose(stores, (start_date, end_date), flow_run.scheduled_start_time)
    return post_store_days(store_days, dry_run=dry_run, keep_reserve=True)
