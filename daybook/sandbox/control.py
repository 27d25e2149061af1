"""The `/_sandbox` calls: what a test or a demo does to the world that no Xero API could do."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from daybook.sandbox import ledger, seeding
from daybook.sandbox.faults import Fault
from daybook.sandbox.http import json_reply
from daybook.sandbox.identifiers import fixed_guid
from daybook.sandbox.limits import LimitSettings
from daybook.sandbox.validation import ApiError, Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from daybook.sandbox.books import Books
    from daybook.sandbox.http import Request
    from daybook.sandbox.routing import Reply
    from daybook.sandbox.simulation import Simulation

PREFIX = "/_sandbox"
Content = dict[str, Any]
_read_body = msgspec.json.Decoder(float_hook=Decimal).decode


class ControlError(Exception):
    """A control call that cannot be carried out; the sentence is the answer."""


def answer(world: Simulation, request: Request) -> Reply:
    """Answer one control call."""
    path = request.path[len(PREFIX) :].strip("/")
    for method, pattern, act in _ROUTES:
        found = re.fullmatch(pattern, path)
        if found is not None and method == request.method:
            try:
                content = act(world, request, *found.groups())
                world.save()
                return json_reply(content)
            except NotFound:
                return json_reply({"error": f"Nothing is there: {path}"}, 404)
            except (ControlError, Invalid, ApiError, ValueError, msgspec.DecodeError) as error:
                return json_reply({"error": str(error)}, 400)
    return json_reply({"error": f"No control call {request.method} /_sandbox/{path}"}, 404)


def _object(request: Request) -> Content:
    """Return the JSON object of a body; an empty body is an empty object."""
    if not request.body.strip():
        return {}
    found = _read_body(request.body)
    if not isinstance(found, dict):
        raise ControlError("The body must be a JSON object.")
    return found


def _bootstrap(world: Simulation, _: Request) -> object:
    return world.bootstrap().as_json()


def _reset(world: Simulation, _: Request) -> object:
    world.reset()
    return world.bootstrap().as_json()


# Organisations


def _put_organisation(world: Simulation, request: Request) -> object:
    given = seeding.plain_keys(_object(request))
    now = world.clock.now()
    tenant_id = str(given.get("tenantid", "")).lower()
    if not tenant_id:
        if "name" not in given:
            raise ControlError("Give the new organisation a name.")
        known = (
            row.organisation.id
            for row in world.organisations.values()
            if row.organisation.name == given["name"]
        )
        tenant_id = next(known, fixed_guid(world.config.seed, f"organisation/{given['name']}"))
    books = world.put_organisation(tenant_id, given, now)
    connection = world.connect_owner(tenant_id) if given.get("connect", True) else None
    return _organisation_json(books) | {"connection_id": connection.id if connection else None}


def _list_organisations(world: Simulation, _: Request) -> object:
    return {"organisations": [_organisation_json(books) for books in world.organisations.values()]}


def _organisation_json(books: Books) -> Content:
    row = books.organisation
    return {
        "tenant_id": row.id,
        "name": row.name,
        "country": row.country,
        "currency": row.currency,
        "timezone": row.time_zone,
        "class": row.plan,
        "period_lock_date": row.period_lock_date,
        "end_of_year_lock_date": row.end_of_year_lock_date,
    }


def _books(world: Simulation, tenant_id: str) -> Books:
    """Return the books of an organisation; an empty id means the first one."""
    if not tenant_id:
        return next(iter(world.organisations.values()))
    books = world.organisations.get(tenant_id.lower())
    if books is None:
        raise NotFound
    return books


def _lock_dates(world: Simulation, request: Request, tenant_id: str) -> object:
    given = seeding.plain_keys(_object(request))
    books = _books(world, tenant_id)
    known = {"periodlockdate", "endofyearlockdate"}
    if not given or given.keys() - known:
        raise ControlError("Send period_lock_date, end_of_year_lock_date or both; null lifts one.")
    world.put_organisation(books.organisation.id, given, world.clock.now())
    return _organisation_json(books)


def _set_account_status(status: str) -> Callable[[Simulation, Request, str, str], object]:
    def act(world: Simulation, _: Request, tenant_id: str, key: str) -> object:
        books = _books(world, tenant_id)
        found = books.accounts.get(key.lower()) or next(
            iter(books.accounts.find("code", key)), None
        )
        if found is None:
            raise NotFound
        found.status, found.updated_at = status, world.clock.now()
        books.accounts.put(found)
        return {"account_id": found.id, "code": found.code, "status": found.status}

    return act


def _reconcile(*, is_reconciled: bool) -> Callable[[Simulation, Request, str, str, str], object]:
    def act(world: Simulation, _: Request, tenant_id: str, table: str, key: str) -> object:
        books = _books(world, tenant_id)
        rows = books.bank_transactions if table == "bank-transactions" else books.payments
        found = rows.get(key.lower())
        if found is None:
            raise NotFound
        found.is_reconciled, found.updated_at = is_reconciled, world.clock.now()
        rows.put(found)  # type: ignore[arg-type]  # it came from this table
        return {"id": found.id, "is_reconciled": found.is_reconciled}

    return act


def _disconnect(world: Simulation, _: Request, tenant_id: str) -> object:
    connections = world.identity.state.connections
    gone = [key for key, row in connections.items() if row.tenant_id == tenant_id.lower()]
    for key in gone:
        del connections[key]
    world.identity.is_changed = True
    return {"disconnected": len(gone)}


# Request log


def _requests(world: Simulation, request: Request) -> object:
    query = request.query()
    since = int(query.get("since", "0"))
    method = query.get("method", "").upper()
    is_writes = query.get("writes", "") not in {"", "0"}
    found = [
        entry.as_json()
        for entry in world.log
        if entry.sequence > since
        and (not method or entry.method == method)
        and (not is_writes or (entry.method != "GET" and entry.path.startswith("/api.xro/")))
        and query.get("path", "") in entry.path
    ]
    return {"last": world.request_count, "count": len(found), "requests": found}


# Faults


def _add_faults(world: Simulation, request: Request) -> object:
    raw = request.body.strip()
    kind: Any = list[Fault] if raw.startswith(b"[") else Fault
    given = msgspec.json.decode(raw, type=kind)
    added = [world.faults.add(fault) for fault in (given if isinstance(given, list) else [given])]
    return {"faults": added}


def _list_faults(world: Simulation, _: Request) -> object:
    return {"faults": world.faults.faults}


def _clear_faults(world: Simulation, _: Request) -> object:
    world.faults.clear()
    return {"faults": []}


def _remove_fault(world: Simulation, _: Request, fault_id: str) -> object:
    if not world.faults.remove(int(fault_id)):
        raise NotFound
    return {"faults": world.faults.faults}


# Clock, limits


def _get_clock(world: Simulation, _: Request) -> object:
    return world.clock.as_json()


class _ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    """What may be done to the clock; the order is freeze, set, offset, advance, let go."""

    set: str | None = None
    offset_seconds: float | None = None
    advance_seconds: float | None = None
    freeze: bool | None = None


def _set_clock(world: Simulation, request: Request) -> object:
    change = msgspec.json.decode(request.body, type=_ClockChange)
    clock = world.clock
    if change.freeze:
        clock.freeze(frozen=True)
    if change.set is not None:
        moment = datetime.fromisoformat(change.set)
        clock.set_now(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if change.offset_seconds is not None:
        clock.offset_seconds = change.offset_seconds
    if change.advance_seconds is not None:
        clock.advance(change.advance_seconds)
    if change.freeze is False:
        clock.freeze(frozen=False)
    return clock.as_json()


def _get_limits(world: Simulation, _: Request) -> object:
    return world.limiter.as_json(world.clock.now()) | {"high_volume": world.high_volume}


def _set_limits(world: Simulation, request: Request) -> object:
    given = _object(request)
    tenant_id = given.pop("tenant_id", None)
    used: dict[str, int] = {
        name: int(given.pop(name)) for name in ("minute_used", "day_used") if name in given
    }
    if given.pop("reset", False):
        world.limiter.forget()
    world.high_volume = int(given.pop("high_volume", world.high_volume))
    settings = world.limiter.settings
    known = {name: getattr(settings, name) for name in LimitSettings.__slots__}
    if given.keys() - known.keys():
        raise ControlError(f"Limits are {', '.join(known)}.")
    world.limiter.settings = LimitSettings(**(known | given))
    if used:
        client_id = given.get("client_id", world.identity.web.client_id)
        books = _books(world, tenant_id or "")
        world.limiter.set_used(client_id, books.organisation.id, world.clock.now(), used)
    return _get_limits(world, request)


# Books


def _get_books(world: Simulation, request: Request) -> object:
    return ledger.summary(_books(world, request.query().get("tenant_id", "")))


Act = "Callable[..., object]"
_ROUTES: tuple[tuple[str, str, Callable[..., object]], ...] = (
    ("GET", "", _bootstrap),
    ("POST", "reset", _reset),
    ("GET", "organisations", _list_organisations),
    ("POST", "organisations", _put_organisation),
    ("POST", "organisations/([^/]+)/lock-dates", _lock_dates),
    ("POST", "organisations/([^/]+)/accounts/([^/]+)/archive", _set_account_status("ARCHIVED")),
    ("POST", "organisations/([^/]+)/accounts/([^/]+)/restore", _set_account_status("ACTIVE")),
    (
        "POST",
        "organisations/([^/]+)/(bank-transactions|payments)/([^/]+)/reconcile",
        _reconcile(is_reconciled=True),
    ),
    (
        "POST",
        "organisations/([^/]+)/(bank-transactions|payments)/([^/]+)/unreconcile",
        _reconcile(is_reconciled=False),
    ),
    ("POST", "organisations/([^/]+)/disconnect", _disconnect),
    ("GET", "requests", _requests),
    ("GET", "faults", _list_faults),
    ("POST", "faults", _add_faults),
    ("DELETE", "faults", _clear_faults),
    ("DELETE", r"faults/(\d+)", _remove_fault),
    ("GET", "clock", _get_clock),
    ("POST", "clock", _set_clock),
    ("GET", "limits", _get_limits),
    ("POST", "limits", _set_limits),
    ("GET", "books", _get_books),
)
