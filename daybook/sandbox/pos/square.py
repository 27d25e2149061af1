"""Square's API: orders, payments, refunds and locations, read only."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from daybook.sandbox.http import json_reply
from daybook.sandbox.pos.feed import BadCursor, Entry, Query, instant, joined
from daybook.sandbox.routing import JSON, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from daybook.sandbox.http import Request
    from daybook.sandbox.pos.feed import Feed
    from daybook.sandbox.pos.shops import Shop

PREFIX = "/v2"
TOKEN = "square-sandbox-token"  # noqa: S105  the sandbox's own, worth nothing
ORDERS_DEFAULT, ORDERS_MAX = 500, 1000
LIST_MAX = 100
LOCATIONS_MAX = 10
TIMES = {"updated_at": "UPDATED_AT", "created_at": "CREATED_AT", "closed_at": "CLOSED_AT"}
KNOWN = {
    "location_id", "cursor", "limit", "sort_order", "sort_field", "begin_time", "end_time",
    "updated_at_begin_time", "updated_at_end_time", "is_offline_payment",
}  # fmt: skip


class _Refused(Exception):
    """A call that Square would refuse; the sentence says why."""


class Square:
    """Answers calls for the shops it is given."""

    def __init__(
        self, shops: tuple[Shop, ...], *, orders: Feed, payments: Feed, refunds: Feed
    ) -> None:
        """Remember what to answer from."""
        self._shops = {shop.id: shop for shop in shops}
        self._orders = orders
        self._lists = {"payments": payments, "refunds": refunds}

    def answer(self, request: Request, now: datetime) -> Reply:
        """Answer one call."""
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "AUTHENTICATION_ERROR", "This request could not be authorized.")
        try:
            return self._found(request, now)
        except BadCursor:
            return _error(400, "INVALID_REQUEST_ERROR", "The cursor is not one of this query.")
        except (_Refused, ValueError, msgspec.DecodeError) as error:
            return _error(400, "INVALID_REQUEST_ERROR", str(error))

    def _found(self, request: Request, now: datetime) -> Reply:
        path = request.path[len(PREFIX) :].strip("/")
        if (request.method, path) == ("POST", "orders/search"):
            return self._search(request, now)
        if request.method == "GET" and path in self._lists:
            return self._list(path, request, now)
        if (request.method, path) == ("GET", "locations"):
            return json_reply({"locations": [_location(shop) for shop in self._shops.values()]})
        return _error(404, "INVALID_REQUEST_ERROR", f"There is no {request.method} {request.path}.")

    def _search(self, request: Request, now: datetime) -> Reply:
        given: dict[str, Any] = msgspec.json.decode(request.body, type=dict[str, Any])
        places = given.get("location_ids") or []
        if not 1 <= len(places) <= LOCATIONS_MAX:
            raise _Refused(f"location_ids takes 1 to {LOCATIONS_MAX} locations.")
        if set(places) - self._shops.keys():
            raise _Refused("A location is not yours.")
        limit = _limit(given.get("limit", ORDERS_DEFAULT), ORDERS_MAX)
        asked = given.get("query") or {}
        text = msgspec.json.encode([places, asked], order="deterministic").decode()
        filters = asked.get("filter") or {}
        name, lowest, highest = _time_range(filters.get("date_time_filter") or {})
        sort = asked.get("sort") or {}
        field = sort.get("sort_field", "CREATED_AT")
        if name and field != TIMES[name]:
            raise _Refused("sort_field must be the field that is filtered.")
        at = _time_of(next(key for key, value in TIMES.items() if value == field))
        states = (filters.get("state_filter") or {}).get("states") or []

        def keep(entry: Entry) -> bool:
            moment = at(entry)
            return (
                entry.place in places
                and (not states or entry.state in states)
                and (lowest is None or moment >= lowest)
                and (highest is None or moment <= highest)
            )

        descending = sort.get("sort_order", "DESC") == "DESC"
        query = Query(text, keep, at, is_descending=descending)
        bodies, cursor = self._orders.page(query, now, limit, given.get("cursor") or "")
        return Reply(200, joined("orders", bodies, cursor), JSON)

    def _list(self, name: str, request: Request, now: datetime) -> Reply:
        given = request.query()
        if given.keys() - KNOWN:
            raise _Refused(f"Not simulated: {', '.join(sorted(given.keys() - KNOWN))}.")
        limit = _limit(given.get("limit", LIST_MAX), LIST_MAX)
        times = {key: instant(value) for key, value in given.items() if key.endswith("_time")}
        place, offline = given.get("location_id"), given.get("is_offline_payment")
        text = "&".join(f"{key}={given[key]}" for key in sorted(given.keys() - {"limit", "cursor"}))

        def keep(entry: Entry) -> bool:
            created, updated = entry.created_at, entry.updated_at
            return (
                (place is None or entry.place == place)
                and (offline is None or entry.is_offline == (offline == "true"))
                and times.get("begin_time", created) <= created <= times.get("end_time", created)
                and times.get("updated_at_begin_time", updated) <= updated
                and updated <= times.get("updated_at_end_time", updated)
            )

        at = _time_of(given.get("sort_field", "CREATED_AT").lower())
        descending = given.get("sort_order", "DESC") == "DESC"
        query = Query(text, keep, at, is_descending=descending)
        bodies, cursor = self._lists[name].page(query, now, limit, given.get("cursor", ""))
        return Reply(200, joined(name, bodies, cursor), JSON)


def _limit(value: object, most: int) -> int:
    limit = int(str(value))
    if not 1 <= limit <= most:
        raise _Refused(f"limit is 1 to {most}.")
    return limit


def _time_range(given: dict[str, Any]) -> tuple[str, datetime | None, datetime | None]:
    if not given:
        return "", None, None
    if len(given) != 1 or given.keys() - TIMES.keys():
        raise _Refused("date_time_filter takes one of updated_at, created_at and closed_at.")
    name, span = next(iter(given.items()))
    start, end = span.get("start_at"), span.get("end_at")
    return name, instant(start) if start else None, instant(end) if end else None


def _time_of(name: str) -> Callable[[Entry], datetime]:
    """The time to sort by; an order that is not closed has none, and counts as created."""
    if name not in TIMES:
        raise _Refused(f"sort_field is one of {', '.join(TIMES.values())}.")
    if name == "closed_at":
        return lambda entry: entry.closed_at or entry.created_at
    getter: Callable[[Entry], datetime] = attrgetter(name)
    return getter


def _location(shop: Shop) -> dict[str, object]:
    return {
        "id": shop.id,
        "name": shop.name,
        "timezone": shop.time_zone,
        "currency": shop.currency,
        "status": "ACTIVE",
    }


def _error(status: int, category: str, detail: str) -> Reply:
    code = "UNAUTHORIZED" if status == 401 else "BAD_REQUEST"  # noqa: PLR2004  the status itself
    return json_reply({"errors": [{"category": category, "code": code, "detail": detail}]}, status)
