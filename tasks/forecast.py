"""Says what posting will take, before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import get_run_logger

from daybook import wiring
from daybook.jobs.forecast import Forecast
from daybook.jobs.forecast import forecast as forecast_job
from tasks.step import step

if TYPE_CHECKING:
    from daybook.ledger.organisations import Organisation
    from daybook.sales.store import StoreDay


@step("forecast {organisation.name}")
def forecast(organisation: Organisation, store_days: list[StoreDay]) -> Forecast:
    """Count documents and calls that posting these store-days will take."""
    wired = wiring.shared()
    expected = forecast_job(
        wired.engine,
        organisation.organisation_id,
        store_days,
        minute_calls=wired.settings.xero_minute_calls,
        day_calls=wired.settings.xero_day_calls,
    )
    get_run_logger().info("%s: %s", organisation.name, expected)
    return expected
