"""The demo's processes: PostgreSQL, Prefect's server and worker, and the Xero sandbox.

The supervisor (this process) starts them all, with its mark in their environment and their output
in HOME/logs. They end with it; if it is killed, its guard ends them, and if that is killed too, the
next demo does. PostgreSQL is shared and ends with its last user (`daybook.ledger.embedded`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from daybook.clock import SystemClock
from daybook.errors import Busy, SettingError, Unavailable
from daybook.ledger import embedded
from daybook.settings import Settings, inherited_variables, variables_of
from deployments.demo.children import MARK, Child, end_marked, start_child
from deployments.demo.ports import port_or_free
from deployments.demo.runs import end_runs_of_the_dead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daybook.ledger.embedded import EmbeddedPostgres
    from daybook.settings import DemoSettings

PROJECT = Path(__file__).parents[2]
WORK_POOL = "daybook"
LOCK = "demo.lock"
# What the demo keeps in its home; `demo/` is for the story's own files.
STATE = ("postgres", "prefect", "logs", "demo", "sandbox.json", "secret.key", LOCK)
_WORKER_RUNS_MAX = 2
_READY_SECONDS_MAX = 120
_POLL_SECONDS = 0.05
_SANDBOX_APP = "daybook-demo"


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs; `environment` is what a command needs to take part."""

    settings: Settings
    environment: dict[str, str] = field(repr=False)
    prefect_url: str
    sandbox_url: str
    children: dict[str, Child]

    @property
    def prefect_api_url(self) -> str:
        """The address of Prefect's API."""
        return f"{self.prefect_url}/api"

    def wait_for_sandbox(self) -> None:
        """Return when the Xero sandbox answers."""
        self._wait("sandbox", lambda: _answers(self.sandbox_url))

    def wait_for_prefect(self) -> None:
        """Return when the deployments are applied and the worker takes runs."""
        self._wait("prefect-server", lambda: _answers(f"{self.prefect_api_url}/health"))
        with httpx.Client(base_url=self.prefect_api_url, timeout=30) as api:
            end_runs_of_the_dead(api, SystemClock().now())
            # Only now: the worker would otherwise take up what the dead left.
            self.children["prefect-worker"].say("go")
            pool = f"/work_pools/{WORK_POOL}"
            self._wait("prefect-worker", lambda: api.get(pool).is_success)
            self.children["prefect-deploy"].say("go")
            self._wait_for_deployments()
            self._wait(
                "prefect-worker",
                lambda: bool(api.post(f"{pool}/workers/filter", json={}).json()),
            )

    def check(self) -> None:
        """Raise Unavailable if one of the processes that have to stay has ended."""
        for name, child in self.children.items():
            if name != "prefect-deploy":
                child.check()

    def wait_until_interrupted(self) -> None:
        """Watch the processes until Ctrl-C; raise Unavailable as soon as one has ended."""
        while True:
            self.check()
            time.sleep(1)

    def _wait_for_deployments(self) -> None:
        deploy = self.children["prefect-deploy"]
        self._wait("prefect-server", lambda: deploy.process.poll() is not None)
        if deploy.process.returncode:
            deploy.check()

    def _wait(self, name: str, is_ready: Callable[[], bool]) -> None:
        """Poll until ready; raise Unavailable when the process ends or takes too long."""
        child = self.children[name]
        deadline = time.monotonic() + _READY_SECONDS_MAX
        while not is_ready():
            child.check()
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{name} is not ready after {_READY_SECONDS_MAX} seconds; "
                    f"its log is {child.log}."
                )
            time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def running(
    settings: Settings, ports: DemoSettings, tell: Callable[[str], None]
) -> Iterator[Stack]:
    """Run the stack for the length of the block; every process has ended after it.

    PostgreSQL is ready when the block begins; the others are still starting, so that the block can
    prepare something meanwhile: see `Stack.wait_for_sandbox` and `Stack.wait_for_prefect`.

    Raises:
        SettingError: a setting names a database or a Xero other than the demo's own.
        Busy: another demo runs in the same home.
        Unavailable: a process does not start.
    """
    _refuse_foreign_parts(settings)
    with contextlib.ExitStack() as cleanup:
        cleanup.enter_context(only_demo_in(settings.home))
        if leftovers := end_leftovers(settings.home):
            tell(f"Ended {leftovers} processes that an earlier demo left.")
        mark = f"{settings.home}:{secrets.token_hex(8)}"
        cleanup.enter_context(_guarded(settings.home, mark))
        postgres = cleanup.enter_context(embedded.start(settings.home, port=ports.postgres_port))
        _tell_if_taken(tell, "PostgreSQL", ports.postgres_port, postgres.port)
        stack = _new_stack(settings, ports, postgres, tell)
        stack.environment[MARK] = mark
        cleanup.callback(_end, stack, mark)
        _start_children(stack)
        yield stack


def _new_stack(
    settings: Settings, ports: DemoSettings, postgres: EmbeddedPostgres, tell: Callable[[str], None]
) -> Stack:
    """Choose the ports and work out what the processes have to know."""
    prefect_port = port_or_free(ports.prefect_port)
    _tell_if_taken(tell, "Prefect", ports.prefect_port, prefect_port)
    sandbox_port = port_or_free(ports.sandbox_port)
    _tell_if_taken(tell, "the Xero sandbox", ports.sandbox_port, sandbox_port)
    sandbox_url = f"http://127.0.0.1:{sandbox_port}"
    settings = settings.model_copy(
        update={
            "database_url": SecretStr(postgres.url("daybook")),
            "secret_key": settings.encryption_key(),
            "xero_api_url": sandbox_url,
            "xero_identity_url": sandbox_url,
            "xero_login_url": sandbox_url,
            "xero_client_id": _SANDBOX_APP,
            "xero_client_secret": SecretStr(_SANDBOX_APP),
        }
    )
    environment = (
        inherited_variables()
        | variables_of(settings)
        | _prefect_variables(settings.home, prefect_port, postgres)
    )
    return Stack(settings, environment, f"http://127.0.0.1:{prefect_port}", sandbox_url, {})


def _prefect_variables(home: Path, port: int, postgres: EmbeddedPostgres) -> dict[str, str]:
    """Return the environment of Prefect's server, worker and runs; docs/operations.md says why."""
    database_url = postgres.url("prefect").replace("postgresql://", "postgresql+asyncpg://")
    return {
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "daybook",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        # As a variable, not as an option: the option leaves the UI pointing at port 4200.
        "PREFECT_SERVER_API_PORT": str(port),
        # In memory, the default, a restart of the server would leak every slot that was taken.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
            "prefect.server.concurrency.lease_storage.filesystem"
        ),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }


def _start_children(stack: Stack) -> None:
    """Start all processes at once; those that need another one wait for it."""
    sandbox_port = stack.sandbox_url.rpartition(":")[2]
    prefect = [sys.executable, "-m", "deployments.demo.prefect_command"]
    commands = {
        "prefect-server": [*prefect, "prefect.server.api.server", "server", "start"],
        "sandbox": [
            *(sys.executable, "-m", "daybook.cli", "sandbox", "--port", sandbox_port),
            *("--state", str(stack.settings.home / "sandbox.json")),
        ],
        "prefect-worker": [
            *prefect,
            "prefect.cli.worker,prefect.workers.process",
            *("worker", "start", "--type", "process", "--pool", WORK_POOL),
            *("--limit", str(_WORKER_RUNS_MAX)),
        ],
        "prefect-deploy": [
            *prefect,
            "prefect.cli.deploy,flows.daily_sales,flows.backfill",
            *("--no-prompt", "deploy", "--all"),
        ],
    }
    for name, command in commands.items():
        stack.children[name] = start_child(
            name,
            command,
            environment=stack.environment,
            logs=stack.settings.home / "logs",
            folder=PROJECT,
        )
    stack.children["prefect-server"].say("go")


def _end(stack: Stack, mark: str) -> None:
    """End the worker and its runs while they can still tell the server, then all the others."""
    if worker := stack.children.get("prefect-worker"):
        worker.end()
    end_marked(mark)
    for child in stack.children.values():
        child.end()


def end_leftovers(home: Path) -> int:
    """End what earlier demos in this home left running; return how many processes there were."""
    return end_marked(f"{home}:")


@contextlib.contextmanager
def only_demo_in(home: Path) -> Iterator[None]:
    """Hold the home for the length of the block; raise Busy while another demo does."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / LOCK).open("a+")
    except OSError as error:
        raise SettingError(
            f"The demo cannot write in {home} ({error.strerror}); "
            "set DAYBOOK_HOME to a folder you may write in."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Busy(
                f"A demo is already running in {home} (process {lock.read().strip()}); "
                "end it first, or set DAYBOOK_HOME to another folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.contextmanager
def _guarded(home: Path, mark: str) -> Iterator[None]:
    """Have a guard clean up in case this process is killed."""
    guard = start_child(
        "guard",
        [sys.executable, "-m", "deployments.demo.guard", str(home), mark],
        environment=inherited_variables(),
        logs=home / "logs",
        folder=PROJECT,
    )
    try:
        yield
    finally:
        guard.dismiss()


def _refuse_foreign_parts(settings: Settings) -> None:
    """Refuse to run the demo on a database or a Xero that is not its own."""
    names = ("database_url", "xero_api_url", "xero_identity_url", "xero_login_url")
    for name in names:
        if getattr(settings, name) != Settings.model_fields[name].default:
            raise SettingError(
                f"The demo runs on a database and a Xero sandbox of its own; unset "
                f"DAYBOOK_{name.upper()} for it, so that nothing real is touched."
            )


def _tell_if_taken(tell: Callable[[str], None], name: str, asked: int, chosen: int) -> None:
    if chosen != asked:
        tell(f"Port {asked} is taken; {name} uses {chosen}.")


def _answers(url: str) -> bool:
    """Whether a server is up at this address."""
    try:
        return not httpx.get(url, timeout=5).is_server_error
    except httpx.TransportError:
        return False
