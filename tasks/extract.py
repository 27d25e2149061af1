"""Reads receipts of some stores into the ledger."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - Prefect reads the annotations

from prefect import get_run_logger
from prefect.runtime import task_run

from daybook import wiring
from daybook.jobs.choose_store_days import chosen_stores
from daybook.jobs.extract import Extracted
from daybook.jobs.extract import extract as extract_job
from tasks.step import step


def _name() -> str:
    store_ids = task_run.parameters["store_ids"]
    if len(store_ids) == 1:
        return f"extract {store_ids[0]}"
    return f"extract {store_ids[0]} to {store_ids[-1]} ({len(store_ids)} stores)"


@step(_name)
def extract(
    store_ids: list[str], first_date: dt.date, last_date: dt.date, run_id: str
) -> Extracted:
    """Extract these stores' receipts of the window; re-extraction changes nothing."""
    wired = wiring.shared()
    stores = chosen_stores(wired.engine, store_ids)
    extracted = extract_job(
        wired.source, wired.engine, stores, first_date, last_date, run_id=run_id, clock=wired.clock
    )
    get_run_logger().info(
        "%s to %s, stores %s: %s", first_date, last_date, ", ".join(store_ids), extracted
    )
    return extracted
