"""Schedules the rest of a run for the time when Xero's calls of the day come back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.runtime import deployment, flow_run

from daybook import wiring
from daybook.errors import RateLimited
from tasks.step import step

if TYPE_CHECKING:
    from collections.abc import Iterable

# Calls come back one by one, as they were made a day ago: a run for each would be worth nothing.
_WAIT_SECONDS_MIN: Final = 900


def rest_of(errors: Iterable[object]) -> list[str]:
    """Schedule what the day's calls did not suffice for, if that is among these errors; say so."""
    wait_seconds = calls_back_in_seconds(errors)
    return [go_on(wait_seconds)] if wait_seconds else []


def calls_back_in_seconds(errors: Iterable[object]) -> int | None:
    """How long until the last of these errors' organisations has calls again; None: no need."""
    waits = [
        one.retry_after_seconds or _WAIT_SECONDS_MIN
        for one in errors
        if isinstance(one, RateLimited) and one.problem == "day"
    ]
    return max(_WAIT_SECONDS_MIN, *waits) if waits else None


@step("go on when calls are back")
def go_on(wait_seconds: int) -> str:
    """Schedule a run like this one for later, and say when; asking twice makes one.

    The place of this run is free until then: the night of another time zone does not wait for it.
    A run without a deployment cannot be scheduled.
    """
    at = wiring.shared().clock.now() + dt.timedelta(seconds=wait_seconds)
    if not deployment.id:
        return f"Run it again after {at:%Y-%m-%d %H:%M} UTC."
    follower = run_deployment(
        deployment.id,
        parameters=dict(flow_run.parameters),
        scheduled_time=at,
        flow_run_name=f"the rest of {flow_run.name}",
        timeout=0,
        idempotency_key=f"the rest of {flow_run.id}, {flow_run.run_count}",
        as_subflow=False,
    )
    assert isinstance(follower, FlowRun), "it is a coroutine in asynchronous code alone"
    planned_at = follower.expected_start_time or at
    return f"Prefect runs the rest by itself at {planned_at:%Y-%m-%d %H:%M} UTC: '{follower.name}'."
