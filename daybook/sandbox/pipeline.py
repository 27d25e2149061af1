"""What happens to an API call, in Xero's order, from token to rules."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox import wire
from daybook.sandbox.http import path_segments, text_reply
from daybook.sandbox.idempotency import METHODS, fingerprint
from daybook.sandbox.resources import TABLE
from daybook.sandbox.routing import Call, Reply, required_scopes
from daybook.sandbox.validation import ApiError, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from daybook.sandbox.books import Books
    from daybook.sandbox.http import Request
    from daybook.sandbox.identity import Access
    from daybook.sandbox.limits import Breach
    from daybook.sandbox.routing import Route
    from daybook.sandbox.simulation import Simulation

PREFIX = "/api.xro/2.0"
NOT_FOUND = "The resource you're looking for cannot be found"
NO_CACHE = {"cache-control": "max-age=0, no-cache, no-store", "pragma": "no-cache"}


class Trace(msgspec.Struct):
    """What the request log wants to know beyond request and reply."""

    tenant: str = ""
    user: str = ""
    element_count: int = 0
    is_replay: bool = False


def bearer_token(headers: Mapping[str, str]) -> str:
    """Return the token of the Authorization header; empty when there is none."""
    return _token_in(headers.get("authorization", ""))


@lru_cache(maxsize=256)
def _token_in(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token if scheme.lower() == "bearer" else ""


class ApiPipeline:
    """Answers calls under `/api.xro/2.0`; synchronous, so that calls cannot interleave."""

    def __init__(self, simulation: Simulation) -> None:
        """Serve this world."""
        self._world = simulation

    def tenant_of(self, request: Request) -> str:
        """Return the organisation a request names, before any check."""
        return request.headers.get("xero-tenant-id", "").lower()

    def answer(self, request: Request, trace: Trace) -> Reply:
        """Answer one call completely."""
        world = self._world
        correlation_id = world.ids.guid()
        reply = self._checked(request, trace, correlation_id)
        reply.headers = {"xero-correlation-id": correlation_id, **reply.headers, **NO_CACHE}
        world.save()
        return reply

    def _checked(self, request: Request, trace: Trace, correlation_id: str) -> Reply:
        world, now = self._world, self._world.clock.now()
        access = self._access(request)
        if access is None or access.expires_at <= now:
            return unauthorised(correlation_id, access, now)
        client_id = access.client_id
        breach = world.limiter.take_app(client_id, now)
        if breach is not None:
            return limited(breach, world.limiter.app_header(client_id))
        found: Route | Reply
        ids: tuple[str, ...] = ()
        try:
            found, ids = TABLE.find(request.method, path_segments(request, PREFIX))
        except NotFound:
            found = text_reply(NOT_FOUND, 404)
        except ApiError as error:
            found = error_reply(error)
        if not isinstance(found, Reply) and access.scopes.isdisjoint(required_scopes(found)):
            return scope_missing(correlation_id, world.limiter.app_header(client_id))
        books = self._books(request, access)
        if books is None:
            return forbidden(correlation_id, world.limiter.app_header(client_id))
        tenant_id = trace.tenant = books.organisation.id
        breach = world.limiter.take(client_id, tenant_id, now)
        if breach is not None:
            return limited(breach, world.limiter.headers(client_id, tenant_id))
        if isinstance(found, Reply):
            reply = found
        else:
            call = self._call(request, books, access, now, correlation_id)
            call.ids = ids
            reply = self._once(request, found, call, trace)
            trace.element_count = call.element_count
        reply.headers |= world.limiter.headers(client_id, tenant_id)
        return reply

    def _access(self, request: Request) -> Access | None:
        """Return the token of the Authorization header."""
        return self._world.identity.state.access.get(bearer_token(request.headers))

    def _books(self, request: Request, access: Access) -> Books | None:
        """Return the organisation the call is for, if the token is connected to it."""
        world = self._world
        app = world.identity.apps[access.client_id]
        if app.kind == "custom":
            return world.organisations.get(app.tenant_id)
        tenant_id = self.tenant_of(request)
        if world.identity.connection(access.client_id, access.user_id, tenant_id) is None:
            return None
        return world.organisations.get(tenant_id)

    def _call(
        self, request: Request, books: Books, access: Access, now: datetime, correlation_id: str
    ) -> Call:  # fmt: skip
        world = self._world
        user = world.identity.state.users.get(access.user_id)
        return Call(
            method=request.method,
            path=request.path[len(PREFIX) :],
            query=request.query(),
            headers=request.headers,
            body=request.body,
            books=books,
            now=now,
            new_id=world.ids.guid,
            correlation_id=correlation_id,
            client_id=access.client_id,
            app_name=world.identity.apps[access.client_id].name,
            user_name=user.name if user else "System Generated",
            base_url=world.config.base_url,
            high_volume=world.high_volume,
        )

    def _once(self, request: Request, route: Route, call: Call, trace: Trace) -> Reply:
        """Run the rules, or give the first reply of an idempotency key again."""
        key = request.headers.get("idempotency-key")
        if not key or request.method not in METHODS:
            return run(route, call)
        replays, tenant_id = self._world.replays, call.books.organisation.id
        mark = fingerprint(request.method, request.target(), tenant_id, request.body)
        try:
            kept = replays.replay(call.client_id, key, mark, call.now)
        except ApiError as error:
            return error_reply(error)
        if kept is not None:
            trace.is_replay = True
            return Reply(kept.status, kept.body, kept.content_type, dict(kept.headers))
        reply = run(route, call)
        replays.keep(call.client_id, key, mark, reply, call.now)
        return reply


def run(route: Route, call: Call) -> Reply:
    """Run one route's rules and put refusals of the whole request on the wire."""
    try:
        return route.answer(call)
    except ApiError as error:
        return error_reply(error)
    except NotFound:
        return text_reply(NOT_FOUND, 404)


def error_reply(error: ApiError) -> Reply:
    """Answer with ErrorNumber, Type and Message; validation errors list no elements here."""
    content: dict[str, object] = {
        "ErrorNumber": error.number,
        "Type": error.kind,
        "Message": error.message,
    }
    if error.kind == "ValidationException":
        content["Elements"] = []
    return Reply(error.status, wire.encode(content))


def _problem(correlation_id: str, title: str, status: int, detail: str) -> Reply:
    """Answer as Xero's gateway does."""
    content: dict[str, object] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": correlation_id,
        "Extensions": {},
    }
    return Reply(status, msgspec.json.encode(content), "application/json")


def unauthorised(correlation_id: str, access: Access | None, now: datetime) -> Reply:
    """Answer 401 for a token that is unknown or has expired."""
    detail = "AuthenticationUnsuccessful"
    if access is not None:
        ended = min(access.expires_at, now)
        detail = f"TokenExpired: token expired at {ended:%m/%d/%Y %H:%M:%S}"
    reply = _problem(correlation_id, "Unauthorized", 401, detail)
    reply.headers["www-authenticate"] = "Bearer error=invalid_token"
    return reply


def scope_missing(correlation_id: str, headers: dict[str, str]) -> Reply:
    """Answer 401 for a token that lacks the scope."""
    reply = _problem(correlation_id, "Unauthorized", 401, "AuthorizationUnsuccessful")
    reply.headers = {"www-authenticate": "insufficient_scope", **headers}
    return reply


def forbidden(correlation_id: str, headers: dict[str, str]) -> Reply:
    """Answer 403 for an organisation that is missing, wrong or disconnected."""
    reply = _problem(correlation_id, "Forbidden", 403, "AuthenticationUnsuccessful")
    reply.headers = dict(headers)
    return reply


def limited(breach: Breach, headers: dict[str, str]) -> Reply:
    """Answer 429 with an empty body."""
    reply = Reply(429, b"", "", {**headers, "x-rate-limit-problem": breach.problem})
    if breach.retry_after is not None:
        reply.headers["retry-after"] = str(breach.retry_after)
    return reply
