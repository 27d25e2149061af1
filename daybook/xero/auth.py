"""The access token on every request, renewed once when Xero says that it has expired."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import httpx

from daybook.xero.responses import is_scope_problem

if TYPE_CHECKING:
    from collections.abc import Generator


class TokenKeeper(Protocol):
    """Holds the token set of one Xero user, for all processes."""

    def access_token(self, rejected: str | None = None) -> str:
        """Return an access token that is valid now, and not the one that Xero just rejected.

        Raises:
            ReconnectNeeded: the connection has ended; a person must connect again.
            Unavailable: Xero's identity server does not answer.
        """
        ...


class FixedToken:
    """Keeps one token that cannot be renewed."""

    def __init__(self, token: str) -> None:
        """Hold the token."""
        self._token = token

    def access_token(self, rejected: str | None = None) -> str:  # noqa: ARG002 - none to renew
        """Return the token."""
        return self._token


class Bearer(httpx.Auth):
    """Signs requests; a 401 for the token is answered by one renewal and one repetition.

    Repeating is safe for writes too: the authentication layer refused the request, so nothing was
    done. A 401 for a missing permission is left alone: a new token would have the same permissions.
    """

    requires_response_body = True

    def __init__(self, keeper: TokenKeeper) -> None:
        """Take the tokens from this keeper."""
        self._keeper = keeper

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send with a valid token, and once more if Xero rejects it."""
        token = self._keeper.access_token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return
        if is_scope_problem(response.status_code, response.headers, response.content):
            return
        renewed = self._keeper.access_token(rejected=token)
        if renewed != token:
            request.headers["Authorization"] = f"Bearer {renewed}"
            yield request
