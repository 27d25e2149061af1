"""Schedules the rest of a run for the time when Xero's calls of the day come back."""

from __future__ import annotations

import datetime as dt
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.runtime import deployment, flow_run

from daybook import wiring
from daybook.errors import RateLimited
from tasks.step import error_of, step

if TYPE_CHECKING:
    from collections.abc import Iterable

# Calls come back one by one, as they were made a day ago: a run for each would be worth nothing.
_WAIT_SECONDS_MIN: Final = 900


def rest_of(errors: Iterable[object]) -> list[str]:
    """Schedule what the day's calls did not suffice for, if that is among these errors; say so.

    That it cannot be scheduled is said as well, and hides none of these errors.
    """
    wait_seconds = calls_back_in_seconds(errors)
    if not wait_seconds:
        return []
    state = go_on(wait_seconds, return_state=True)
    if error := error_of(state):
        return [f"The rest is not scheduled, run it again yourself: {error}"]
    return [state.result()]


def calls_back_in_seconds(errors: Iterable[object]) -> int | None:
    """How long until the last of these errors' organisations has calls again; None: no need."""
    waits = [
        one.retry_after_seconds or _WAIT_SECONDS_MIN
        for one in errors
        if isinstance(one, RateLimited) and one.problem == "day"
    ]
    return max(_WAIT_SECONDS_MIN, *waits) if waits else None


def quarter_after(at: dt.datetime) -> dt.datetime:
    """The first full quarter of an hour that is not earlier."""
    past = at - at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
    return at - past + dt.timedelta(minutes=15) if past else at


@step("go on when calls are back")
def go_on(wait_seconds: int) -> str:
    """Schedule a run like this one for later, and say when; runs that ask for the same make one.

    The place of this run is free until then: the night of another time zone does not wait for it.
    A run without a deployment cannot be scheduled.
    """
    at = quarter_after(wiring.shared().clock.now() + dt.timedelta(seconds=wait_seconds))
    if not deployment.id:
        return f"Run it again after {at:%Y-%m-%d %H:%M} UTC."
    parameters = dict(flow_run.parameters)
    follower = run_deployment(
        deployment.id,
        parameters=parameters,
        scheduled_time=at,
        flow_run_name=f"the rest of {flow_run.name}",
        timeout=0,
        idempotency_key=_key(at, parameters),
        as_subflow=False,
    )
    assert isinstance(follower, FlowRun), "it is a coroutine in asynchronous code alone"
    if follower.state and follower.state.is_final():
        ended = f"'{follower.name}', which was planned for the rest, is {follower.state.name}."
        return f"{ended} Run it again after {at:%Y-%m-%d %H:%M} UTC."
    planned_at = follower.expected_start_time or at
    return f"Prefect runs the rest by itself at {planned_at:%Y-%m-%d %H:%M} UTC: '{follower.name}'."


def _key(at: dt.datetime, parameters: dict[str, object]) -> str:
    """The same for runs that want the same at that time.

    An hourly run, or one that a person restarts, waits for the same calls as the one before it.
    """
    wanted = json.dumps([deployment.id, parameters], default=str, sort_keys=True)
    return f"the rest at {at:%Y-%m-%d %H:%M}, {sha256(wanted.encode()).hexdigest()}"
