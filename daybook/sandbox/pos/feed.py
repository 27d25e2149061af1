"""Lists of what a point of sale knows by now, cut into pages by opaque cursors."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LISTINGS_KEPT = 8


class BadCursor(Exception):
    """The cursor is not one of this query."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of an order, payment, refund or receipt as it stands on the wire."""

    id: str
    place: str
    created_at: datetime
    updated_at: datetime
    body: bytes
    closed_at: datetime | None = None
    state: str = ""
    is_offline: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Which entries, in which order; `text` tells one query from another."""

    text: str
    keep: Callable[[Entry], bool]
    at: Callable[[Entry], datetime]
    is_descending: bool


class Feed:
    """All versions of all entries; only the newest version that is old enough is seen."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Sort them by time."""
        self._entries = sorted(entries, key=lambda entry: (entry.updated_at, entry.id))
        self._times = [entry.updated_at for entry in self._entries]
        self._listings: dict[tuple[str, int], tuple[list[tuple[datetime, str]], list[Entry]]] = {}

    def page(self, query: Query, now: datetime, limit: int, cursor: str) -> tuple[list[bytes], str]:
        """The bodies of one page and the cursor of the next, which is empty on the last.

        Raises:
            BadCursor: it was given for another query, or by nobody.
        """
        keys, entries = self._listing(query, now)
        if query.is_descending:
            end = bisect_left(keys, _position(cursor, query)) if cursor else len(keys)
            start = max(end - limit, 0)
            chosen, rest, last = entries[start:end][::-1], start, keys[start:end][:1]
        else:
            start = bisect_right(keys, _position(cursor, query)) if cursor else 0
            chosen = entries[start : start + limit]
            rest, last = len(keys) - start - len(chosen), keys[start : start + limit][-1:]
        following = _cursor(query, last[0]) if rest and last else ""
        return [entry.body for entry in chosen], following

    def _listing(
        self, query: Query, now: datetime
    ) -> tuple[list[tuple[datetime, str]], list[Entry]]:
        """Keys and entries of a query in rising order, kept while nothing new comes in sight."""
        count = bisect_right(self._times, now)
        found = self._listings.get((query.text, count))
        if found is None:
            newest = {entry.id: entry for entry in self._entries[:count]}
            rows = sorted(
                ((query.at(entry), entry.id), entry)
                for entry in newest.values()
                if query.keep(entry)
            )
            found = [key for key, _ in rows], [entry for _, entry in rows]
            if len(self._listings) >= LISTINGS_KEPT:
                self._listings.clear()
            self._listings[query.text, count] = found
        return found


def _cursor(query: Query, key: tuple[datetime, str]) -> str:
    content = msgspec.json.encode([query.text, key[0].isoformat(), key[1]])
    return base64.urlsafe_b64encode(content).decode()


def _position(cursor: str, query: Query) -> tuple[datetime, str]:
    try:
        text, at, key = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=list[str])
        moment = datetime.fromisoformat(at)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise BadCursor from error
    if text != query.text:
        raise BadCursor
    return moment, key


def instant(text: str) -> datetime:
    """The instant of a time with an offset.

    Raises:
        ValueError: it is none.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at.astimezone(UTC)


def written(at: datetime) -> str:
    """The instant as both vendors write it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def joined(name: str, bodies: list[bytes], cursor: str) -> bytes:
    """The reply that lists the bodies under a name."""
    tail = b',"cursor":' + msgspec.json.encode(cursor) if cursor else b""
    return b'{"' + name.encode() + b'":[' + b",".join(bodies) + b"]" + tail + b"}"
