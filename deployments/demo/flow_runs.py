"""Runs of deployed flows, started over Prefect's API and followed to their end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from daybook.errors import DaybookError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

    from deployments.demo.stack import Stack

_RUN_SECONDS_MAX: Final = 900
_POLL_SECONDS: Final = 0.3
_ENDED: Final = frozenset(("COMPLETED", "FAILED", "CRASHED", "CANCELLED"))


class DemoFailed(DaybookError):
    """A run of the demo did not end as it should, or the books are not equal."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A deployment to run, as `flow/deployment`, and with which parameters."""

    deployment: str
    parameters: Mapping[str, str]

    def __str__(self) -> str:
        """For a person: the deployment and its dates."""
        return " ".join([self.deployment, " to ".join(self.parameters.values())]).strip()


@dataclass(frozen=True, slots=True)
class FlowRuns:
    """Starts runs at once and follows them; `progress` says in a line how far they are."""

    stack: Stack
    console: Console
    tell: Callable[[str], None]
    progress: Callable[[], str]

    def watch(self, wanted: Sequence[Wanted]) -> None:
        """Run these at once until all have ended; raise `DemoFailed` if one did not complete."""
        deadline = time.monotonic() + _RUN_SECONDS_MAX
        with (
            httpx.Client(base_url=self.stack.prefect_api_url, timeout=30) as prefect,
            self.console.status("waiting for the worker") as status,
        ):
            under_way = [self._started(prefect, one) for one in wanted]
            while under_way:
                self.stack.check()
                runs = [prefect.get(f"/flow_runs/{run_id}").json() for run_id in under_way]
                for run in runs:
                    if run["state_type"] in _ENDED:
                        under_way.remove(run["id"])
                        self._end(run)
                if time.monotonic() > deadline:
                    raise Unavailable(
                        f"{runs[0]['name']} has not ended after {_RUN_SECONDS_MAX} s."
                    )
                names = ", ".join(f"{run['name']}: {run['state_name'].lower()}" for run in runs)
                status.update(f"{names}; {self.progress()}")
                time.sleep(_POLL_SECONDS)

    def _started(self, prefect: httpx.Client, wanted: Wanted) -> str:
        found = prefect.get(f"/deployments/name/{wanted.deployment}")
        found.raise_for_status()
        created = prefect.post(
            f"/deployments/{found.json()['id']}/create_flow_run",
            json={"parameters": dict(wanted.parameters), "state": {"type": "SCHEDULED"}},
        )
        created.raise_for_status()
        self.tell(f"{wanted} is started in Prefect.")
        run_id: str = created.json()["id"]
        return run_id

    def _end(self, run: dict[str, Any]) -> None:
        said = (run["state"].get("message") or "").strip().splitlines()
        message = said[0].replace("**", "") if said else ""
        self.tell(f"{run['name']}: {run['state_name']}. {message}")
        if run["state_type"] != "COMPLETED":
            raise DemoFailed(
                f"{run['name']} ended {run['state_name']}: see "
                f"{self.stack.prefect_url}/runs/flow-run/{run['id']}"
            )
