"""prefect.yaml as a real server understood it: Prefect drops a misspelt key without a word."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from daybook.clock import SystemClock
from deployments.demo.children import PROJECT

if TYPE_CHECKING:
    import httpx

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]


def deployment(prefect: httpx.Client, name: str) -> dict[str, Any]:
    """Read a deployment by flow and name."""
    response = prefect.get(f"/deployments/name/{name}")
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    return found


def test_nothing_else_is_deployed(prefect: httpx.Client) -> None:
    """These deployments are the whole list."""
    names = {found["name"] for found in prefect.post("/deployments/filter", json={}).json()}

    assert {"midnight", "ad-hoc", "expenses", "receipts"} == names


@pytest.mark.parametrize(
    ("name", "entrypoint"),
    [
        ("daily-sales/midnight", "flows.daily_sales.daily_sales"),
        ("backfill/ad-hoc", "flows.backfill.backfill"),
        ("expenses/expenses", "flows.expenses.expenses"),
        ("attachments/receipts", "flows.attachments.attachments"),
    ],
)
def test_a_deployment_runs_a_module_from_the_checkout(
    prefect: httpx.Client, name: str, entrypoint: str
) -> None:
    """Runs import the flow by module path, in the folder it was deployed from, with heartbeats."""
    found = deployment(prefect, name)

    assert entrypoint == found["entrypoint"]
    assert [
        {"prefect.deployments.steps.set_working_directory": {"directory": str(PROJECT)}}
    ] == found["pull_steps"]
    assert "daybook" == found["work_pool_name"]
    assert {"env": {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "60"}} == found["job_variables"]
    about = "sales" if "sales" in entrypoint or "backfill" in entrypoint else "expenses"
    assert ["daybook", about] == sorted(found["tags"])
    assert found["enforce_parameter_schema"]
    assert found["description"]


def test_the_night_is_scheduled_after_midnight_in_the_chains_zone(prefect: httpx.Client) -> None:
    """One schedule, 00:15 local, active on its first deployment."""
    [schedule] = deployment(prefect, "daily-sales/midnight")["schedules"]

    assert {"cron": "15 0 * * *", "timezone": "America/New_York", "day_or": True} == schedule[
        "schedule"
    ]
    assert ("new-york", True) == (schedule["slug"], schedule["active"])
    assert [] == deployment(prefect, "backfill/ad-hoc")["schedules"]


def test_expenses_are_scheduled_and_switched_off(prefect: httpx.Client) -> None:
    """Finance switches them on; the nightly run then takes everything that is ready."""
    expenses = deployment(prefect, "expenses/expenses")
    receipts = deployment(prefect, "attachments/receipts")

    assert {"auto": True} == expenses["parameters"]
    assert [("nightly", False)] == [(s["slug"], s["active"]) for s in expenses["schedules"]]
    assert [("hourly", False)] == [(s["slug"], s["active"]) for s in receipts["schedules"]]


def test_nights_wait_for_one_another(prefect: httpx.Client) -> None:
    """A night that takes long is not overtaken by the next; a backfill is not queued at all."""
    night = deployment(prefect, "daily-sales/midnight")
    backfill = deployment(prefect, "backfill/ad-hoc")

    assert 1 == night["global_concurrency_limit"]["limit"]
    assert "ENQUEUE" == night["concurrency_options"]["collision_strategy"]
    assert backfill["global_concurrency_limit"] is None


def test_the_scheduler_creates_runs(prefect: httpx.Client) -> None:
    """An active schedule becomes scheduled runs: the pinned versions still work together.

    The next one is called off, so that none begins in the middle of a test.
    """
    deployment_id = deployment(prefect, "daily-sales/midnight")["id"]
    wanted = {
        "deployments": {"id": {"any_": [deployment_id]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    runs = prefect.post("/flow_runs/filter", json=wanted).json()

    assert runs
    assert all(run["auto_scheduled"] for run in runs)
    next_at = min(dt.datetime.fromisoformat(run["expected_start_time"]) for run in runs)
    assert next_at > SystemClock().now() + dt.timedelta(hours=12)
