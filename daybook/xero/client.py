"""Calls to one organisation: signed, inside the limits, repeated only where that is safe.

A read is tried again when Xero does not answer. A write is never sent again once it may have
arrived: its outcome is then unknown, and the caller looks it up.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx
import msgspec

from daybook.errors import RateLimited, Unavailable, UnknownOutcome
from daybook.xero.limits import LimitsSeen, read_limits
from daybook.xero.responses import Reply, json_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daybook.clock import Clock
    from daybook.xero.limits import CallBudget
    from daybook.xero.responses import Json

_LOG: Final = logging.getLogger(__name__)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_KEY_LENGTH_MAX: Final = 128
_API_PATH: Final = "/api.xro/2.0"

# Both bounds hold: how often a call is repeated, and how long it waits altogether.
_ATTEMPTS_MAX: Final = 4
_LIMITED_ATTEMPTS_MAX: Final = 10
_WAIT_SECONDS_MAX: Final = 300
_FIRST_WAIT_SECONDS: Final = 0.5

# Raised before a request can have reached Xero: the connection itself was not made.
_NOTHING_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes | None

    @property
    def was_write(self) -> bool:
        return self.method != "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def open_http(transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Open the HTTP client that all organisations and the identity server share; close it after.

    The read timeout is long: Xero may take most of a minute over a batch of 50, and giving up
    early would only turn a slow success into an unknown outcome.
    """
    return httpx.Client(
        transport=transport,
        timeout=httpx.Timeout(connect=10, read=90, write=30, pool=10),
        limits=httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=5),
        headers={"Accept": "application/json", "User-Agent": "store-daybook"},
        follow_redirects=False,
    )


class XeroClient:
    """One organisation of Xero."""

    def __init__(
        self,
        *,
        http: httpx.Client,
        auth: httpx.Auth,
        api_url: str,
        tenant_id_xero: str,
        budget: CallBudget,
        clock: Clock,
    ) -> None:
        """Put a client together; nothing is sent yet."""
        self._http = http
        self._auth = auth
        self._url = api_url.rstrip("/") + _API_PATH
        self.tenant_id_xero = tenant_id_xero
        self._budget = budget
        self._clock = clock

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        """Read; repeated with growing, jittered waits while Xero does not answer.

        Raises:
            Unavailable, RateLimited: Xero did not answer in time, or the day is used up.
            ReconnectNeeded, FinalError: Xero refused.
        """
        call = _Call("GET", path, params or {}, {}, None)
        waited_seconds = 0.0
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                return self._send_within_limits(call)
            except Unavailable as error:
                wait_seconds = _FIRST_WAIT_SECONDS * 2 ** (attempt - 1)
                wait_seconds *= random.uniform(0.5, 1.5)  # noqa: S311 - jitter is no secret
                waited_seconds += wait_seconds
                is_last = attempt == _ATTEMPTS_MAX
                if is_last or waited_seconds > _WAIT_SECONDS_MAX:
                    raise
                _LOG.warning("%s Again in %.1f seconds.", error, wait_seconds)
                self._clock.sleep(wait_seconds)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def write(
        self,
        method: str,
        path: str,
        body: object,
        *,
        params: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Json:
        """Send a change once; amounts in `body` are Decimal and arrive exactly.

        Raises:
            Unavailable, RateLimited: nothing was done.
            UnknownOutcome: it may have been done; look it up before sending it again.
            Refused, ReconnectNeeded, FinalError: Xero refused.
        """
        assert 0 < len(idempotency_key) <= _KEY_LENGTH_MAX, "every write carries a key"
        headers = {"Idempotency-Key": idempotency_key, "Content-Type": "application/json"}
        return self._send_within_limits(
            _Call(method, path, params or {}, headers, _ENCODER.encode(body))
        )

    def upload(self, path: str, content: bytes, *, content_type: str, idempotency_key: str) -> Json:
        """Send a file once, as `write` does; the errors are the same.

        `path` is used as it is: what is not plain in it has to be escaped by the caller.
        """
        assert 0 < len(idempotency_key) <= _KEY_LENGTH_MAX, "every write carries a key"
        headers = {"Idempotency-Key": idempotency_key, "Content-Type": content_type}
        return self._send_within_limits(_Call("PUT", path, {}, headers, content))

    def _send_within_limits(self, call: _Call) -> Json:
        """Send; a call that a limit refused was not done: wait as Xero says and repeat it."""
        waited_seconds = 0
        for attempt in range(1, _LIMITED_ATTEMPTS_MAX + 1):
            try:
                return self._send(call)
            except RateLimited as error:
                wait_seconds = error.retry_after_seconds or 1
                waited_seconds += wait_seconds
                is_last = attempt == _LIMITED_ATTEMPTS_MAX or waited_seconds > _WAIT_SECONDS_MAX
                # A day's wait is for the caller: it frees the worker and says when it goes on.
                if is_last or error.problem == "day":
                    raise
                _LOG.info("%s waits %d seconds: %s", call, wait_seconds, error)
                self._clock.sleep(wait_seconds)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _send(self, call: _Call) -> Json:
        call_id = self._budget.acquire(self.tenant_id_xero)
        seen = LimitsSeen()
        try:
            response = self._request(call)
            seen = read_limits(response.status_code, response.headers)
        finally:
            self._budget.release(call_id, seen)
        _LOG.debug("%s answered %d", call, response.status_code)
        return json_of(
            Reply(
                response.status_code, response.headers, response.content, str(call), call.was_write
            )
        )

    def _request(self, call: _Call) -> httpx.Response:
        """Exchange one request for one complete reply, or say what is known of it.

        The causes are cut off (`from None`): they hold the request, and with it the token.
        """
        try:
            return self._http.request(
                call.method,
                self._url + call.path,
                params=call.params,
                headers={"xero-tenant-id": self.tenant_id_xero, **call.headers},
                content=call.content,
                auth=self._auth,
            )
        except _NOTHING_SENT as error:
            raise Unavailable(
                f"Xero cannot be reached ({type(error).__name__} on {call}); nothing was sent."
            ) from None
        except httpx.RequestError as error:
            what = f"{type(error).__name__} on {call}"
            if not call.was_write:
                raise Unavailable(f"Xero did not answer ({what}).") from None
            raise UnknownOutcome(
                f"Xero's reply never arrived ({what}), so it is not known whether it was done; "
                "Daybook looks it up before it goes on."
            ) from None
