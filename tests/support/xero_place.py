"""A sandbox and a client of its first organisation, signed in with the ready refresh token."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import serve
from daybook.xero.auth import Bearer
from daybook.xero.client import XeroClient, open_http
from daybook.xero.identity import IssuedTokens, XeroApp, refresh
from daybook.xero.limits import Unlimited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daybook.sandbox.server import RunningSandbox

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"


@dataclass
class SharedClock:
    """The sandbox's time: waiting moves it on, so that limits and lifetimes pass at once."""

    control: httpx.Client
    waited_seconds: float = 0

    def now(self) -> dt.datetime:
        """The sandbox's time now."""
        return dt.datetime.fromisoformat(self.control.get("/_sandbox/clock").json()["now"])

    def sleep(self, seconds: float) -> None:
        """Move the sandbox's time on."""
        self.waited_seconds += seconds
        self.control.post("/_sandbox/clock", json={"advance_seconds": seconds})


@dataclass
class MemoryKeeper:
    """Keeps one token set in memory and renews it when it is rejected."""

    app: XeroApp
    http: httpx.Client
    clock: SharedClock
    tokens: IssuedTokens
    renewal_count: int = 0

    def access_token(self, rejected: str | None = None) -> str:
        """Return the token, renewed if Xero rejected it."""
        if rejected == self.tokens.access_token:
            self.renewal_count += 1
            self.tokens = refresh(
                self.app, self.tokens.refresh_token, http=self.http, clock=self.clock
            )
        return self.tokens.access_token


@dataclass
class Place:
    """A sandbox and what a test does to it."""

    sandbox: RunningSandbox
    control: httpx.Client
    clock: SharedClock
    keeper: MemoryKeeper
    client: XeroClient

    def fault(self, **fault: object) -> None:
        """Make a coming call fail."""
        self.control.post("/_sandbox/faults", json=fault).raise_for_status()

    def limits(self, **limits: object) -> None:
        """Change what is allowed."""
        self.control.post("/_sandbox/limits", json=limits).raise_for_status()

    def calls(self, path: str) -> int:
        """Count the write calls that the sandbox saw for this path."""
        answer = self.control.get("/_sandbox/requests", params={"writes": "1", "path": path})
        return int(answer.json()["count"])


@contextmanager
def signed_in() -> Iterator[Place]:
    """Serve a sandbox and sign in."""
    with (
        serve(SandboxConfig()) as sandbox,
        open_http() as http,
        httpx.Client(base_url=sandbox.url, timeout=60) as control,
    ):
        boot = sandbox.bootstrap
        app = XeroApp(
            client_id=boot.client_id,
            client_secret=boot.client_secret,
            redirect_url="http://localhost:8765/callback",
            api_url=boot.api_url,
            identity_url=boot.identity_url,
            login_url=boot.login_url,
        )
        clock = SharedClock(control)
        tokens = refresh(app, boot.refresh_token, http=http, clock=clock)
        keeper = MemoryKeeper(app, http, clock, tokens)
        client = XeroClient(
            http=http,
            auth=Bearer(keeper),
            api_url=app.api_url,
            tenant_id_xero=boot.organisations[0].tenant_id,
            budget=Unlimited(),
            clock=clock,
        )
        yield Place(sandbox, control, clock, keeper, client)
