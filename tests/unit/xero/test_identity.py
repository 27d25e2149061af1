"""Consent, code exchange and renewal at Xero's identity server."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import logging
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from daybook.errors import (
    DaybookError,
    FinalError,
    InputError,
    ReconnectNeeded,
    SettingError,
    Unavailable,
)
from daybook.xero.client import open_http
from daybook.xero.identity import XeroApp, ask_consent, exchange_code, read_callback, refresh

if TYPE_CHECKING:
    from daybook.clock import Clock

_APP = XeroApp(
    client_id="app-1",
    client_secret="secret-of-app",
    redirect_url="http://localhost:8765/callback",
    identity_url="https://identity.test",
    login_url="https://login.test",
)


def _jwt(**claims: object) -> str:
    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part(claims)}.signature"


_ACCESS = _jwt(xero_userid="user-1", authentication_event_id="event-1")
_TOKENS = {
    "access_token": _ACCESS,
    "refresh_token": "secret-refresh-2",
    "expires_in": 1800,
    "token_type": "Bearer",
}


class _Server:
    """Answers the token endpoint one after the other and keeps the forms."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = iter(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def forms(self) -> list[dict[str, list[str]]]:
        return [parse_qs(request.content.decode()) for request in self.requests]

    def http(self) -> httpx.Client:
        return open_http(httpx.MockTransport(self))


def _refused(code: str) -> httpx.Response:
    return httpx.Response(400, json={"error": code})


def test_consent_is_asked_with_everything_xero_wants() -> None:
    """Code flow with state and an S256 challenge of the verifier we keep."""
    consent = ask_consent(_APP)
    parts = urlsplit(consent.url)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    digest = hashlib.sha256(consent.verifier.encode()).digest()
    assert "https://login.test/identity/connect/authorize" == consent.url.split("?")[0]
    assert {
        "response_type": "code",
        "client_id": "app-1",
        "redirect_uri": "http://localhost:8765/callback",
        "state": consent.state,
        "code_challenge_method": "S256",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
    } == {name: value for name, value in asked.items() if name != "scope"}
    assert "offline_access" in asked["scope"].split()


def test_every_consent_has_its_own_state_and_verifier() -> None:
    """A second browser window cannot complete the first one's connection."""
    first, second = ask_consent(_APP), ask_consent(_APP)
    assert first.state != second.state
    assert first.verifier != second.verifier


def test_a_good_way_back_gives_the_code() -> None:
    """Code and state come as query parameters."""
    assert "code-1" == read_callback("state-1", {"code": "code-1", "state": "state-1"})


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"error": "access_denied", "state": "state-1"}, "cancelled in Xero"),
        ({"code": "code-1", "state": "other"}, "does not belong"),
        ({"code": "code-1"}, "does not belong"),
        ({"error": "access_denied", "state": "other"}, "does not belong"),
        ({"error": "invalid_scope", "state": "state-1"}, "permissions"),
        ({"error": "server_error", "state": "state-1"}, "server_error"),
        ({"state": "state-1"}, "no code"),
    ],
)
def test_a_bad_way_back_is_refused_with_one_sentence(answer: dict[str, str], sentence: str) -> None:
    """Cancelled, forged, refused, empty: each says what to do."""
    with pytest.raises(InputError, match=sentence):
        read_callback("state-1", answer)


def test_a_code_becomes_a_token_set(clock: Clock) -> None:
    """The form carries the verifier; the app proves itself with its secret."""
    server = _Server(httpx.Response(200, json=_TOKENS))
    issued = exchange_code(_APP, "code-1", "verifier-1", http=server.http(), clock=clock)
    assert ("user-1", "event-1", _ACCESS, "secret-refresh-2") == (
        issued.user_id_xero,
        issued.consent_id_xero,
        issued.access_token,
        issued.refresh_token,
    )
    assert clock.now() + dt.timedelta(minutes=30) == issued.access_expires_at
    form = server.forms[0]
    assert (["authorization_code"], ["code-1"], ["verifier-1"], [_APP.redirect_url]) == (
        form["grant_type"],
        form["code"],
        form["code_verifier"],
        form["redirect_uri"],
    )
    basic = base64.b64encode(b"app-1:secret-of-app").decode()
    assert f"Basic {basic}" == server.requests[0].headers["authorization"]


def test_a_used_code_says_start_again(clock: Clock) -> None:
    """A code works once and for five minutes."""
    server = _Server(_refused("invalid_grant"))
    with pytest.raises(InputError, match="start connecting again"):
        exchange_code(_APP, "code-1", "verifier-1", http=server.http(), clock=clock)


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
def test_a_wrong_client_secret_names_both_settings(clock: Clock, code: str) -> None:
    """The sentence says where the right values are."""
    server = _Server(_refused(code))
    with pytest.raises(SettingError, match="DAYBOOK_XERO_CLIENT_SECRET"):
        refresh(_APP, "secret-refresh-1", http=server.http(), clock=clock)


@pytest.mark.parametrize(
    "lost",
    [httpx.ReadTimeout("lost"), httpx.ConnectError("no"), httpx.Response(503, text="offline")],
    ids=str,
)
def test_a_lost_renewal_is_tried_again_with_the_same_token(
    clock: Clock, lost: httpx.Response | Exception
) -> None:
    """Xero accepts the previous refresh token for 30 minutes more."""
    server = _Server(lost, httpx.Response(200, json=_TOKENS))
    issued = refresh(_APP, "secret-refresh-1", http=server.http(), clock=clock)
    assert "secret-refresh-2" == issued.refresh_token
    assert [["secret-refresh-1"]] * 2 == [form["refresh_token"] for form in server.forms]


def test_an_identity_server_that_is_down_is_not_a_lost_connection(clock: Clock) -> None:
    """After three attempts the work may be tried later, with the same token."""
    server = _Server(*[httpx.ConnectError("no")] * 3)
    with pytest.raises(Unavailable, match=r"identity\.test"):
        refresh(_APP, "secret-refresh-1", http=server.http(), clock=clock)
    assert 3 == len(server.requests)


def test_a_dead_refresh_token_needs_a_person(clock: Clock) -> None:
    """It is not tried again, and the sentence says that nothing is lost."""
    server = _Server(_refused("invalid_grant"))
    with pytest.raises(ReconnectNeeded, match="Nothing is lost"):
        refresh(_APP, "secret-refresh-1", http=server.http(), clock=clock)
    assert 1 == len(server.requests)


@pytest.mark.parametrize(
    "content",
    [
        {**_TOKENS, "refresh_token": None},
        {**_TOKENS, "access_token": "not-a-jwt"},
        {**_TOKENS, "access_token": _jwt(sub="nobody")},
    ],
)
def test_a_token_reply_that_is_not_xeros_is_refused(
    clock: Clock, content: dict[str, object]
) -> None:
    """No refresh token, no JWT, no user: such a set could not be kept."""
    server = _Server(httpx.Response(200, json=content))
    with pytest.raises(FinalError):
        refresh(_APP, "secret-refresh-1", http=server.http(), clock=clock)


@pytest.mark.parametrize(
    "answer",
    [
        _refused("invalid_grant"),
        _refused("invalid_client"),
        _refused("invalid_request"),
        httpx.Response(500, text="secret-refresh-1"),
        httpx.Response(200, text="secret-refresh-1"),
        httpx.Response(200, json={**_TOKENS, "access_token": "secret-access"}),
        httpx.ReadTimeout("lost"),
    ],
    ids=str,
)
def test_no_error_and_no_log_carries_a_secret(
    clock: Clock, caplog: pytest.LogCaptureFixture, answer: httpx.Response | Exception
) -> None:
    """Neither tokens nor the app's secret, in the error or in any log record down to debug."""
    caplog.set_level(logging.DEBUG)
    server = _Server(*[answer] * 3)
    with pytest.raises(DaybookError) as caught:
        refresh(_APP, "secret-refresh-1", http=server.http(), clock=clock)
    assert "secret-" not in repr(caught.value) + str(caught.value) + caplog.text
    # A cause would hold the request, and the request the form with its tokens.
    assert caught.value.__cause__ is None


def test_values_with_secrets_do_not_show_them(clock: Clock) -> None:
    """A repr in a log or a traceback tells nothing."""
    server = _Server(httpx.Response(200, json=_TOKENS))
    issued = refresh(_APP, "secret-refresh-1", http=server.http(), clock=clock)
    consent = ask_consent(_APP)
    shown = repr(issued) + repr(_APP) + repr(consent).replace(consent.url, "")
    secrets = [_ACCESS, "secret-refresh-2", "secret-of-app", consent.verifier]
    assert [] == [secret for secret in secrets if secret in shown]
