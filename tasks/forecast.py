"""Says what posting will take before it starts, and lays what it took beside that."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - Prefect reads the annotations of a task
from typing import TYPE_CHECKING

from prefect import get_run_logger

from daybook import wiring
from daybook.jobs.forecast import Forecast, beside_used
from daybook.jobs.forecast import forecast as forecast_job
from tasks.step import step

if TYPE_CHECKING:
    from daybook.ledger.organisations import Organisation
    from daybook.sales.store import StoreDay


@step("forecast {organisation.name}")
def forecast(
    organisation: Organisation, store_days: list[StoreDay], *, keep_reserve: bool
) -> Forecast:
    """Count documents and calls that posting these store-days will take."""
    wired = wiring.shared()
    limits = wired.call_budget(keep_reserve=keep_reserve)
    expected = forecast_job(
        wired.engine,
        organisation.organisation_id,
        store_days,
        minute_calls=limits.limits.minute_count,
        day_calls=max(1, limits.limits.day_count - limits.limits.reserve_count),
        left_calls=limits.remaining(organisation.tenant_id_xero).day_count,
    )
    get_run_logger().info("%s: %s", organisation.name, expected)
    return expected


@step("calls of {organisation.name}")
def compare(organisation: Organisation, expected: Forecast, since_at: dt.datetime) -> str:
    """Say how many calls were forecast, and how many all runs have made since."""
    used_count = wiring.shared().call_budget().used_since(organisation.tenant_id_xero, since_at)
    sentence = beside_used(expected, used_count)
    get_run_logger().info("%s: %s", organisation.name, sentence)
    return sentence
