"""One running stack for the session: PostgreSQL, Prefect's server and worker, the Xero sandbox."""

from __future__ import annotations

import datetime as dt
import os
import socket
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from daybook.clock import SystemClock
from daybook.settings import DemoSettings, Settings
from deployments.demo.clean import clean
from deployments.demo.runs import end_runs_of_the_dead
from deployments.demo.stack import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployments.demo.stack import Stack

SCHEDULED_SECONDS_MAX = 120


def free_ports() -> Iterator[int]:
    """Ports of 127.0.0.1 on which nobody listens.

    None of those that the machine gives out by itself: they are used seconds later, and until then
    one would be given to another test.
    """
    first = 20_000 + os.getpid() % 1000 * 10
    for port in range(first, 32_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                yield port


def call_off_nights(prefect_api_url: str) -> None:
    """Cancel the scheduled nights of the next hours, which would run in the middle of a test.

    Those after them stay scheduled.
    """
    scheduled = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    deadline = time.monotonic() + SCHEDULED_SECONDS_MAX
    with httpx.Client(base_url=prefect_api_url, timeout=60) as api:
        while not api.post("/flow_runs/filter", json=scheduled).json():
            assert time.monotonic() < deadline, "no run was scheduled"
            time.sleep(0.2)
        end_runs_of_the_dead(api, SystemClock().now() + dt.timedelta(hours=25))


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The demo's stack on free ports and in a home of its own, with the deployments applied."""
    with tempfile.TemporaryDirectory(prefix="daybook-stack-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        prefect, sandbox, postgres = islice(free_ports(), 3)
        ports = DemoSettings(prefect_port=prefect, sandbox_port=sandbox, postgres_port=postgres)
        with running(Settings(home=home), ports, print) as running_stack:
            running_stack.wait_for_prefect()
            call_off_nights(running_stack.prefect_api_url)
            yield running_stack
        clean(home)


@pytest.fixture
def prefect(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the stack's Prefect API."""
    with httpx.Client(base_url=stack.prefect_api_url, timeout=60) as client:
        yield client
