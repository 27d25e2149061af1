"""Runs the sandbox: in the foreground for the command, in a thread for tests."""

from __future__ import annotations

import gc
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import uvicorn

from daybook.sandbox.app import create_app
from daybook.sandbox.protocol import SandboxProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from daybook.sandbox.config import SandboxConfig
    from daybook.sandbox.simulation import Bootstrap, Simulation

START_SECONDS = 20.0
_GARBAGE_THRESHOLD = 50_000


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that serves; `simulation` lives in another thread, look but do not touch."""

    url: str
    bootstrap: Bootstrap
    simulation: Simulation


def _listen(host: str, port: int) -> socket.socket:
    """Bind; port 0 takes a free one.

    Raises:
        OSError: the port is taken or the host is not ours.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


def _prepare(
    config: SandboxConfig, listener: socket.socket, host: str
) -> tuple[FastAPI, uvicorn.Server]:
    """Build the application for the address that was bound, and its server."""
    port = listener.getsockname()[1]
    shown = "localhost" if host in {"0.0.0.0", "::"} else host  # noqa: S104  only compared
    app = create_app(replace(config, base_url=f"http://{shown}:{port}"))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=SandboxProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
    )
    return app, server


def _close(app: FastAPI) -> None:
    world: Simulation = app.state.simulation
    if world.state_file is not None:
        world.state_file.close()


def run(config: SandboxConfig, host: str, port: int) -> None:
    """Serve until interrupted; prints the bootstrap first.

    Raises:
        OSError: the port is taken.
    """
    listener = _listen(host, port)
    try:
        app, server = _prepare(config, listener, host)
        world: Simulation = app.state.simulation
        _print_bootstrap(world)
        # What a call makes is kept or gone, hardly ever a cycle: looking for those so often took an
        # eighth of its time.
        gc.freeze()
        gc.set_threshold(_GARBAGE_THRESHOLD, 20, 20)
        try:
            with suppress(KeyboardInterrupt):
                server.run(sockets=[listener])
        finally:
            _close(app)
    finally:
        listener.close()


def _print_bootstrap(world: Simulation) -> None:
    """Say how to point a client here."""
    boot = world.bootstrap()
    lines = [
        f"Xero sandbox at {boot.api_url}  (JSON: {boot.api_url}/_sandbox, books: {boot.api_url}/)",
        f"  client_id      {boot.client_id}",
        f"  client_secret  {boot.client_secret}",
        f"  refresh_token  {boot.refresh_token}",
        *(
            f"  organisation   {entry.tenant_id}  {entry.name} ({entry.country}, {entry.currency})"
            for entry in boot.organisations
        ),
    ]
    print("\n".join(lines), flush=True)  # noqa: T201  the command's own output


@contextmanager
def serve(config: SandboxConfig, port: int = 0) -> Iterator[RunningSandbox]:
    """Serve on 127.0.0.1 from a thread while the block runs.

    Raises:
        OSError: the port is taken.
    """
    listener = _listen("127.0.0.1", port)
    try:
        app, server = _prepare(config, listener, "127.0.0.1")
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True
        )
        thread.start()
        try:
            _await_start(server, thread)
            world: Simulation = app.state.simulation
            boot = world.bootstrap()
            yield RunningSandbox(url=boot.api_url, bootstrap=boot, simulation=world)
        finally:
            server.should_exit = True
            thread.join()
            _close(app)
    finally:
        listener.close()


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    """Wait until the server accepts connections."""
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("The sandbox did not start.")
        time.sleep(0.002)
