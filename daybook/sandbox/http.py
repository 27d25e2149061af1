"""A request as it comes off the wire, and the few replies that are not JSON envelopes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

import msgspec

from daybook.sandbox.routing import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Receive, Scope

MAX_BODY_BYTES = 30 * 1024 * 1024
TEXT = "text/html; charset=utf-8"


class Request(msgspec.Struct, frozen=True):
    """One HTTP request; header names are lower-case."""

    method: str
    path: str
    raw_path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes

    def query(self) -> dict[str, str]:
        """Return the query parameters with lower-case names; the last of a name wins."""
        if not self.raw_query:
            return {}
        return {
            key.lower(): value for key, value in parse_qsl(self.raw_query, keep_blank_values=True)
        }

    def form(self) -> dict[str, str]:
        """Return the fields of a form body."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def target(self) -> str:
        """Return path and query as they were sent."""
        return f"{self.raw_path}?{self.raw_query}"


class SenderGoneError(Exception):
    """The connection ended in the middle of a request: nobody reads an answer."""


class BodyTooLongError(Exception):
    """The body is longer than anything the sandbox takes."""


@lru_cache(maxsize=1024)
def _field_name(raw: bytes) -> str:
    return raw.decode("latin-1").lower()


def unquoted(raw_path: str) -> str:
    """Return a path with its escapes read."""
    return unquote(raw_path) if "%" in raw_path else raw_path


def fields_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return header fields by their lower-case names; the last of a name wins."""
    return {_field_name(name): value.decode("latin-1") for name, value in raw}


async def read_request(scope: Scope, receive: Receive, headers: dict[str, str]) -> Request:
    """Read the body of an ASGI request whose header fields are known.

    Raises `SenderGoneError`, and `BodyTooLongError` once a body beyond `MAX_BODY_BYTES` is read.
    """
    parts = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise SenderGoneError
        part = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY_BYTES:
            parts.append(part)
        if not message.get("more_body", False):
            break
    if size > MAX_BODY_BYTES:
        raise BodyTooLongError
    raw_path = scope.get("raw_path") or scope["path"].encode()
    return Request(
        method=scope["method"],
        path=scope["path"],
        raw_path=raw_path.decode("latin-1"),
        raw_query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=b"".join(parts),
    )


def path_segments(request: Request, prefix: str) -> list[str]:
    """Return the decoded segments of a path after its prefix; an encoded slash does not split."""
    parts = request.raw_path[len(prefix) :].strip("/").split("/")
    return [unquote(part) for part in parts] if "%" in request.raw_path else parts


def json_reply(content: object, status: int = 200) -> Reply:
    """Answer plain JSON, as the identity service and the control calls do."""
    return Reply(status, msgspec.json.encode(content), "application/json")


def text_reply(text: str, status: int) -> Reply:
    """Answer a sentence, as Xero's outer layers do."""
    return Reply(status, text.encode(), TEXT)
