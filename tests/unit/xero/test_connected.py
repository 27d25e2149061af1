"""Which organisations a user's tokens reach."""

from __future__ import annotations

import httpx
import pytest

from daybook.errors import ReconnectNeeded, Unavailable
from daybook.xero.auth import Bearer, FixedToken
from daybook.xero.client import open_http
from daybook.xero.connected import list_connected

_ONE = {"id": "c-1", "tenantId": "t-1", "tenantType": "ORGANISATION", "authEventId": "e-1"}
_TWO = {"id": "c-2", "tenantId": "t-2", "tenantType": "ORGANISATION", "authEventId": "e-2"}
_PRACTICE = {"id": "c-3", "tenantId": "t-3", "tenantType": "PRACTICE", "authEventId": "e-1"}


def _answer(request: httpx.Request) -> httpx.Response:
    event = request.url.params.get("authEventId")
    found = [item for item in (_ONE, _TWO, _PRACTICE) if event in {None, item["authEventId"]}]
    return httpx.Response(200, json=found)


def _list(consent_id: str) -> tuple[str, ...]:
    http = open_http(httpx.MockTransport(_answer))
    return list_connected(http, Bearer(FixedToken("t")), "https://x.test", consent_id=consent_id)


@pytest.mark.parametrize(
    ("consent_id", "tenant_ids"),
    [("e-1", ("t-1",)), ("e-9", ("t-1", "t-2")), ("", ("t-1", "t-2"))],
)
def test_the_organisations_of_a_consent_are_listed(
    consent_id: str, tenant_ids: tuple[str, ...]
) -> None:
    """All of them when Xero names none for it; practices hold no books."""
    assert tenant_ids == _list(consent_id)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ConnectError("no"), Unavailable),
        (httpx.Response(503), Unavailable),
        (httpx.Response(200, text="<html>"), Unavailable),
        (httpx.Response(401, json={"Detail": "AuthenticationUnsuccessful"}), ReconnectNeeded),
    ],
    ids=str,
)
def test_a_failure_says_what_kind_it_is(
    answer: httpx.Response | Exception, error: type[Exception]
) -> None:
    """Down is not disconnected."""

    def serve(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    http = open_http(httpx.MockTransport(serve))
    with pytest.raises(error):
        list_connected(http, Bearer(FixedToken("t")), "https://x.test")
