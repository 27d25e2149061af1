"""A run that is killed while it posts, and retried: the books of an undisturbed run."""

from __future__ import annotations

import datetime as dt
import time
from io import StringIO
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
from rich.console import Console

from daybook.jobs.reconcile import reconcile
from daybook.sales.store import StoreDay
from daybook.wiring import Wiring
from deployments.demo.complete_journey import stores
from deployments.demo.home import RECEIPTS
from deployments.demo.story import Story
from deployments.demo.till_totals import till_totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deployments.demo.stack import Stack

DATE = dt.date(2017, 5, 10)
SECONDS_MAX = 300

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.postgres,
    pytest.mark.xdist_group("prefect"),
    pytest.mark.timeout(900),
]


@pytest.fixture
def wired(stack: Stack) -> Iterator[Wiring]:
    """The stack's ledger, with the demo's organisation, stores and mapping."""
    wiring = Wiring(stack.settings)
    Story(stack, wiring, Console(file=StringIO()), print).prepare()
    yield wiring
    wiring.close()


@pytest.fixture
def sandbox(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the stack's sandbox."""
    with httpx.Client(base_url=stack.sandbox_url, timeout=30) as client:
        yield client


def wait_for(what: str, found: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is found
    """Poll until something is found."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        if seen := found():
            return seen
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come")


def flow_process(run_id: str) -> psutil.Process | None:
    """The process in which the worker runs this flow run."""
    for process in psutil.process_iter(["pid"]):
        try:
            if process.environ().get("PREFECT__FLOW_RUN_ID", "").replace("-", "") == run_id.replace(
                "-", ""
            ):
                return process
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return None


def test_killed_run_is_finished_by_a_retry(
    stack: Stack, prefect: httpx.Client, sandbox: httpx.Client, wired: Wiring
) -> None:
    """Kill -9 with a call in flight, Crashed in Prefect, Retry: each document is there once."""
    slow = {
        "match": {"method": "PUT", "path": "/Payments"},
        "nth": 2,
        "fault": "slow",
        "seconds": 15,  # time to kill the run; the read timeout is longer
    }
    sandbox.post("/_sandbox/faults", json=slow).raise_for_status()
    deployment = prefect.get("/deployments/name/daily-sales/midnight").json()["id"]
    run_id = prefect.post(
        f"/deployments/{deployment}/create_flow_run",
        json={"parameters": {"business_date": DATE.isoformat()}, "state": {"type": "SCHEDULED"}},
    ).json()["id"]

    def in_flight() -> bool:
        faults = sandbox.get("/_sandbox/faults").json()["faults"]
        return any(fault["struck"] for fault in faults)

    wait_for("the slow call", in_flight)
    process = wait_for("the run's process", lambda: flow_process(run_id))
    process.kill()
    wait_for("Crashed", lambda: state_of(prefect, run_id) == "CRASHED")
    sandbox.delete("/_sandbox/faults").raise_for_status()
    # Prefect's worker reports the crash a second time, which may take it long: that would end a
    # retry made before.
    wait_for("the worker's report", lambda: has_reported(stack))

    retry = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": True}
    prefect.post(f"/flow_runs/{run_id}/set_state", json=retry).raise_for_status()
    wait_for("the end of the retry", lambda: state_of(prefect, run_id) in {"COMPLETED", "FAILED"})
    assert "COMPLETED" == state_of(prefect, run_id), prefect.get(f"/flow_runs/{run_id}").text
    assert_books_equal_tills(stack, wired)


def state_of(prefect: httpx.Client, run_id: str) -> str:
    """The run's state."""
    state: str = prefect.get(f"/flow_runs/{run_id}").json()["state_type"]
    return state


def has_reported(stack: Stack) -> bool:
    """Whether the worker has said what it says once it is done with a run that was killed."""
    said = (stack.settings.home / "logs" / "prefect-worker.log").read_text()
    return any(
        "prefect.flow_runs.worker" in line and "Check whether the flow run" in line
        for line in said.splitlines()
    )


def assert_books_equal_tills(stack: Stack, wired: Wiring) -> None:
    """Every store that traded is in Xero once and paid, by the files' own figures."""
    tills = till_totals(stack.settings.home / RECEIPTS, DATE, DATE)
    assert 100 < len(tills)
    days = [StoreDay(DATE, one.store_id) for one in stores()]
    clients = {key: wired.client(one) for key, one in wired.organisations().items()}
    lines = [
        line for line in reconcile(wired.engine, clients, days) if line.line.state != "no_sales"
    ]
    assert tills == {(DATE, one.line.store_day.store_id): one.xero_minor for one in lines}
    assert all(one.is_equal for one in lines)
