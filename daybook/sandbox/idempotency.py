"""Idempotency-Key: the first reply of a key is kept for six minutes and given again, errors too."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox.routing import Reply
from daybook.sandbox.validation import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT = timedelta(minutes=6)
MAX_LENGTH = 128
MAX_BYTES = 256 * 1024 * 1024
"""Beyond this the oldest replies are dropped early: a frozen clock would keep them for ever."""
METHODS = frozenset({"POST", "PUT", "PATCH"})


class KeptReply(msgspec.Struct, frozen=True, gc=False):
    """A reply, the request it answered, and until when both are remembered."""

    client_id: str
    key: str
    fingerprint: bytes
    reply: Reply
    until: datetime


def fingerprint(method: str, target: str, tenant_id: str, body: bytes) -> bytes:
    """Return what makes two requests the same: method, whole URL, organisation and body."""
    head = f"{method} {len(target)} {target} {tenant_id} ".encode()
    return blake2b(head + body, digest_size=16).digest()


class ReplayCache:
    """Replies by (app, key); one key space per app, whatever the organisation."""

    def __init__(self) -> None:
        """Start empty."""
        self._kept: dict[tuple[str, str], KeptReply] = {}
        self._bytes = 0
        self.unsaved: list[KeptReply] = []
        """What the state file has not got yet."""

    def __len__(self) -> int:
        """Count the replies that are kept."""
        return len(self._kept)

    def replay(self, client_id: str, key: str, print_: bytes, now: datetime) -> Reply | None:
        """Return the first reply of this key, if the key is in use.

        Raises:
            ApiError: the key is too long, or was used with another request.
        """
        if len(key) > MAX_LENGTH:
            raise ApiError(
                10,
                "ValidationException",
                f"Idempotency Key: {key} is {len(key)} characters long; "
                f"at most {MAX_LENGTH} are allowed.",
            )
        kept = self._kept.get((client_id, key))
        if kept is None or now >= kept.until or now < kept.until - KEPT:
            return None
        if kept.fingerprint != print_:
            raise ApiError(
                10,
                "ValidationException",
                f"Idempotency Key: {key} is used with a different request.",
            )
        return kept.reply

    def keep(self, client_id: str, key: str, print_: bytes, reply: Reply, now: datetime) -> None:
        """Remember a reply from now on for six minutes; drop those that ran out or are too many."""
        copy = Reply(reply.status, reply.body, reply.content_type, dict(reply.headers))
        kept = KeptReply(client_id, key, print_, copy, now + KEPT)
        self.restore(kept)
        self.unsaved.append(kept)
        while True:
            name, oldest = next(iter(self._kept.items()))
            if oldest is kept or (oldest.until > now and self._bytes <= MAX_BYTES):
                break
            self._drop(name)

    def restore(self, kept: KeptReply) -> None:
        """Remember a reply that was kept before a restart, until the same moment."""
        name = (kept.client_id, kept.key)
        if name in self._kept:
            self._drop(name)
        self._kept[name] = kept
        self._bytes += len(kept.reply.body)

    def alive(self, now: datetime) -> Iterator[KeptReply]:
        """Go through the replies whose time has not run out."""
        return (kept for kept in self._kept.values() if now < kept.until)

    def _drop(self, name: tuple[str, str]) -> None:
        """Forget one reply."""
        gone = self._kept.pop(name, None)
        if gone is not None:
            self._bytes -= len(gone.reply.body)

    def forget(self) -> None:
        """Drop everything."""
        self._kept.clear()
        self.unsaved.clear()
        self._bytes = 0
