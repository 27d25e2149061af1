"""Xero without a network: a clock that jumps, and clients whose requests a function answers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, TypeAlias

import httpx

from daybook.xero.auth import Bearer, FixedToken
from daybook.xero.client import XeroClient, open_http
from daybook.xero.limits import Unlimited

if TYPE_CHECKING:
    from collections.abc import Callable

    from daybook.clock import Clock

    MakeClient: TypeAlias = Callable[[Callable[[httpx.Request], httpx.Response]], XeroClient]


class JumpingClock:
    """Waits by jumping ahead."""

    def __init__(self) -> None:
        """Start at a noon."""
        self._now_at = dt.datetime(2026, 7, 14, 12, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        """The time now."""
        return self._now_at

    def sleep(self, seconds: float) -> None:
        """Jump ahead."""
        self._now_at += dt.timedelta(seconds=seconds)


def answered_client(answer: Callable[[httpx.Request], httpx.Response], clock: Clock) -> XeroClient:
    """Return a client of an organisation whose requests the function answers."""
    return XeroClient(
        http=open_http(httpx.MockTransport(answer)),
        auth=Bearer(FixedToken("secret-token")),
        api_url="https://xero.test",
        tenant_id_xero="tenant-1",
        budget=Unlimited(),
        clock=clock,
    )
