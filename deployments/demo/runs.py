"""What the demo does over Prefect's API before its worker starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

    import httpx

_PAGE = 200


def end_runs_of_the_dead(api: httpx.Client, now: dt.datetime) -> int:
    """Close the runs that an earlier demo left open; return how many there were.

    Nobody runs them any more, yet Prefect would call them Running for ever and keep their
    deployment's only slot. Runs that were due while the demo was off would start all at once.
    """
    ended = 0
    dead = {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}}
    for run in _runs(api, dead):
        _set_state(api, run, "CRASHED", "The demo that ran it has ended.")
        ended += 1
    missed = {
        "state": {"type": {"any_": ["SCHEDULED", "PAUSED"]}},
        "expected_start_time": {"before_": now.isoformat()},
    }
    for run in _runs(api, missed):
        _set_state(api, run, "CANCELLED", "It was due while the demo was off.")
        ended += 1
    return ended


def _runs(api: httpx.Client, which: dict[str, Any]) -> list[dict[str, Any]]:
    response = api.post("/flow_runs/filter", json={"flow_runs": which, "limit": _PAGE})
    response.raise_for_status()
    found: list[dict[str, Any]] = response.json()
    return found


def _set_state(api: httpx.Client, run: dict[str, Any], kind: str, message: str) -> None:
    state = {"type": kind, "name": kind.capitalize(), "message": message}
    body = {"state": state, "force": True}
    api.post(f"/flow_runs/{run['id']}/set_state", json=body).raise_for_status()
