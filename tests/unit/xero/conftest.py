"""What the tests of the Xero adapter share: a clock that jumps, and clients without a network."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Protocol

import httpx
import pytest

from daybook.xero.auth import Bearer, FixedToken
from daybook.xero.client import XeroClient, open_http
from daybook.xero.limits import Unlimited

if TYPE_CHECKING:
    from collections.abc import Callable

    from daybook.clock import Clock


class _JumpingClock:
    """Waits by jumping ahead."""

    def __init__(self) -> None:
        self._now_at = dt.datetime(2026, 7, 14, 12, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        return self._now_at

    def sleep(self, seconds: float) -> None:
        self._now_at += dt.timedelta(seconds=seconds)


class MakeClient(Protocol):
    """Makes a client whose requests a function answers."""

    def __call__(self, answer: Callable[[httpx.Request], httpx.Response]) -> XeroClient:
        """Return the client."""
        ...


@pytest.fixture
def clock() -> Clock:
    """A clock that jumps ahead instead of waiting."""
    return _JumpingClock()


@pytest.fixture
def make_client(clock: Clock) -> MakeClient:
    """Make a client of an organisation whose requests the given function answers."""

    def make(answer: Callable[[httpx.Request], httpx.Response]) -> XeroClient:
        return XeroClient(
            http=open_http(httpx.MockTransport(answer)),
            auth=Bearer(FixedToken("secret-token")),
            api_url="https://xero.test",
            tenant_id_xero="tenant-1",
            budget=Unlimited(),
            clock=clock,
        )

    return make
