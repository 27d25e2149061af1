"""GET /connections and DELETE /connections/{id}: which organisations a token reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.sandbox.http import json_reply, text_reply
from daybook.sandbox.pipeline import NOT_FOUND, forbidden, unauthorised
from daybook.sandbox.routing import Reply

if TYPE_CHECKING:
    from datetime import datetime

    from daybook.sandbox.http import Request
    from daybook.sandbox.identity import Access
    from daybook.sandbox.simulation import Simulation


def answer(world: Simulation, request: Request) -> Reply:
    """Answer a call to the connections endpoints."""
    correlation_id = world.ids.guid()
    now = world.clock.now()
    _, _, token = request.headers.get("authorization", "").partition(" ")
    access = world.identity.state.access.get(token)
    if access is None or access.expires_at <= now:
        return unauthorised(correlation_id, access, now)
    parts = request.path.strip("/").split("/")
    if len(parts) == 1:
        reply = json_reply(_list(world, access, request.query().get("autheventid", "")))
    else:
        reply = _delete(world, access, parts[1], correlation_id)
    reply.headers["xero-correlation-id"] = correlation_id
    return reply


def _list(world: Simulation, access: Access, event_id: str) -> list[dict[str, str]]:
    """Return the connections of the token's user and app."""
    return [
        {
            "id": row.id,
            "authEventId": row.event_id,
            "tenantId": row.tenant_id,
            "tenantType": "ORGANISATION",
            "tenantName": world.organisations[row.tenant_id].organisation.name,
            "createdDateUtc": _seven_digits(row.created_at),
            "updatedDateUtc": _seven_digits(row.updated_at),
        }
        for row in world.identity.state.connections.values()
        if (row.client_id, row.user_id) == (access.client_id, access.user_id)
        and event_id in {"", row.event_id}
    ]


def _seven_digits(moment: datetime) -> str:
    """Return .NET's seven fractional digits without a zone."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0"


def _delete(world: Simulation, access: Access, key: str, correlation_id: str) -> Reply:
    """Disconnect by connection id; ids of other things are forbidden, unknown ones not found."""
    connections = world.identity.state.connections
    row = connections.get(key)
    if row is not None and (row.client_id, row.user_id) == (access.client_id, access.user_id):
        del connections[key]
        world.identity.is_changed = True
        world.save()
        return Reply(204, b"", "")
    known = {(entry.tenant_id, entry.event_id) for entry in connections.values()}
    if any(key in pair for pair in known):
        return forbidden(correlation_id, {})
    return text_reply(NOT_FOUND, 404)
