"""Rate limits and idempotency keys over HTTP."""

from __future__ import annotations

import concurrent.futures
from typing import TYPE_CHECKING

import pytest
from sandbox_caller import sales_invoice

if TYPE_CHECKING:
    from sandbox_caller import Caller


@pytest.fixture
def limited(call: Caller) -> Caller:
    """A caller under Xero's limits, at a moment when its minute begins."""
    call.control("POST", "/clock", json={"freeze": True})
    call.control("POST", "/limits", json={"enabled": True, "reset": True})
    call.ok("GET", "/Organisation")
    (row,) = call.control("GET", "/limits")["organisations"]
    call.control("POST", "/clock", json={"advance_seconds": row["minute_resets_in_seconds"]})
    return call


def test_sixty_calls_a_minute_then_an_empty_429(limited: Caller) -> None:
    """The 61st call is refused with the recorded headers and goes through in the next window."""
    for left in range(59, -1, -1):
        answer = limited.send("GET", "/Organisation")
        assert (200, str(left)) == (answer.status_code, answer.headers["x-minlimit-remaining"])
    answer = limited.send("GET", "/Organisation")
    assert (429, b"", "0", "minute") == (
        answer.status_code,
        answer.content,
        answer.headers["content-length"],
        answer.headers["x-rate-limit-problem"],
    )
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert {"x-daylimit-remaining", "x-appminlimit-remaining"} <= answer.headers.keys()
    wait = int(answer.headers["retry-after"])
    limited.control("POST", "/clock", json={"advance_seconds": wait})
    assert 200 == limited.send("GET", "/Organisation").status_code


def test_day_limit_says_how_long_it_lasts(limited: Caller) -> None:
    """After the day's calls the problem is `day`, and the wait leads into the next day."""
    limited.control("POST", "/limits", json={"day_used": 4999})
    assert "0" == limited.send("GET", "/Organisation").headers["x-daylimit-remaining"]
    answer = limited.send("GET", "/Organisation")
    assert (429, "day") == (answer.status_code, answer.headers["x-rate-limit-problem"])
    wait = int(answer.headers["retry-after"])
    limited.control("POST", "/clock", json={"advance_seconds": wait - 1})
    limited.sign_in()
    assert 429 == limited.send("GET", "/Organisation").status_code
    limited.control("POST", "/clock", json={"advance_seconds": 1})
    assert 200 == limited.send("GET", "/Organisation").status_code


def test_organisations_have_their_own_windows(limited: Caller) -> None:
    """One organisation's limit does not touch another's, but the app's minute counts both."""
    limited.control("POST", "/limits", json={"minute_used": 60})
    assert 429 == limited.send("GET", "/Organisation").status_code
    other = limited.sandbox.bootstrap.organisations[1].tenant_id
    answer = limited.send("GET", "/Organisation", headers={"xero-tenant-id": other})
    assert (200, "59") == (answer.status_code, answer.headers["x-minlimit-remaining"])
    limited.control("POST", "/limits", json={"app_minute": 2})
    answer = limited.send("GET", "/Organisation", headers={"xero-tenant-id": other})
    assert (429, "appminute") == (answer.status_code, answer.headers["x-rate-limit-problem"])


def test_five_calls_at_once_and_no_sixth(limited: Caller) -> None:
    """While five are in progress a sixth is refused, without Retry-After."""
    slow = {"fault": "slow", "seconds": 3, "when": "before", "times": 5}
    limited.control("POST", "/faults", json=slow)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: limited.send("GET", "/Organisation"), range(6)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert ["concurrent"] == [answer.headers["x-rate-limit-problem"] for answer in refused]
    assert "retry-after" not in refused[0].headers
    assert 200 == limited.send("GET", "/Organisation").status_code


def test_key_replays_the_first_reply(call: Caller) -> None:
    """The same key and request give the same reply and one document; also when it was refused."""
    key = {"Idempotency-Key": "k1"}
    first = call.send("PUT", "/Invoices", headers=key, json=sales_invoice("P-1"))
    second = call.send("PUT", "/Invoices", headers=key, json=sales_invoice("P-1"))
    assert (200, first.content) == (second.status_code, second.content)
    bad = sales_invoice("P-2", Contact={})
    refused = [
        call.send("PUT", "/Invoices", headers={"Idempotency-Key": "k2"}, json=bad) for _ in "12"
    ]
    assert 400 == refused[1].status_code
    assert refused[0].content == refused[1].content
    log = call.control("GET", "/requests?writes=1")["requests"]
    assert [False, True, False, True] == [row["is_replay"] for row in log]


def test_key_belongs_to_one_request(call: Caller) -> None:
    """Another body, URL, method or organisation with the key is refused by name."""
    key = {"Idempotency-Key": "k1"}
    call.send("PUT", "/Invoices", headers=key, json=sales_invoice("P-1"))
    for answer in (
        call.send("PUT", "/Invoices", headers=key, json=sales_invoice("P-2")),
        call.send("POST", "/Invoices", headers=key, json=sales_invoice("P-1")),
        call.send("PUT", "/Invoices?unitdp=4", headers=key, json=sales_invoice("P-1")),
    ):
        assert 400 == answer.status_code
        assert "Idempotency Key: k1 is used with a different request." in answer.text
    assert 404 == call.send("GET", "/Invoices/P-2").status_code


def test_key_is_forgotten_after_six_minutes(call: Caller) -> None:
    """Later the same key is a new request - and for a payment, a second payment."""
    call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    body = {"Invoice": {"InvoiceNumber": "P-1"}, "Account": {"Code": "880"}, "Amount": 10}
    key = {"Idempotency-Key": "k1"}
    for seconds, count in ((359, 1), (2, 2)):
        call.send("PUT", "/Payments", headers=key, json=body)
        call.control("POST", "/clock", json={"advance_seconds": seconds})
        call.send("PUT", "/Payments", headers=key, json=body)
        assert count == len(call.ok("GET", "/Payments")["Payments"])


def test_long_key_processes_nothing(call: Caller) -> None:
    """A key of more than 128 characters is refused with its length."""
    key = {"Idempotency-Key": "k" * 129}
    answer = call.send("PUT", "/Invoices", headers=key, json=sales_invoice("P-1"))
    assert 400 == answer.status_code
    assert "129" in answer.text
    assert 404 == call.send("GET", "/Invoices/P-1").status_code


def test_limit_comes_before_the_key(limited: Caller) -> None:
    """A 429 is not remembered under the key, and replays use up calls."""
    key = {"Idempotency-Key": "k1"}
    limited.control("POST", "/limits", json={"minute_used": 60})
    assert 429 == limited.send("PUT", "/Contacts", headers=key, json={"Name": "A"}).status_code
    limited.control("POST", "/limits", json={"minute_used": 57})
    answers = [limited.send("PUT", "/Contacts", headers=key, json={"Name": "A"}) for _ in "123"]
    assert [200, 200, 200] == [answer.status_code for answer in answers]
    assert 429 == limited.send("PUT", "/Contacts", headers=key, json={"Name": "A"}).status_code
