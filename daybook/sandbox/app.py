"""The sandbox as a web application: Xero's paths, control calls and pages on one port.

Each family of paths is one raw ASGI endpoint; FastAPI only finds it. Nothing on the way awaits
between reading a request and having its reply, so every call is atomic.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.routing import Route

from daybook.sandbox import connections, control, oauth, pages
from daybook.sandbox.aspire import routes as aspire
from daybook.sandbox.delivery import send_reply, send_with_fault
from daybook.sandbox.http import (
    BodyTooLongError,
    SenderGoneError,
    read_request,
    text_reply,
)
from daybook.sandbox.pipeline import (
    NOT_FOUND,
    PREFIX,
    ApiPipeline,
    Trace,
    unauthorised,
)
from daybook.sandbox.pos import routes as points_of_sale
from daybook.sandbox.resources import TABLE
from daybook.sandbox.simulation import LogEntry, Simulation

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from daybook.sandbox.config import SandboxConfig
    from daybook.sandbox.faults import Fault
    from daybook.sandbox.http import Request
    from daybook.sandbox.routing import Reply

Answer = "Callable[[Simulation, Request], Reply]"
_CALLS = PREFIX + "/"


class _Recorded:
    """An endpoint whose calls are logged and may be hit by faults: everything a client calls."""

    def __init__(self, world: Simulation, answer: Callable[[Request, Trace], Reply]) -> None:
        self._world = world
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, answer, send, log."""
        world = self._world
        started = time.perf_counter()
        tenant = _tenant(scope)
        token = _token(scope)
        access = world.identity.state.access.get(token)
        usage = None
        if access is not None and tenant in world.organisations:
            usage = world.limiter.usage(access.client_id, tenant)
        if usage is not None:
            usage.in_progress += 1
        try:
            request = await read_request(scope, receive)
            trace = Trace(tenant=tenant)
            fault = world.faults.strike(request.method, request.path, tenant)
            reply: Reply | None
            if fault is None:
                reply = self._answer(request, trace)
                self._log(request, trace, reply, started, "")
                await send_reply(send, reply)
            else:
                reply = await self._faulty(fault, request, trace, (scope, receive, send))
                self._log(request, trace, reply, started, fault.fault)
        finally:
            if usage is not None:
                usage.in_progress -= 1

    async def _faulty(
        self,
        fault: Fault,
        request: Request,
        trace: Trace,
        wires: tuple[Scope, Receive, Send],
    ) -> Reply | None:
        """Answer a call a fault hits."""
        world = self._world

        def answer() -> Reply:
            if fault.fault == "expired_token":
                token = request.headers.get("authorization", "").partition(" ")[2]
                access = world.identity.state.access.get(token)
                return unauthorised(world.ids.guid(), access, world.clock.now())
            return self._answer(request, trace)

        return await send_with_fault(fault, answer, *wires)

    def _log(
        self, request: Request, trace: Trace, reply: Reply | None, started: float, fault: str
    ) -> None:  # fmt: skip
        """Remember the call; status 0 means that the caller saw no reply."""
        world = self._world
        world.request_count += 1
        access = world.identity.state.access.get(
            request.headers.get("authorization", "").partition(" ")[2]
        )
        user = world.identity.state.users.get(access.user_id) if access else None
        world.log.append(
            LogEntry(
                sequence=world.request_count,
                at=world.clock.now().isoformat(timespec="milliseconds"),
                method=request.method,
                path=request.path,
                query=request.raw_query,
                tenant=trace.tenant,
                status=reply.status if reply is not None else 0,
                idempotency_key=request.headers.get("idempotency-key", ""),
                element_count=trace.element_count,
                milliseconds=round((time.perf_counter() - started) * 1000, 3),
                fault=fault,
                is_replay=trace.is_replay,
                user=user.name if user else "",
            )
        )


class _Plain:
    """An endpoint for people and tests: not logged, no faults."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, answer, send."""
        await send_reply(send, self._answer(await read_request(scope, receive)))


class SandboxApp(FastAPI):
    """The application without FastAPI's middleware: it does nothing for raw endpoints.

    Passing through it took a third of the time of a small call, and its router a twentieth.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go straight to the endpoint of the path; a request that broke off never came."""
        is_call = scope.get("path", "").startswith(_CALLS)
        try:
            await (self.state.calls if is_call else self.router)(scope, receive, send)
        except SenderGoneError:
            return
        except BodyTooLongError:
            await send_reply(send, text_reply("The request is too long.", 413))


def _tenant(scope: Scope) -> str:
    return next(
        (v.decode("latin-1") for k, v in scope["headers"] if k == b"xero-tenant-id"), ""
    ).lower()


def _token(scope: Scope) -> str:
    found = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
    return str(found.decode("latin-1").partition(" ")[2])


def create_app(config: SandboxConfig) -> SandboxApp:
    """Return the application with a fresh (or loaded) world in `app.state.simulation`."""
    world = Simulation(config)
    pipeline = ApiPipeline(world)
    app = SandboxApp(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.simulation = world

    def recorded(path: str, methods: list[str], answer: Callable[[Request, Trace], Reply]) -> None:
        app.router.routes.append(Route(path, _Recorded(world, answer), methods=methods))

    def plain(path: str, methods: list[str] | None, answer: Callable[[Request], Reply]) -> None:
        app.router.routes.append(Route(path, _Plain(answer), methods=methods))

    every = ["GET", "PUT", "POST", "DELETE", "PATCH"]
    app.state.calls = _Recorded(world, pipeline.answer)
    recorded("/connections", ["GET"], lambda request, _: connections.answer(world, request))
    recorded("/Connections", ["GET"], lambda request, _: connections.answer(world, request))
    recorded("/connections/{id}", ["DELETE"], lambda request, _: connections.answer(world, request))
    recorded("/Connections/{id}", ["DELETE"], lambda request, _: connections.answer(world, request))
    recorded(oauth.TOKEN, ["POST"], lambda request, _: oauth.token(world, request))
    recorded(oauth.REVOCATION, ["POST"], lambda request, _: oauth.revocation(world, request))
    plain(oauth.AUTHORIZE, ["GET", "POST"], lambda request: oauth.authorize(world, request))
    plain(oauth.CONSENT, ["POST"], lambda request: oauth.authorize(world, request))
    plain(oauth.DISCOVERY, ["GET"], lambda _: oauth.discovery(world))
    points_of_sale.mount(world, recorded, plain)
    aspire.mount(world, recorded, plain)
    plain("/_sandbox/style.css", ["GET"], lambda _: pages.style())
    plain("/_sandbox", ["GET"], lambda request: control.answer(world, request))
    plain("/_sandbox/{path:path}", every, lambda request: control.answer(world, request))
    plain("/", ["GET"], lambda request: pages.answer(world, request))
    plain("/books/{path:path}", ["GET"], lambda request: pages.answer(world, request))
    plain("/calls", ["GET"], lambda request: pages.answer(world, request))
    plain("/{path:path}", every, lambda _: text_reply(NOT_FOUND, 404))
    return app


def served_endpoints(app: FastAPI) -> list[tuple[str, str]]:
    """Return (method, path pattern) of every Xero endpoint the application serves, sorted."""
    if not isinstance(app.state.simulation, Simulation):
        raise TypeError("served_endpoints needs an application made by create_app")
    identity = [
        ("GET", "/connections"),
        ("DELETE", "/connections/{id}"),
        ("POST", oauth.TOKEN),
        ("POST", oauth.REVOCATION),
        ("GET", oauth.AUTHORIZE),
        ("GET", oauth.DISCOVERY),
    ]
    return sorted(identity + [(route.method, PREFIX + route.pattern) for route in TABLE.routes])
