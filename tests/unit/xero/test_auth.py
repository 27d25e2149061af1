"""The token on every request, and its one renewal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from daybook.xero.auth import Bearer, FixedToken

if TYPE_CHECKING:
    from collections.abc import Callable

_EXPIRED = {"Detail": "TokenExpired: token expired at 04/29/2020 09:22:02"}


class _Keeper:
    """Renews a rejected token once."""

    def __init__(self) -> None:
        self.rejected: list[str] = []

    def access_token(self, rejected: str | None = None) -> str:
        if rejected is not None:
            self.rejected.append(rejected)
        return "new" if self.rejected else "old"


def _get(keeper: _Keeper | FixedToken, answer: Callable[[str], httpx.Response]) -> list[str]:
    """Return the tokens that the server saw."""
    seen: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"].removeprefix("Bearer "))
        return answer(seen[-1])

    with httpx.Client(transport=httpx.MockTransport(serve), auth=Bearer(keeper)) as http:
        http.get("https://xero.test/")
    return seen


def _only_new(token: str) -> httpx.Response:
    return httpx.Response(200) if token == "new" else httpx.Response(401, json=_EXPIRED)


def test_an_accepted_token_is_used_once() -> None:
    """Nothing is renewed without need."""
    assert ["old"] == _get(_Keeper(), lambda _: httpx.Response(200))


def test_an_expired_token_is_renewed_and_the_request_sent_again() -> None:
    """The authentication layer refused it, so nothing was done."""
    keeper = _Keeper()
    assert ["old", "new"] == _get(keeper, _only_new)
    assert ["old"] == keeper.rejected


def test_a_token_rejected_twice_is_not_renewed_again() -> None:
    """One renewal only: a dead connection must not be hammered."""
    assert ["old", "new"] == _get(_Keeper(), lambda _: httpx.Response(401, json=_EXPIRED))


@pytest.mark.parametrize("key", ["Detail", "detail"])
def test_a_missing_scope_renews_nothing(key: str) -> None:
    """A new token would have the same permissions."""
    keeper = _Keeper()
    answer = httpx.Response(401, json={key: "AuthorizationUnsuccessful"})
    assert ["old"] == _get(keeper, lambda _: answer)
    assert [] == keeper.rejected


def test_a_token_that_cannot_be_renewed_is_not_sent_twice() -> None:
    """The same token would be rejected again."""
    assert ["fixed"] == _get(FixedToken("fixed"), lambda _: httpx.Response(401, json=_EXPIRED))


def test_neither_keeper_nor_signer_shows_its_token() -> None:
    """A repr in a log or a traceback tells nothing."""
    keeper = FixedToken("secret-token")
    assert "secret-token" not in repr(keeper) + repr(Bearer(keeper))
