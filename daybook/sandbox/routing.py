"""One API call inside the sandbox, its reply, and the table that finds who answers it.

Answers are plain functions `Call -> Reply` that never await, so that no two calls can interleave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox import wire
from daybook.sandbox.validation import NotFound, NotImplementedByXero

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from daybook.sandbox.books import Books
    from daybook.sandbox.identifiers import Identifiers

JSON = "application/json; charset=utf-8"
BATCH_PLACES = 4


class Reply(msgspec.Struct, gc=False):
    """Status, body and extra headers of an answer."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = {}


class Call(msgspec.Struct):
    """An authorised call to one organisation; query keys are lower-case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    books: Books
    now: datetime
    new_id: Callable[[], str]
    correlation_id: str
    client_id: str
    app_name: str
    user_name: str
    base_url: str
    high_volume: int
    ids: tuple[str, ...] = ()
    element_count: int = 0

    @property
    def unit_places(self) -> int:
        """Decimal places of unit amounts: 4 with `unitdp=4`, else 2."""
        return BATCH_PLACES if self.query.get("unitdp") == "4" else 2

    def reply(self, **content: object) -> Reply:
        """Answer 200 with content in the envelope."""
        return Reply(200, wire.envelope(self.correlation_id, self.app_name, self.now, content))


Answer = "Callable[[Call], Reply]"


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path under `/api.xro/2.0` and its scope; `{x}` stands for one segment."""

    method: str
    pattern: str
    scope: str
    answer: Callable[[Call], Reply]

    def segments(self) -> list[str]:
        """Return the path in pieces."""
        return self.pattern.strip("/").split("/")


class RouteTable:
    """Finds the route of a path; literal segments match case-insensitively and win over `{x}`."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Index routes by first segment and length."""
        self.routes = sorted(routes, key=lambda route: route.pattern.count("{"))
        self._by_shape: dict[tuple[str, int], list[tuple[Pattern, Route]]] = {}
        for route in self.routes:
            parts = route.segments()
            shape = (parts[0].lower(), len(parts))
            self._by_shape.setdefault(shape, []).append((_pattern(parts), route))

    def find(self, method: str, segments: list[str]) -> tuple[Route, tuple[str, ...]]:
        """Return the route and the ids in the path.

        Raises:
            NotFound: no such path.
            NotImplementedByXero: the path exists, not with this method.
        """
        candidates = self._by_shape.get((segments[0].lower(), len(segments)), [])
        for (literals, places), route in candidates:
            if route.method == method and _fits(literals, segments):
                return route, tuple([segments[place] for place in places])
        if any(_fits(literals, segments) for (literals, _), _ in candidates):
            raise NotImplementedByXero
        raise NotFound


Pattern = tuple[tuple[tuple[int, str], ...], tuple[int, ...]]
"""Where which literals stand after the first segment, lower-case; where the placeholders stand."""


def _pattern(parts: list[str]) -> Pattern:
    places = tuple(place for place, part in enumerate(parts) if part.startswith("{"))
    literals = ((place, part.lower()) for place, part in enumerate(parts) if place not in places)
    return tuple(literal for literal in literals if literal[0] > 0), places


def _fits(literals: tuple[tuple[int, str], ...], segments: list[str]) -> bool:
    """Tell whether the literals stand in their places."""
    for place, literal in literals:  # noqa: SIM110 - twice as fast as any(), and on every call
        if segments[place].lower() != literal:
            return False
    return True


def required_scopes(route: Route) -> tuple[str, ...]:
    """Return the granular scopes of which a token needs one."""
    if route.method == "GET":
        return (route.scope, f"{route.scope}.read")
    return (route.scope,)


def seeded(identifiers: Identifiers) -> Callable[[], str]:
    """Return the id source of a call."""
    return identifiers.guid
