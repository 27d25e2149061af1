"""The stack as a whole: its parts know one another, and a killed demo's runs do not block it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from daybook.errors import Busy, SettingError
from daybook.settings import DemoSettings, Settings
from deployments.demo.runs import end_runs_of_the_dead
from deployments.demo.stack import running

if TYPE_CHECKING:
    from pathlib import Path

    from deployments.demo.stack import Stack

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]


def test_the_worker_is_told_the_demos_own_database_and_xero(stack: Stack) -> None:
    """What the runs find in their environment answers, and nothing of it is the real Xero."""
    environment = stack.environment
    with psycopg.connect(environment["DAYBOOK_DATABASE_URL"]) as connection:
        assert "daybook" == connection.info.dbname
    bootstrap = httpx.get(f"{environment['DAYBOOK_XERO_API_URL']}/_sandbox", timeout=60).json()

    assert bootstrap["client_id"] == environment["DAYBOOK_XERO_CLIENT_ID"]
    assert {stack.sandbox_url} == {
        environment[f"DAYBOOK_XERO_{part}_URL"] for part in ("API", "IDENTITY", "LOGIN")
    }
    assert environment["PREFECT_API_URL"] == stack.prefect_api_url


def test_the_user_interface_asks_the_right_server(stack: Stack) -> None:
    """The pages are served, and they look for the API where it is."""
    settings = httpx.get(f"{stack.prefect_url}/ui-settings", timeout=60).json()

    pages = httpx.get(stack.prefect_url, follow_redirects=True, timeout=60)
    assert "text/html" in pages.headers["content-type"]
    assert settings["api_url"] in {stack.prefect_api_url, "/api"}


def test_a_second_demo_in_the_same_home_is_refused(stack: Stack) -> None:
    """The first one goes on undisturbed."""
    settings = Settings(home=stack.settings.home)

    with pytest.raises(Busy), running(settings, DemoSettings(), print):
        pass

    stack.check()


def test_real_systems_are_refused(tmp_path: Path) -> None:
    """The demo does not start on a database somebody named for real work."""
    settings = Settings(home=tmp_path).model_copy(
        update={"database_url": SecretStr("postgresql://books@db/daybook")}
    )

    with (
        pytest.raises(SettingError, match="unset DAYBOOK_DATABASE_URL"),
        running(settings, DemoSettings(), print),
    ):
        pass


def test_runs_of_a_killed_demo_are_closed(prefect: httpx.Client) -> None:
    """A run nobody works on and one that was missed are closed; a future one is not touched."""
    flow_id = prefect.post("/flows/", json={"name": "left-open"}).json()["id"]
    now = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)
    states = {
        "running": {"type": "RUNNING"},
        "missed": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2020-01-01T00:15Z"}},
        "future": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2999-01-01T00:15Z"}},
    }
    ids = {
        name: prefect.post(
            "/flow_runs/", json={"flow_id": flow_id, "name": name, "state": state}
        ).json()["id"]
        for name, state in states.items()
    }

    assert 2 == end_runs_of_the_dead(prefect, now)

    after = {
        name: prefect.get(f"/flow_runs/{key}").json()["state_type"] for name, key in ids.items()
    }
    assert {"running": "CRASHED", "missed": "CANCELLED", "future": "SCHEDULED"} == after
