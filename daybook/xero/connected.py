"""Which organisations a Xero user has connected to our app."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from daybook.errors import Unavailable
from daybook.xero.responses import JsonAny, Reply, decode, error_of
from daybook.xero.wire import text_of

if TYPE_CHECKING:
    from daybook.xero.auth import Bearer


def list_connected(
    http: httpx.Client, auth: Bearer, api_url: str, *, consent_id: str = ""
) -> tuple[str, ...]:
    """Return the tenant ids that this user's tokens reach.

    With `consent_id` only those of that consent; all of them when Xero names none for it, which
    happens when somebody connects again what was connected before.

    Raises:
        Unavailable: Xero does not answer.
        ReconnectNeeded, FinalError: Xero refuses.
    """
    if consent_id:
        chosen = _tenant_ids(http, auth, api_url, {"authEventId": consent_id})
        if chosen:
            return chosen
    return _tenant_ids(http, auth, api_url, {})


def _tenant_ids(
    http: httpx.Client, auth: Bearer, api_url: str, params: dict[str, str]
) -> tuple[str, ...]:
    """Read the list; practices, which hold no books, are left out."""
    content = _get(http, auth, f"{api_url}/connections", params)
    if not isinstance(content, list):
        raise Unavailable("Xero's list of connected organisations cannot be read; try again.")
    return tuple(
        text_of(item, "tenantId")
        for item in content
        if text_of(item, "tenantType") in {"", "ORGANISATION"} and text_of(item, "tenantId")
    )


def _get(http: httpx.Client, auth: Bearer, url: str, params: dict[str, str]) -> JsonAny:
    try:
        response = http.get(url, params=params, auth=auth)
    except httpx.RequestError as error:
        raise Unavailable(
            f"Xero cannot be reached ({type(error).__name__} on GET /connections); try again."
        ) from None
    if response.status_code != HTTPStatus.OK:
        raise error_of(
            Reply(
                response.status_code,
                response.headers,
                response.content,
                call="GET /connections",
                was_write=False,
            )
        )
    try:
        return decode(response.content)
    except ValueError:
        return None
