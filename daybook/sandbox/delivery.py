"""Puts replies on the wire when an endpoint sends them, and carries out the faults.

Connection-level faults need the socket: `protocol.SandboxProtocol` leaves its transport in the ASGI
scope under `extensions`, and `_reset_mid_body` and `_close` act on it behind the server's back.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from daybook.sandbox.routing import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from daybook.sandbox.faults import Fault

EXTENSION = "daybook.transport"
FLUSH_SECONDS = 0.02
NO_BODY = frozenset({204, 304})
UNAVAILABLE = "The Xero API is temporarily unavailable"
SERVER_ERROR = (
    "An error occurred in Xero. Check the API Status page http://status.developer.xero.com"
)
SIGN_IN_PAGE = (
    "<!DOCTYPE html><html><head><title>Just a moment</title></head><body>Checking.</body></html>"
)


async def send_reply(send: Send, reply: Reply) -> None:
    """Send headers and body, which `JoinedWrites` puts into one write."""
    await send({"type": "http.response.start", "status": reply.status, "headers": _headers(reply)})
    await send({"type": "http.response.body", "body": reply.body})


def _headers(reply: Reply) -> list[tuple[bytes, bytes]]:
    headers = [(key.encode(), value.encode("latin-1")) for key, value in reply.headers.items()]
    if reply.content_type:
        headers.append((b"content-type", reply.content_type.encode()))
    if reply.status not in NO_BODY:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    return headers


async def send_with_fault(
    fault: Fault, answer: Callable[[], Reply], scope: Scope, receive: Receive, send: Send
) -> Reply | None:  # fmt: skip
    """Answer a call that a fault hits; nothing is returned when the caller saw no reply."""
    kind = fault.fault
    if kind == "lost_request":
        await _close(scope, receive)
        return None
    if kind == "slow" and fault.when == "before":
        await asyncio.sleep(fault.seconds)
    if kind == "duplicate_delivery":
        answer()
    reply = _instead(fault, answer)
    if kind == "slow" and fault.when == "after":
        await asyncio.sleep(fault.seconds)
    if kind == "lost_reply":
        await _close(scope, receive)
        return None
    if kind == "reset_mid_body":
        await _reset_mid_body(reply, scope, receive, send)
        return None
    await send_reply(send, reply)
    return reply


def _instead(fault: Fault, answer: Callable[[], Reply]) -> Reply:
    """Return the reply the caller gets: the true one, a spoilt one, or one without any work."""
    kind = fault.fault
    if kind == "rate_limited":
        headers = {"x-rate-limit-problem": fault.problem}
        if fault.retry_after is not None:
            headers["retry-after"] = str(fault.retry_after)
        return Reply(429, b"", "", headers)
    if kind == "unavailable":
        return _after_work(fault, answer, Reply(503, UNAVAILABLE.encode(), "text/plain"))
    if kind == "server_error":
        return _after_work(fault, answer, Reply(500, SERVER_ERROR.encode(), "text/html"))
    reply = answer()
    if kind == "truncated_body":
        return Reply(
            reply.status, reply.body[: len(reply.body) // 2], reply.content_type, reply.headers
        )
    if kind == "wrong_content_type":
        return Reply(fault.status, SIGN_IN_PAGE.encode(), "text/html; charset=utf-8")
    return reply


def _after_work(fault: Fault, answer: Callable[[], Reply], reply: Reply) -> Reply:
    """Do the work first when the fault says that it was committed."""
    if fault.is_committed:
        answer()
    return reply


async def _close(scope: Scope, receive: Receive) -> None:
    """Close the connection without a byte of reply."""
    scope["extensions"][EXTENSION]["transport"].close()
    await _until_closed(receive)


async def _reset_mid_body(reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the headers and half of the body, then reset the connection."""
    await send({"type": "http.response.start", "status": reply.status, "headers": _headers(reply)})
    half = reply.body[: len(reply.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    await asyncio.sleep(FLUSH_SECONDS)
    transport = scope["extensions"][EXTENSION]["transport"]
    linger = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    await _until_closed(receive)


async def _until_closed(receive: Receive) -> None:
    """Wait until the server has noticed, so that it does not answer 500 by itself."""
    while (await receive())["type"] != "http.disconnect":
        pass
