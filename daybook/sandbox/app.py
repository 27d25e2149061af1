"""The sandbox as a web application: Xero's paths, control calls and pages on one port.

Each family of paths is one raw ASGI endpoint; FastAPI only finds it. Nothing on the way awaits
between reading a request and having its reply, so every call is atomic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.routing import Route

from daybook.sandbox import connections, control, oauth, pages
from daybook.sandbox.aspire import routes as aspire
from daybook.sandbox.delivery import send_reply
from daybook.sandbox.http import (
    BodyTooLongError,
    SenderGoneError,
    fields_of,
    read_request,
    text_reply,
)
from daybook.sandbox.pipeline import NOT_FOUND, PREFIX, ApiPipeline, Trace
from daybook.sandbox.pos import routes as points_of_sale
from daybook.sandbox.recorded import Recorded
from daybook.sandbox.resources import TABLE
from daybook.sandbox.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from daybook.sandbox.config import SandboxConfig
    from daybook.sandbox.http import Request
    from daybook.sandbox.routing import Reply

Answer = "Callable[[Simulation, Request], Reply]"
_CALLS = PREFIX + "/"


class _Plain:
    """An endpoint for people and tests: not logged, no faults."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, answer, send."""
        request = await read_request(scope, receive, fields_of(scope["headers"]))
        await send_reply(send, self._answer(request))


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


def create_app(config: SandboxConfig) -> SandboxApp:
    """Return the application with a fresh (or loaded) world in `app.state.simulation`."""
    world = Simulation(config)
    pipeline = ApiPipeline(world)
    app = SandboxApp(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.simulation = world

    def recorded(path: str, methods: list[str], answer: Callable[[Request, Trace], Reply]) -> None:
        app.router.routes.append(Route(path, Recorded(world, answer), methods=methods))

    def plain(path: str, methods: list[str] | None, answer: Callable[[Request], Reply]) -> None:
        app.router.routes.append(Route(path, _Plain(answer), methods=methods))

    every = ["GET", "PUT", "POST", "DELETE", "PATCH"]
    app.state.calls = Recorded(world, pipeline.answer)
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
