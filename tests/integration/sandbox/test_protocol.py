"""The short way of small calls: byte for byte what uvicorn's way answers, and no call left over."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from sandbox_caller import API, sales_invoice

from daybook.sandbox.protocol import JoinedWrites, SandboxProtocol
from daybook.sandbox.recorded import Recorded

if TYPE_CHECKING:
    from sandbox_caller import Caller

    from daybook.sandbox.http import Request
    from daybook.sandbox.routing import Reply

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


@pytest.mark.parametrize("faults", [[], [NEVER]])
def test_url_that_is_too_long_is_refused(call: Caller, faults: list[dict[str, object]]) -> None:
    """One of 65,535 bytes is answered, one more is not, on either way."""
    for fault in faults:
        call.control("POST", "/faults", json=fault)
    start = "/Organisation?x="
    for length, status in ((65_535, b"200"), (65_536, b"400")):
        path = start + "x" * (length - len(API + start))
        with connect(call) as caller:
            caller.sendall(request(call, "GET", path))
            ((head, _),) = replies(caller, 1)
        assert status == head.split()[1]


def test_reply_to_a_caller_that_left_is_dropped() -> None:
    """A connection that ended before the loop came round is not written to."""

    class Gone(asyncio.Transport):
        def is_closing(self) -> bool:
            return True

        def write(self, data: bytes | bytearray | memoryview) -> None:
            raise RuntimeError(data)

    async def reply() -> None:
        failures: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))
        JoinedWrites(Gone()).write(b"late")
        await asyncio.sleep(0)
        assert failures == []

    asyncio.run(reply())


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


def test_six_calls_that_overlap_are_one_too_many(call: Caller) -> None:
    """Five bodies on their way are five calls in progress, without any fault that makes them so."""
    call.control("POST", "/limits", json={"enabled": True})
    callers = [connect(call) for _ in range(5)]
    try:
        for caller in callers:
            caller.sendall(request(call, "PUT", "/Invoices", b"[]")[:-1])
        await_in_progress(call, 5)
        sixth = call.send("GET", "/Organisation")
        assert (429, "concurrent") == (sixth.status_code, sixth.headers["x-rate-limit-problem"])
        for caller in callers:
            caller.sendall(b"]")
            ((head, _),) = replies(caller, 1)
            assert head.startswith(b"HTTP/1.1 400 ")
    finally:
        for caller in callers:
            caller.close()
    assert 200 == call.send("GET", "/Organisation").status_code


def test_fault_planned_while_a_body_comes_strikes(call: Caller) -> None:
    """A call counts for faults when it is complete, as one that was slow to begin with."""
    whole = request(call, "PUT", "/Invoices", json.dumps(sales_invoice("P-1")).encode())
    with connect(call) as caller:
        caller.sendall(whole[:-50])
        await_in_progress(call, 1)
        call.control("POST", "/faults", json={"fault": "slow", "seconds": 0.01, "nth": 1})
        caller.sendall(whole[-50:] + request(call, "GET", "/Invoices/P-1"))
        (first, answer), (second, _) = replies(caller, 2)
    assert first.startswith(b"HTTP/1.1 200 ")
    assert b'"InvoiceNumber":"P-1"' in answer
    assert second.startswith(b"HTTP/1.1 200 ")
    log = call.control("GET", f"/requests?path={API}/Invoices")["requests"]
    assert ["slow", ""] == [row["fault"] for row in log[-2:]]
    await_in_progress(call, 0)


@pytest.mark.parametrize("faults", [[], [NEVER]])
def test_call_whose_body_comes_is_answered_before_the_end(
    call: Caller, monkeypatch: pytest.MonkeyPatch, faults: list[dict[str, object]]
) -> None:
    """A server that stops lets a call that began come to its end, then closes the connection."""
    made: list[SandboxProtocol] = []

    def remembered(self: SandboxProtocol, transport: asyncio.Transport) -> None:
        made.append(self)
        begin(self, transport)

    begin = SandboxProtocol.connection_made
    monkeypatch.setattr(SandboxProtocol, "connection_made", remembered)
    whole = request(call, "PUT", "/Invoices", json.dumps(sales_invoice("P-1")).encode())
    with connect(call) as caller:
        caller.sendall(whole[:-50])
        await_in_progress(call, 1)
        (protocol,) = [one for one in made if one.client == caller.getsockname()]
        protocol.loop.call_soon_threadsafe(protocol.shutdown)
        for fault in faults:
            call.control("POST", "/faults", json=fault)
        call.control("GET", "/clock")
        caller.sendall(whole[-50:])
        ((head, _),) = replies(caller, 1)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"" == caller.recv(1)


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
    """A caller is told, and what it sent behind that call is answered."""
    answer = Recorded.at_once

    def broken(self: Recorded, given: Request) -> Reply:
        if given.path.endswith("/Broken"):
            raise ZeroDivisionError
        return answer(self, given)

    monkeypatch.setattr(Recorded, "at_once", broken)
    both = request(call, "GET", "/Broken") + request(call, "GET", "/Organisation")
    with connect(call) as caller:
        caller.sendall(both)
        (first, text), (second, _) = replies(caller, 2)
    assert first.startswith(b"HTTP/1.1 500 ")
    assert b"Internal Server Error" == text
    assert second.startswith(b"HTTP/1.1 200 ")
    await_in_progress(call, 0)
