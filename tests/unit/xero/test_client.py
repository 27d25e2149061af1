"""Calls to one organisation: what is repeated, what is not, and what an error says."""

from __future__ import annotations

import datetime as dt
import json
import logging
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

from daybook.errors import DaybookError, RateLimited, Unavailable, UnknownOutcome
from daybook.xero.auth import Bearer, FixedToken
from daybook.xero.client import XeroClient, open_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from answered_xero import MakeClient

    from daybook.clock import Clock
    from daybook.xero.limits import LimitsSeen


_Answer = httpx.Response | Exception
_NOTHING_SENT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout]
_MAYBE_SENT = [
    httpx.ReadTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.WriteTimeout,
    httpx.RemoteProtocolError,
]


class _Script:
    """Answers one after the other and remembers the requests."""

    def __init__(self, *answers: _Answer) -> None:
        self._answers: Iterator[_Answer] = iter(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


class _Budget:
    """Counts what is acquired and released."""

    def __init__(self) -> None:
        self.open_ids: set[int] = set()
        self.seen: list[LimitsSeen] = []

    def acquire(self, tenant_id_xero: str) -> int:  # noqa: ARG002 - one organisation only
        call_id = len(self.seen) + 1
        self.open_ids.add(call_id)
        return call_id

    def release(self, call_id: int, seen: LimitsSeen) -> None:
        self.open_ids.remove(call_id)
        self.seen.append(seen)


def _ok(content: object = None) -> httpx.Response:
    return httpx.Response(200, json=content or {"Status": "OK"})


def _limited(problem: str, seconds: int) -> httpx.Response:
    headers = {"Retry-After": str(seconds), "X-Rate-Limit-Problem": problem}
    return httpx.Response(429, headers=headers)


def _put(client: XeroClient) -> object:
    return client.write("PUT", "/Invoices", {"Invoices": []}, idempotency_key="key-1")


def test_a_read_names_its_organisation_and_asks_for_json(make_client: MakeClient) -> None:
    """Without these headers Xero answers in XML, or for nobody."""
    script = _Script(_ok())
    make_client(script).get("/Invoices", {"page": "1"})
    request = script.requests[0]
    assert "https://xero.test/api.xro/2.0/Invoices?page=1" == str(request.url)
    assert ("tenant-1", "application/json", "Bearer secret-token") == (
        request.headers["xero-tenant-id"],
        request.headers["accept"],
        request.headers["authorization"],
    )


def test_a_write_carries_its_key_and_exact_amounts(make_client: MakeClient) -> None:
    """An amount goes out with the digits it has, as a JSON number."""
    script = _Script(_ok())
    make_client(script).write(
        "PUT",
        "/Invoices",
        {"UnitAmount": Decimal("10.10")},
        params={"summarizeErrors": "false"},
        idempotency_key="key-1",
    )
    assert b'{"UnitAmount":10.10}' == script.requests[0].content
    assert "key-1" == script.requests[0].headers["idempotency-key"]
    assert b"summarizeErrors=false" == script.requests[0].url.query


@pytest.mark.parametrize("key", ["", "k" * 129])
def test_a_write_without_a_proper_key_never_leaves(make_client: MakeClient, key: str) -> None:
    """A missing or over-long key is a broken invariant."""
    script = _Script(_ok())
    with pytest.raises(AssertionError):
        make_client(script).write("PUT", "/Invoices", {}, idempotency_key=key)
    assert [] == script.requests


@pytest.mark.parametrize("cause", [*_NOTHING_SENT, *_MAYBE_SENT])
def test_a_read_is_tried_again_until_xero_answers(
    make_client: MakeClient, cause: type[httpx.RequestError]
) -> None:
    """Reads are safe to repeat."""
    script = _Script(cause("lost"), httpx.Response(503, text="offline"), _ok({"Id": "1"}))
    assert {"Id": "1"} == make_client(script).get("/Organisation")


def test_a_read_gives_up_after_a_few_attempts(make_client: MakeClient) -> None:
    """The number of attempts is bounded."""
    script = _Script(*[httpx.Response(500)] * 9)
    with pytest.raises(Unavailable, match="500"):
        make_client(script).get("/Organisation")
    assert 4 == len(script.requests)


def test_waits_between_reads_grow(make_client: MakeClient, clock: Clock) -> None:
    """Half a second, one, two: with jitter of a half each."""
    started_at = clock.now()
    with pytest.raises(Unavailable):
        make_client(_Script(*[httpx.Response(500)] * 9)).get("/Organisation")
    waited = clock.now() - started_at
    assert dt.timedelta(seconds=1.75) <= waited <= dt.timedelta(seconds=5.25)


@pytest.mark.parametrize("cause", _NOTHING_SENT)
def test_a_write_that_was_not_sent_did_nothing(
    make_client: MakeClient, cause: type[httpx.RequestError]
) -> None:
    """No connection was made, so Xero knows nothing of it."""
    script = _Script(cause("refused"))
    with pytest.raises(Unavailable, match="nothing was sent"):
        _put(make_client(script))
    assert 1 == len(script.requests)


@pytest.mark.parametrize("cause", _MAYBE_SENT)
def test_a_write_that_may_have_arrived_is_never_sent_again(
    make_client: MakeClient, cause: type[httpx.RequestError]
) -> None:
    """Its outcome is unknown; only a lookup can tell."""
    script = _Script(cause("lost"))
    with pytest.raises(UnknownOutcome, match="PUT /Invoices"):
        _put(make_client(script))
    assert 1 == len(script.requests)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_write_that_xero_failed_on_is_never_sent_again(
    make_client: MakeClient, status: int
) -> None:
    """A failure may come after the saving."""
    script = _Script(httpx.Response(status))
    with pytest.raises(UnknownOutcome):
        _put(make_client(script))
    assert 1 == len(script.requests)


@pytest.mark.parametrize("problem", ["minute", "concurrent", "appminute"])
def test_a_limited_write_waits_as_long_as_xero_says(
    make_client: MakeClient, clock: Clock, problem: str
) -> None:
    """A 429 did nothing, so the same write goes out again, with the same key."""
    started_at = clock.now()
    script = _Script(_limited(problem, 22), _ok({"Id": "1"}))
    assert {"Id": "1"} == _put(make_client(script))
    assert dt.timedelta(seconds=22) == clock.now() - started_at
    assert {"key-1"} == {request.headers["idempotency-key"] for request in script.requests}


def test_a_used_up_day_is_not_waited_out(make_client: MakeClient, clock: Clock) -> None:
    """The caller learns at once when it may go on."""
    started_at = clock.now()
    with pytest.raises(RateLimited) as caught:
        _put(make_client(_Script(_limited("day", 66975))))
    assert ("day", 66975) == (caught.value.problem, caught.value.retry_after_seconds)
    assert started_at == clock.now()


def test_waiting_for_a_limit_has_an_end(make_client: MakeClient, clock: Clock) -> None:
    """At most ten attempts and five minutes of waiting."""
    started_at = clock.now()
    script = _Script(*[_limited("minute", 60)] * 20)
    with pytest.raises(RateLimited):
        _put(make_client(script))
    assert clock.now() - started_at <= dt.timedelta(seconds=300)
    assert len(script.requests) <= 10


def test_every_call_gives_back_what_it_acquired(clock: Clock) -> None:
    """Lost replies too: a slot that is never released would be lost for minutes."""
    budget = _Budget()
    script = _Script(httpx.ReadTimeout("lost"), httpx.Response(200, headers=_REMAINING, json={}))
    client = XeroClient(
        http=open_http(httpx.MockTransport(script)),
        auth=Bearer(FixedToken("t")),
        api_url="https://xero.test",
        tenant_id_xero="tenant-1",
        budget=budget,
        clock=clock,
    )
    with pytest.raises(UnknownOutcome):
        _put(client)
    client.get("/Organisation")
    assert set() == budget.open_ids
    assert [None, 59] == [seen.minute_remaining for seen in budget.seen]


_REMAINING = {"X-MinLimit-Remaining": "59"}
_EVERY_END: list[_Answer] = [
    httpx.ReadTimeout("lost"),
    httpx.ConnectError("refused"),
    httpx.Response(400, json={"Message": "bad"}),
    httpx.Response(401, json={"Detail": "AuthorizationUnsuccessful"}),
    httpx.Response(401, json={"Detail": "TokenExpired"}),
    httpx.Response(403, json={}),
    httpx.Response(404, text="no"),
    _limited("day", 5),
    httpx.Response(500, text="no"),
    httpx.Response(200, text="no"),
]


@pytest.mark.parametrize("end", _EVERY_END, ids=str)
def test_no_error_and_no_log_carries_the_token(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture, end: _Answer
) -> None:
    """Neither the error, nor what caused it, nor any log record down to debug."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(DaybookError) as caught:
        _put(make_client(_Script(end, end, end)))
    logged = [
        record.getMessage() + json.dumps(record.args, default=repr) for record in caplog.records
    ]
    shown = [repr(caught.value), str(caught.value), *logged]
    assert [] == [text for text in shown if "secret-token" in text]
    # A cause would hold the request, and the request the token.
    assert caught.value.__cause__ is None
