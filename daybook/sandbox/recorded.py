"""What a client calls: every call is logged and may be hit by a fault."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from daybook.sandbox.delivery import send_reply, send_with_fault
from daybook.sandbox.http import fields_of, read_request
from daybook.sandbox.pipeline import Trace, bearer_token, unauthorised
from daybook.sandbox.simulation import LogEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from daybook.sandbox.faults import Fault
    from daybook.sandbox.http import Request
    from daybook.sandbox.limits import Usage
    from daybook.sandbox.routing import Reply
    from daybook.sandbox.simulation import Simulation


class Recorded:
    """An endpoint of the log; `answer` is what is behind it."""

    def __init__(self, world: Simulation, answer: Callable[[Request, Trace], Reply]) -> None:
        """Answer for this world."""
        self._world = world
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, answer, send, log."""
        world = self._world
        started = time.perf_counter()
        headers = fields_of(scope["headers"])
        usage = self.begin(headers)
        try:
            request = await read_request(scope, receive, headers)
            trace = Trace(tenant=headers.get("xero-tenant-id", "").lower())
            fault = world.faults.strike(request.method, request.path, trace.tenant)
            reply: Reply | None
            if fault is None:
                reply = self._answer(request, trace)
                self._log(request, trace, reply, started, "")
                await send_reply(send, reply)
            else:
                reply = await self._faulty(fault, request, trace, (scope, receive, send))
                self._log(request, trace, reply, started, fault.fault)
        finally:
            self.end(usage)

    def has_to_wait(self) -> bool:
        """Tell whether the next call may be one that `at_once` cannot answer: faults take time."""
        return bool(self._world.faults.faults)

    def begin(self, headers: dict[str, str]) -> Usage | None:
        """Count a call as in progress, from its head on; hand what comes back to `end`."""
        world = self._world
        access = world.identity.state.access.get(bearer_token(headers))
        tenant = headers.get("xero-tenant-id", "").lower()
        if access is None or tenant not in world.organisations:
            return None
        usage = world.limiter.usage(access.client_id, tenant)
        usage.in_progress += 1
        return usage

    def end(self, usage: Usage | None) -> None:
        """Count a call as over."""
        if usage is not None:
            usage.in_progress -= 1

    def at_once(self, request: Request) -> Reply:
        """Answer and log a call that no fault can hit."""
        started = time.perf_counter()
        trace = Trace(tenant=request.headers.get("xero-tenant-id", "").lower())
        reply = self._answer(request, trace)
        self._log(request, trace, reply, started, "")
        return reply

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
                access = world.identity.state.access.get(bearer_token(request.headers))
                return unauthorised(world.ids.guid(), access, world.clock.now())
            return self._answer(request, trace)

        return await send_with_fault(fault, answer, *wires)

    def _log(
        self, request: Request, trace: Trace, reply: Reply | None, started: float, fault: str
    ) -> None:  # fmt: skip
        """Remember the call; status 0 means that the caller saw no reply."""
        world = self._world
        world.request_count += 1
        access = world.identity.state.access.get(bearer_token(request.headers))
        user = world.identity.state.users.get(access.user_id) if access else None
        world.log.append(
            LogEntry(
                sequence=world.request_count,
                at=world.clock.now(),
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
