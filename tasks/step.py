"""How Prefect runs a step: again by itself only after errors that say nothing was done.

Retries and caches of Prefect are conveniences. That a repeated step writes nothing twice is the
ledger's doing, so nothing is cached: a retry asks the ledger what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE

from daybook.errors import DaybookError, passes_soon

if TYPE_CHECKING:
    from collections.abc import Callable

    from prefect.client.schemas.objects import State, TaskRun
    from prefect.tasks import Task

_RETRY_DELAY_SECONDS: Final = [2.0, 15.0]

P = ParamSpec("P")
R = TypeVar("R")


def step(name: str | Callable[[], str]) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function a task with this run name and our rule for trying again."""

    def decorate(function: Callable[P, R]) -> Task[P, R]:
        return task(
            task_run_name=name,
            retries=len(_RETRY_DELAY_SECONDS),
            retry_delay_seconds=_RETRY_DELAY_SECONDS,
            retry_condition_fn=may_pass_next_time,
            cache_policy=NO_CACHE,
        )(function)

    return decorate


def may_pass_next_time(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether the step failed for a reason that passes."""
    return passes_soon(state.result(raise_on_failure=False))


def error_of(state: State[Any]) -> object:
    """What a step failed with, in our own words where we have some; None when it did not fail."""
    if state.is_completed():
        return None
    error = state.result(raise_on_failure=False)
    return error if isinstance(error, DaybookError) else state.message or state.name
