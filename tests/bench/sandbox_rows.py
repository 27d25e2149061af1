"""Small calls to a sandbox of its own process: one invoice created, one invoice read, a second.

The caller keeps as many connections busy as Xero allows at once and does nothing but count bytes,
so that it is the sandbox that is measured. The best of several rounds counts; the rate of all of
them is in the note, and the server's own CPU seconds, which hardly depend on who else uses the
machine.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from tests.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AIM_CALLS_PER_SECOND = 2000
CALLS_AT_ONCE = 5
ROUND_COUNT = 5
CALLS_PER_ROUND = 2000
WARM_UP_COUNT = 500
_RUN_SANDBOX = """
from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import run
run(SandboxConfig(limits=False), "127.0.0.1", 0)
"""
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def rows(_: Path) -> Iterator[Row]:
    """PUT of one invoice; beside it GET of one by its number."""
    with _sandbox() as (server, url):
        head = _head(url)
        address = (url.host, url.port or 80)
        _calls(address, [_put(head, f"W-{n}") for n in range(WARM_UP_COUNT)])
        rates, notes = [], []
        for name, request in (("PUT", _put), ("GET", _get)):
            before, seconds = _cpu_seconds(server), []
            for first in range(0, ROUND_COUNT * CALLS_PER_ROUND, CALLS_PER_ROUND):
                numbers = range(first, first + CALLS_PER_ROUND)
                requests = [request(head, f"P-{number}") for number in numbers]
                seconds.append(_calls(address, requests))
            cpu_seconds = _cpu_seconds(server) - before
            call_count = ROUND_COUNT * CALLS_PER_ROUND
            rates.append(CALLS_PER_ROUND / min(seconds))
            notes.append(
                f"{name} {rates[-1]:,.0f} (all rounds {call_count / sum(seconds):,.0f}, "
                f"{call_count / cpu_seconds:,.0f} a CPU second of the server)"
            )
    yield Row(
        "sandbox_small_calls_per_second",
        rates[0],
        "calls/s",
        "aim",
        AIM_CALLS_PER_SECOND,
        f"one invoice a call, {CALLS_AT_ONCE} at once, best of {ROUND_COUNT} rounds; "
        + ", ".join(notes),
    )


@contextmanager
def _sandbox() -> Iterator[tuple[psutil.Process, httpx.URL]]:
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _RUN_SANDBOX], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            said = re.search(r"http://\S+", server.stdout.readline())
            assert said is not None, "the sandbox says where it is"
            yield psutil.Process(server.pid), httpx.URL(said[0])
        finally:
            server.kill()


def _cpu_seconds(server: psutil.Process) -> float:
    times = server.cpu_times()
    return float(times.user + times.system)


def _head(url: httpx.URL) -> str:
    """Connect as any client does; what stands between the request line and the length."""
    boot: dict[str, Any] = httpx.get(url.join("/_sandbox")).json()
    answer = httpx.post(
        url.join("/connect/token"),
        data={"grant_type": "refresh_token", "refresh_token": boot["refresh_token"]},
        auth=(boot["client_id"], boot["client_secret"]),
    )
    return (
        f"Host: {url.host}:{url.port}\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {answer.json()['access_token']}\r\n"
        f"Xero-Tenant-Id: {boot['organisations'][0]['tenant_id']}\r\n"
    )


def _put(head: str, number: str) -> bytes:
    body = json.dumps(
        {
            "Type": "ACCREC",
            "Status": "AUTHORISED",
            "Contact": {"Name": "Daily sales"},
            "Date": "2026-07-14",
            "DueDate": "2026-07-14",
            "InvoiceNumber": number,
            "LineAmountTypes": "Exclusive",
            "LineItems": [
                {
                    "Description": "Food",
                    "Quantity": 1,
                    "UnitAmount": "100.00",
                    "AccountCode": "200",
                    "TaxType": "OUTPUT2",
                    "TaxAmount": "15.00",
                }
            ],
        }
    )
    return (
        f"PUT /api.xro/2.0/Invoices HTTP/1.1\r\n{head}Idempotency-Key: {number}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _get(head: str, number: str) -> bytes:
    return f"GET /api.xro/2.0/Invoices/{number} HTTP/1.1\r\n{head}\r\n".encode()


def _calls(address: tuple[str, int], requests: list[bytes]) -> float:
    """Make the calls, a few at once, and return the seconds; each must be answered with 200."""
    with ExitStack() as cleanup:
        callers = [
            cleanup.enter_context(socket.create_connection(address)) for _ in range(CALLS_AT_ONCE)
        ]
        waiting: list[socket.socket] = []
        started = time.perf_counter()
        for number, request in enumerate(requests):
            caller = callers[number % CALLS_AT_ONCE]
            if len(waiting) == CALLS_AT_ONCE:
                _read(waiting.pop(0))
            caller.sendall(request)
            waiting.append(caller)
        for caller in waiting:
            _read(caller)
        return time.perf_counter() - started


def _read(caller: socket.socket) -> None:
    """Read one whole reply."""
    reply = caller.recv(65536)
    while b"\r\n\r\n" not in reply:
        reply += caller.recv(65536)
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), reply
    length = _LENGTH.search(head)
    assert length is not None, head
    received = len(body)
    while received < int(length[1]):
        received += len(caller.recv(65536))
