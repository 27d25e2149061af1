"""The demo's processes: PostgreSQL, Prefect's server and worker, and the Xero sandbox.

The supervisor (this process) starts them all, with its mark in their environment and their output
in HOME/logs. They end with it; if it is killed, its guard ends them, and if that is killed too, the
next demo does. PostgreSQL is shared and ends with its last user (`daybook.ledger.embedded`).
"""

from __future__ import annotations

import contextlib
import secrets
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from daybook.clock import SystemClock
from daybook.ledger import embedded
from daybook.settings import inherited_variables, variables_of
from deployments.demo.children import Crew, start_child
from deployments.demo.environment import demo_settings, prefect_variables, refuse_foreign_parts
from deployments.demo.home import end_leftovers, mark_of, only_demo_in
from deployments.demo.ports import port_or_free
from deployments.demo.runs import end_runs_of_the_dead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from daybook.settings import DemoSettings, Settings

WORK_POOL = "daybook"
_WORKER_RUNS_MAX = 2
_WORKER = "prefect-worker"
_PREFECT = (sys.executable, "-m", "deployments.demo.prefect_command")


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs; `environment` is what a command needs to take part."""

    settings: Settings
    environment: dict[str, str] = field(repr=False)
    name: str
    prefect_url: str
    crew: Crew

    @property
    def sandbox_url(self) -> str:
        """The address of the Xero sandbox and of the page that shows its books."""
        return self.settings.xero_api_url

    @property
    def prefect_api_url(self) -> str:
        """The address of Prefect's API."""
        return f"{self.prefect_url}/api"

    def wait_for_prefect(self) -> None:
        """Return when the deployments are applied and the worker takes runs."""
        self.crew.wait_for("prefect-server", lambda: _answers(f"{self.prefect_api_url}/health"))
        with httpx.Client(base_url=self.prefect_api_url, timeout=30) as api:
            end_runs_of_the_dead(api, SystemClock().now())
            # Only now: the worker would otherwise take up what the dead left.
            self.crew[_WORKER].say("go")
            pool = f"/work_pools/{WORK_POOL}"
            self.crew.wait_for(_WORKER, lambda: api.get(pool).is_success)
            deploy = self.crew["prefect-deploy"]
            deploy.say("go")
            self.crew.wait_for("prefect-deploy", lambda: deploy.process.poll() == 0)
            self.crew.wait_for(_WORKER, lambda: self._is_worker_online(api))

    def check(self) -> None:
        """Raise Unavailable, with its last words, if one of the processes has ended."""
        self.crew.check()

    def wait_until_interrupted(self) -> None:
        """Watch the processes until Ctrl-C; raise Unavailable as soon as one has ended."""
        while True:
            self.check()
            time.sleep(1)

    def _is_worker_online(self, api: httpx.Client) -> bool:
        workers = api.post(f"/work_pools/{WORK_POOL}/workers/filter", json={}).json()
        return self.name in {worker["name"] for worker in workers}


@contextlib.contextmanager
def running(
    settings: Settings, ports: DemoSettings, tell: Callable[[str], None]
) -> Iterator[Stack]:
    """Run the stack for the length of the block; every process has ended after it.

    PostgreSQL and the sandbox are ready when the block begins. Prefect is still starting, so that
    the block can prepare something meanwhile; then it calls `Stack.wait_for_prefect`.

    Raises:
        SettingError: a setting names a database or a Xero other than the demo's own.
        Busy: another demo runs in the same home.
        Unavailable: a process does not start.
    """
    refuse_foreign_parts(settings)
    home = settings.home
    with contextlib.ExitStack() as cleanup:
        cleanup.enter_context(only_demo_in(home))
        if leftovers := end_leftovers(home):
            tell(f"Ended {leftovers} processes that an earlier demo left.")
        name = f"demo-{secrets.token_hex(4)}"
        cleanup.enter_context(_guarded(home, mark_of(home, name)))
        postgres = cleanup.enter_context(embedded.start(home, port=ports.postgres_port))
        _tell_if_taken(tell, "PostgreSQL", ports.postgres_port, postgres.port)
        crew = Crew(mark_of(home, name), home / "logs")
        cleanup.callback(crew.end)

        prefect_port = _chosen_port(tell, "Prefect", ports.prefect_port)
        environment = inherited_variables() | prefect_variables(settings, prefect_port, postgres)
        _start_server(crew, environment)
        sandbox_port = _chosen_port(tell, "the Xero sandbox", ports.sandbox_port)
        bootstrap = _start_sandbox(crew, environment, home, sandbox_port)
        settings = demo_settings(settings, postgres, bootstrap)
        environment |= variables_of(settings)
        _start_worker_and_deploy(crew, environment, name)
        yield Stack(settings, environment, name, f"http://127.0.0.1:{prefect_port}", crew)


def _start_server(crew: Crew, environment: dict[str, str]) -> None:
    command = (*_PREFECT, "prefect.server.api.server", "server", "start")
    crew.start("prefect-server", command, environment)
    crew["prefect-server"].say("go")


def _start_sandbox(
    crew: Crew, environment: dict[str, str], home: Path, port: int
) -> dict[str, str]:
    """Start the sandbox and return what it says about itself: addresses and the app's secret."""
    command = (sys.executable, "-m", "daybook.sandbox", "--port", str(port))
    crew.start("sandbox", (*command, "--state", str(home / "sandbox.json")), environment)
    url = f"http://127.0.0.1:{port}/_sandbox"
    crew.wait_for("sandbox", lambda: _answers(url))
    bootstrap: dict[str, str] = httpx.get(url).json()
    return bootstrap


def _start_worker_and_deploy(crew: Crew, environment: dict[str, str], name: str) -> None:
    """Start the worker and the command that applies prefect.yaml; both wait for the server."""
    worker = ("worker", "start", "--type", "process", "--pool", WORK_POOL, "--name", name)
    limit = ("--limit", str(_WORKER_RUNS_MAX))
    imports = "prefect.cli.worker,prefect.workers.process"
    crew.start(_WORKER, (*_PREFECT, imports, *worker, *limit), environment)
    imports = "prefect.cli.deploy,flows.daily_sales,flows.backfill,flows.expenses,flows.attachments"
    deploy = ("--no-prompt", "deploy", "--all")
    crew.start("prefect-deploy", (*_PREFECT, imports, *deploy), environment)


@contextlib.contextmanager
def _guarded(home: Path, mark: str) -> Iterator[None]:
    """Have a guard clean up in case this process is killed."""
    guard = start_child(
        "guard",
        (sys.executable, "-m", "deployments.demo.guard", str(home), mark),
        environment=inherited_variables(),
        logs=home / "logs",
    )
    try:
        yield
    finally:
        guard.dismiss()


def _chosen_port(tell: Callable[[str], None], name: str, asked: int) -> int:
    chosen = port_or_free(asked)
    _tell_if_taken(tell, name, asked, chosen)
    return chosen


def _tell_if_taken(tell: Callable[[str], None], name: str, asked: int, chosen: int) -> None:
    if chosen != asked:
        tell(f"Port {asked} is taken; {name} uses {chosen}.")


def _answers(url: str) -> bool:
    """Whether a server is up at this address."""
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False
