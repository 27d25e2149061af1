"""Faults over HTTP: what the caller sees, and whether the work was done behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from sandbox_caller import sales_invoice

if TYPE_CHECKING:
    from sandbox_caller import Caller

ON_INVOICES = {"method": "PUT", "path": "/Invoices"}


def plan(call: Caller, fault: str, **fields: object) -> None:
    """Let a fault strike the next write of invoices."""
    call.control("POST", "/faults", json={"fault": fault, "match": ON_INVOICES, "nth": 1} | fields)


def is_saved(call: Caller, number: str = "P-1") -> bool:
    """Tell whether an invoice is in the books."""
    return call.send("GET", f"/Invoices/{number}").status_code == 200


@pytest.mark.parametrize(
    ("fault", "error", "saved"),
    [
        ("lost_reply", httpx.RemoteProtocolError, True),
        ("lost_request", httpx.RemoteProtocolError, False),
        ("reset_mid_body", httpx.ReadError, True),
    ],
)
def test_connection_breaks(
    call: Caller, fault: str, error: type[Exception], *, saved: bool
) -> None:
    """The caller sees a broken connection; only the books know whether it was committed."""
    plan(call, fault)
    with pytest.raises(error):
        call.send("PUT", "/Invoices", json=sales_invoice("P-1"))
    assert saved == is_saved(call)
    (entry,) = call.control("GET", "/requests?writes=1")["requests"]
    assert fault == entry["fault"]


@pytest.mark.parametrize(
    ("fault", "fields", "status", "saved"),
    [
        ("rate_limited", {}, 429, False),
        ("server_error", {}, 500, False),
        ("server_error", {"is_committed": True}, 500, True),
        ("unavailable", {}, 503, False),
        ("expired_token", {}, 401, False),
        ("wrong_content_type", {}, 200, True),
        ("truncated_body", {}, 200, True),
    ],
)
def test_reply_is_wrong(
    call: Caller, fault: str, fields: dict[str, object], status: int, *, saved: bool
) -> None:
    """The caller gets another or a spoilt reply; the work was done or not as the fault says."""
    plan(call, fault, **fields)
    answer = call.send("PUT", "/Invoices", json=sales_invoice("P-1"))
    assert (status, saved) == (answer.status_code, is_saved(call))
    if status == 200:
        with pytest.raises(ValueError, match=r"Expecting|Unterminated|Extra data"):
            answer.json()
    assert 200 == call.send("PUT", "/Invoices", json=sales_invoice("P-2")).status_code


def test_retry_after_may_be_missing(call: Caller) -> None:
    """A 429 carries the seconds asked for, or no Retry-After at all."""
    plan(call, "rate_limited", retry_after=7)
    plan(call, "rate_limited", retry_after=None, problem="concurrent", nth=2)
    first, second = (call.send("PUT", "/Invoices", json=sales_invoice("P-1")) for _ in "12")
    assert ("7", "minute") == (first.headers["retry-after"], first.headers["x-rate-limit-problem"])
    assert "retry-after" not in second.headers


def test_expired_token_in_flight_looks_like_the_real_one(call: Caller) -> None:
    """The body says TokenExpired although the token is young; a refresh heals it."""
    plan(call, "expired_token")
    answer = call.send("PUT", "/Invoices", json=sales_invoice("P-1"))
    assert answer.json()["Detail"].startswith("TokenExpired")
    assert 200 == call.send("GET", "/Organisation").status_code


def test_duplicate_delivery_applies_twice_without_a_key(call: Caller) -> None:
    """A request a proxy repeats makes two contacts' worth of trouble, unless it has a key."""
    call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    body = {"Invoice": {"InvoiceNumber": "P-1"}, "Account": {"Code": "880"}, "Amount": 10}
    match = {"method": "PUT", "path": "/Payments"}
    twice = {"fault": "duplicate_delivery", "match": match, "times": 2}
    call.control("POST", "/faults", json=twice)
    call.send("PUT", "/Payments", json=body)
    assert 2 == len(call.ok("GET", "/Payments")["Payments"])
    call.send("PUT", "/Payments", json=body, headers={"Idempotency-Key": "k"})
    assert 3 == len(call.ok("GET", "/Payments")["Payments"])


def test_slow_reply_is_committed_before_it_is_late(call: Caller) -> None:
    """A caller that gives up after a timeout finds the document saved."""
    plan(call, "slow", seconds=2)
    with pytest.raises(httpx.ReadTimeout):
        call.send("PUT", "/Invoices", json=sales_invoice("P-1"), timeout=0.5)
    assert is_saved(call)


def test_every_kth_and_nth_call(call: Caller) -> None:
    """`nth` strikes once at its call, `every` again and again; DELETE ends it."""
    match = {"path": "/Organisation"}
    both = [
        {"fault": "server_error", "match": match, "nth": 2},
        {"fault": "unavailable", "match": match, "every": 3},
    ]
    call.control("POST", "/faults", json=both)
    codes = [call.send("GET", "/Organisation").status_code for _ in range(7)]
    assert [200, 500, 503, 200, 200, 503, 200] == codes
    assert [1, 2] == [row["struck"] for row in call.control("GET", "/faults")["faults"]]
    call.control("DELETE", "/faults")
    assert [] == call.control("GET", "/faults")["faults"]


def test_token_calls_can_be_hit_too(call: Caller) -> None:
    """A refresh whose reply is lost has rotated; the grace saves the caller."""
    boot = call.sandbox.bootstrap
    call.control(
        "POST",
        "/faults",
        json={"fault": "lost_reply", "match": {"path": "/connect/token"}, "nth": 1},
    )
    form = {"grant_type": "refresh_token", "refresh_token": boot.refresh_token}
    pair = (boot.client_id, boot.client_secret)
    with pytest.raises(httpx.RemoteProtocolError):
        call.http.post("/connect/token", data=form, auth=pair)
    assert 200 == call.http.post("/connect/token", data=form, auth=pair).status_code


def test_misspelt_fault_is_refused(call: Caller) -> None:
    """A fault nobody knows, or with a field nobody knows, is a 400 with a reason."""
    for body in ({"fault": "lost"}, {"fault": "slow", "secs": 1}):
        answer = call.http.post("/_sandbox/faults", json=body)
        assert 400 == answer.status_code
        assert answer.json()["error"]
