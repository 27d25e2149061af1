"""One running stack for the session: PostgreSQL, Prefect's server and worker, the Xero sandbox."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from daybook.settings import DemoSettings, Settings
from deployments.demo.clean import clean
from deployments.demo.stack import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployments.demo.stack import Stack


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The demo's stack on free ports and in a home of its own, with the deployments applied."""
    with tempfile.TemporaryDirectory(prefix="daybook-stack-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        ports = DemoSettings(
            prefect_port=free_port(), sandbox_port=free_port(), postgres_port=free_port()
        )
        with running(Settings(home=home), ports, print) as running_stack:
            running_stack.wait_for_prefect()
            yield running_stack
        clean(home)


@pytest.fixture
def prefect(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the stack's Prefect API."""
    with httpx.Client(base_url=stack.prefect_api_url, timeout=30) as client:
        yield client
