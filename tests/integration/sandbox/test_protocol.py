"""The short way of small calls: byte for byte what uvicorn's way answers, and no call left over."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from sandbox_caller import API, sales_invoice

from daybook.sandbox.recorded import Recorded

if TYPE_CHECKING:
    from sandbox_caller import Caller

NEVER = {"fault": "unavailable", "match": {"path": "/nowhere"}}


def connect(call: Caller) -> socket.socket:
    """A connection of one's own to the sandbox."""
    at = urlsplit(call.sandbox.url)
    return socket.create_connection((str(at.hostname), at.port or 80), timeout=60)


def request(call: Caller, method: str, path: str, body: bytes = b"", *more: str) -> bytes:
    """A request as bytes."""
    fields = [f"{name}: {value}" for name, value in call.headers.items()]
    fields += [f"Content-Length: {len(body)}", *more]
    return (
        "\r\n".join([f"{method} {API}{path} HTTP/1.1", "Host: x", *fields, "", ""]).encode() + body
    )


def replies(caller: socket.socket, count: int) -> list[tuple[bytes, bytes]]:
    """Read so many replies: head and body of each."""
    found: list[tuple[bytes, bytes]] = []
    received = b""
    while len(found) < count:
        head, end, rest = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if end and length and len(rest) >= int(length[1]):
            found.append((head, rest[: int(length[1])]))
            received = rest[int(length[1]) :]
            continue
        part = caller.recv(65536)
        assert part, received
        received += part
    assert received == b""
    return found


def in_progress(call: Caller) -> int:
    """How many calls the limits take for unfinished."""
    return sum(row["in_progress"] for row in call.control("GET", "/limits")["organisations"])


def await_in_progress(call: Caller, count: int) -> None:
    """Wait until so many are: what is sent on another connection may be read after this call."""
    give_up = time.monotonic() + 60
    while (seen := in_progress(call)) != count:
        assert time.monotonic() < give_up, seen
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Organisation"),
        ("GET", "/Invoices?where=Type%3D%3D%22ACCREC%22"),
        ("GET", "/Invoices/a%20number"),
        ("GET", "/Nothing"),
        ("PATCH", "/Invoices"),
        ("DELETE", "/Invoices"),
        ("PUT", "/Invoices"),
    ],
)
def test_both_ways_answer_alike(call: Caller, method: str, path: str) -> None:
    """With a fault that waits for another call the same request gets the same reply."""
    call.control("POST", "/clock", json={"freeze": True})
    short = call.send(method, path)
    call.control("POST", "/faults", json=NEVER)
    long = call.send(method, path)
    changing = {"xero-correlation-id", "date"}
    assert short.status_code == long.status_code
    assert {k: v for k, v in short.headers.items() if k not in changing} == {
        k: v for k, v in long.headers.items() if k not in changing
    }
    ids = re.compile(rb'"Id":"[^"]*"')
    assert ids.sub(b"", short.content) == ids.sub(b"", long.content)
    one, other = call.control("GET", f"/requests?path={API}")["requests"][-2:]
    assert one | {"sequence": 0, "milliseconds": 0} == other | {"sequence": 0, "milliseconds": 0}


def test_requests_sent_in_one_go_are_answered_in_order(call: Caller) -> None:
    """Nothing is lost between requests of one packet, on either way."""
    whole = b"".join(request(call, "GET", f"/Invoices/P-{number}") for number in range(3))
    for _ in range(2):
        with connect(call) as caller:
            caller.sendall(whole)
            answered = replies(caller, 3)
        assert [404] * 3 == [int(head.split()[1]) for head, _ in answered]
        log = call.control("GET", f"/requests?path={API}/Invoices")["requests"]
        assert ["P-0", "P-1", "P-2"] == [row["path"][-3:] for row in log[-3:]]
        call.control("POST", "/faults", json=NEVER)


def test_body_may_come_in_pieces(call: Caller) -> None:
    """The call is in progress from its head on and answered after its last byte."""
    body = json.dumps(sales_invoice("P-1")).encode()
    whole = request(call, "PUT", "/Invoices", body)
    with connect(call) as caller:
        caller.sendall(whole[: -len(body)])
        for part in (body[:50], body[50:]):
            await_in_progress(call, 1)
            caller.sendall(part)
        ((head, answer),) = replies(caller, 1)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b'"InvoiceNumber":"P-1"' in answer
    await_in_progress(call, 0)


def test_caller_that_leaves_is_not_in_progress(call: Caller) -> None:
    """A connection that ends within a body gives its place back."""
    call.ok("GET", "/Organisation")
    with connect(call) as caller:
        caller.sendall(request(call, "PUT", "/Invoices", b"x" * 100)[:-50])
        await_in_progress(call, 1)
    await_in_progress(call, 0)


def test_body_without_a_length_is_read(call: Caller) -> None:
    """Chunks are uvicorn's to join."""
    content = json.dumps(sales_invoice("P-1")).encode()
    answer = call.send("PUT", "/Invoices", content=iter([content[:9], content[9:]]))
    assert 200 == answer.status_code, answer.text


def test_connection_ends_when_the_caller_wants_it(call: Caller) -> None:
    """`Connection: close` is answered and obeyed."""
    with connect(call) as caller:
        caller.sendall(request(call, "GET", "/Organisation", b"", "Connection: close"))
        ((head, _),) = replies(caller, 1)
        assert b"connection: close" in head
        assert b"" == caller.recv(1)


def test_defect_of_the_sandbox_is_a_500(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller is told, and the next call is answered."""

    def broken(*_: Any) -> None:  # noqa: ANN401 - whatever is given
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Recorded, "at_once", broken)
        answer = call.send("GET", "/Organisation")
    assert (500, "Internal Server Error") == (answer.status_code, answer.text)
    await_in_progress(call, 0)
    assert 200 == call.send("GET", "/Organisation").status_code
