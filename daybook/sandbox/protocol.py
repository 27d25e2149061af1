"""HTTP on a connection: uvicorn's protocol, with a short way for calls that wait for nothing.

uvicorn makes a task, two events and a dozen objects for a request, which costs more than most
answers. An API call that is small and cannot be hit by a fault is answered where its last byte is
read, in one write; everything else goes uvicorn's way.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from daybook.sandbox.delivery import EXTENSION, NO_BODY
from daybook.sandbox.http import Request, fields_of, unquoted
from daybook.sandbox.pipeline import PREFIX
from daybook.sandbox.routing import Reply

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from daybook.sandbox.limits import Usage
    from daybook.sandbox.recorded import Recorded

SMALL_BYTES = 1024 * 1024
"""Longer bodies go uvicorn's way, which does not read faster than it is listened to."""
_LONGEST_URL = 65_535
"""uvicorn's way refuses longer ones."""
_CALLS = f"{PREFIX}/".encode()
_METHODS = frozenset({b"GET", b"PUT", b"POST", b"DELETE"})
_LONG_WAY = frozenset({"expect", "transfer-encoding"})


class JoinedWrites:
    """A transport that sends what is written within one step of the loop in one go.

    uvicorn writes head and body of a reply apart: the caller would be woken for each.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        """Write through this transport."""
        self._transport = transport
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send it when the loop comes round, with all that follows until then."""
        if not self._parts:
            asyncio.get_running_loop().call_soon(self._flush)
        self._parts.append(data)

    def write_now(self, data: bytes) -> None:
        """Send it behind what was written before, without waiting for more."""
        if self._parts:
            self._parts.append(data)
            self._flush()
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Send what was written, then close."""
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Tell whether the connection is closed or about to be."""
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._parts:
            data = b"".join(self._parts)
            self._parts.clear()
            if not self._transport.is_closing():
                self._transport.write(data)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        """Everything else is the transport's own."""
        return getattr(self._transport, name)


class _Incoming(msgspec.Struct):
    """A call on the short way whose body is still being read."""

    method: str
    target: bytes
    headers: dict[str, str]
    usage: Usage | None
    body: list[bytes] = []
    is_last: bool = False

    def request(self) -> Request:
        """Return the call when it is complete."""
        raw_path, _, query = self.target.decode("ascii").partition("?")
        return Request(
            self.method, unquoted(raw_path), raw_path, query, self.headers, b"".join(self.body)
        )


class SandboxProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol; its transport can be reached from the application."""

    transport: JoinedWrites  # type: ignore[assignment]  # it stands for the transport it wraps

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        """Find the endpoint of the API's calls in the application."""
        super().__init__(*args, **options)
        self._calls: Recorded = cast("Any", self.config.app).state.calls
        self._incoming: _Incoming | None = None
        self._always: tuple[object, bytes] = (None, b"")
        """uvicorn's own headers (a new list when their date changes) and their wire form."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Take a connection; replies leave in one write each."""
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection; a call whose body never came is over."""
        if self._incoming is not None:
            self._calls.end(self._incoming.usage)
            self._incoming = None
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End the connection; a call whose body is still coming is answered first."""
        if self._incoming is not None:
            self._incoming.is_last = True
        else:
            super().shutdown()

    def on_message_begin(self) -> None:
        """Begin a request; its scope is made when somebody needs one."""
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Choose the way of a request."""
        fields = fields_of(self.headers)
        if self._is_short(fields):
            method = self.parser.get_method().decode("ascii")
            self._incoming = _Incoming(method, self.url, fields, self._calls.begin(fields))
        else:
            self._go_the_long_way(fields)

    def _go_the_long_way(self, fields: dict[str, str]) -> None:
        """Give a request to uvicorn as if its head came now; leave the transport in its scope."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)
        self.expect_100_continue = fields.get("expect", "").lower() == "100-continue"
        extensions: dict[str, dict[object, object]] = {EXTENSION: {"transport": self.transport}}
        self.scope["extensions"] = extensions
        super().on_headers_complete()

    def _is_short(self, fields: dict[str, str]) -> bool:
        """Tell whether a request is a small API call with nothing to wait for."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return (
            self.url.startswith(_CALLS)
            and not self._calls.has_to_wait()
            and (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
            and self.parser.get_method() in _METHODS
            and len(self.url) <= _LONGEST_URL
            and b"#" not in self.url
            and self.url.isascii()
            and not self.parser.should_upgrade()
            and fields.keys().isdisjoint(_LONG_WAY)
            and int(fields.get("content-length", 0)) <= SMALL_BYTES
        )

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._incoming is not None:
            self._incoming.body.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Answer a call of the short way, unless a fault was planned while its body came."""
        incoming, self._incoming = self._incoming, None
        if incoming is not None and self._calls.has_to_wait():
            self._turn_the_long_way(incoming)
            incoming = None
        if incoming is None:
            super().on_message_complete()
        else:
            self._answer(incoming)

    def _turn_the_long_way(self, incoming: _Incoming) -> None:
        """Give a call whose body is read to uvicorn as if all of it came now."""
        self._calls.end(incoming.usage)
        self._go_the_long_way(incoming.headers)
        if incoming.is_last:
            super().shutdown()
        super().on_body(b"".join(incoming.body))

    def _answer(self, incoming: _Incoming) -> None:
        """Answer a call of the short way."""
        is_kept = (
            not incoming.is_last
            and self.parser.get_http_version() != "1.0"
            and self.parser.should_keep_alive()
        )
        try:
            reply = self._calls.at_once(incoming.request())
        except Exception:
            # The connection stays: what came behind this call is answered, not done in silence.
            self.logger.exception("The sandbox failed.")
            reply = Reply(500, b"Internal Server Error", "text/plain; charset=utf-8")
        finally:
            self._calls.end(incoming.usage)
        self.transport.write_now(self._wire_form(reply, is_kept=is_kept))
        if not is_kept:
            self.transport.close()
        self.on_response_complete()

    def _wire_form(self, reply: Reply, *, is_kept: bool) -> bytes:
        """Return head and body of a reply."""
        fields = "".join([f"{name}: {value}\r\n" for name, value in reply.headers.items()])
        default = self.server_state.default_headers
        if self._always[0] is not default:
            self._always = (default, b"".join([b"%b: %b\r\n" % field for field in default]))
        parts = [STATUS_LINE[reply.status], self._always[1]]
        if reply.content_type:
            parts += (b"content-type: ", reply.content_type.encode(), b"\r\n")
        if reply.status not in NO_BODY:
            parts.append(b"content-length: %d\r\n" % len(reply.body))
        if not is_kept:
            parts.append(b"connection: close\r\n")
        parts += (fields.encode("latin-1"), b"\r\n", reply.body)
        return b"".join(parts)
