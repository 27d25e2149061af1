"""Xero's identity server: consent, code exchange and renewal of tokens (OAuth 2.0 with PKCE).

Authlib writes the requests and reads the replies; this module turns every failure into a typed
error that carries no token and no secret.
"""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import httpx
from authlib.common.security import generate_token  # type: ignore[import-untyped] # has no types
from authlib.oauth2.base import OAuth2Error  # type: ignore[import-untyped] # has no types
from authlib.oauth2.client import OAuth2Client  # type: ignore[import-untyped] # has no types

from daybook.errors import FinalError, InputError, ReconnectNeeded, SettingError, Unavailable
from daybook.xero.responses import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daybook.clock import Clock

SCOPES: Final = (
    "offline_access accounting.invoices accounting.payments accounting.banktransactions "
    "accounting.contacts accounting.settings.read accounting.attachments"
)

_ATTEMPTS_MAX: Final = 3
_FIRST_WAIT_SECONDS: Final = 1.0
_TIMEOUT_SECONDS: Final = 20
_VERIFIER_LENGTH: Final = 64
_STATE_LENGTH: Final = 32
_WRONG_APP: Final = {"invalid_client", "unauthorized_client"}
_SCOPE_REFUSED: Final = {"invalid_scope", "unauthorized_client"}

_TokenJson: TypeAlias = dict[str, Any]  # Any: the token reply's own fields


@dataclass(frozen=True, slots=True)
class XeroApp:
    """Our app as it is registered at developer.xero.com, and where Xero's servers are."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_url: str
    api_url: str = "https://api.xero.com"
    identity_url: str = "https://identity.xero.com"
    login_url: str = "https://login.xero.com"


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent that was asked for: keep `state` and `verifier` until the browser comes back."""

    url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """A token set as Xero issued it; `consent_id_xero` is "" where the token does not say."""

    user_id_xero: str
    consent_id_xero: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: dt.datetime


def ask_consent(app: XeroApp, scopes: str = SCOPES) -> Consent:
    """Return the address where a person allows Daybook into Xero, with fresh state and verifier."""
    verifier = generate_token(_VERIFIER_LENGTH)
    url, state = _oauth(app, None, scopes).create_authorization_url(
        f"{app.login_url}/identity/connect/authorize",
        state=generate_token(_STATE_LENGTH),
        code_verifier=verifier,
    )
    return Consent(url, state, verifier)


def read_callback(consent_state: str, answer: Mapping[str, str]) -> str:
    """Return the code of the browser's way back (its query parameters).

    Raises:
        InputError: the person cancelled, Xero refused, or the answer is not to our question.
    """
    error = answer.get("error", "")
    if answer.get("state") != consent_state:
        raise InputError(
            "This answer from Xero does not belong to the connection you started; "
            "nothing was changed. Start connecting again."
        )
    if error == "access_denied":
        raise InputError("Connecting was cancelled in Xero; nothing was changed.")
    if error in _SCOPE_REFUSED:
        raise InputError(
            f"Xero does not grant this app the permissions Daybook needs ({error}); "
            "allow its scopes in the app's Configuration page at developer.xero.com."
        )
    if error or not answer.get("code"):
        raise InputError(
            f"Xero did not connect ({error or 'no code came back'}); nothing was changed. "
            "Start connecting again."
        )
    return answer["code"]


def exchange_code(
    app: XeroApp, code: str, verifier: str, *, http: httpx.Client, clock: Clock
) -> IssuedTokens:
    """Exchange the code of a consent for the first token set; a code works once, for 5 minutes.

    Raises:
        InputError: the code is used or expired.
        SettingError: Xero does not know this client id, secret or redirect address.
        Unavailable: the identity server does not answer; start connecting again.
    """
    content = _token_call(
        app,
        http,
        {"grant_type": "authorization_code", "code": code, "code_verifier": verifier},
        expired=InputError(
            "The connection took too long or was completed before; start connecting again."
        ),
    )
    return _issued(content, clock.now())


def refresh(app: XeroApp, refresh_token: str, *, http: httpx.Client, clock: Clock) -> IssuedTokens:
    """Exchange a refresh token for the next token set.

    When the reply is lost the same refresh token is used again: Xero accepts the previous one for
    30 minutes more.

    Raises:
        ReconnectNeeded: the refresh token is not valid any more.
        SettingError: Xero does not know this client id or secret.
        Unavailable: the identity server does not answer; the refresh token still works.
    """
    for attempt in range(1, _ATTEMPTS_MAX + 1):
        try:
            content = _token_call(
                app,
                http,
                {"grant_type": "refresh_token", "refresh_token": refresh_token},
                expired=ReconnectNeeded(
                    "Xero's permission for Daybook has ended; connect Xero again. Nothing is lost: "
                    "what was not posted waits."
                ),
            )
            return _issued(content, clock.now())
        except Unavailable:
            if attempt == _ATTEMPTS_MAX:
                raise
            clock.sleep(_FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
    raise AssertionError("unreachable: the last attempt returns or raises")


def claims_of(access_token: str) -> Mapping[str, object]:
    """Return what a Xero access token (a JWT) says; unverified, for it came from Xero itself."""
    parts = access_token.split(".")
    try:
        payload = parts[1]
        content = decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise FinalError("Xero's access token cannot be read; connect Xero again.")
    return content


def _oauth(app: XeroApp, http: httpx.Client | None, scopes: str | None = None) -> OAuth2Client:
    """Return authlib's client; its calls are short, for a stored connection is locked meanwhile."""
    post = None if http is None else partial(http.post, timeout=_TIMEOUT_SECONDS)
    return OAuth2Client(
        session=SimpleNamespace(post=post),
        client_id=app.client_id,
        redirect_uri=app.redirect_url,
        scope=scopes,
        code_challenge_method="S256",
    )


def _token_call(
    app: XeroApp,
    http: httpx.Client,
    form: dict[str, str],
    *,
    expired: InputError | ReconnectNeeded,
) -> _TokenJson:
    """Ask the token endpoint; causes are cut off, since they hold the form with its secrets."""
    url = f"{app.identity_url}/connect/token"
    try:
        reply: _TokenJson = _oauth(app, http).fetch_token(
            url, auth=httpx.BasicAuth(app.client_id, app.client_secret), **form
        )
    except OAuth2Error as error:
        raise _oauth_problem(str(error.error), expired) from None
    except (httpx.RequestError, httpx.HTTPStatusError, ValueError) as error:
        raise Unavailable(
            f"Xero's identity server at {app.identity_url} does not answer "
            f"({type(error).__name__}); try again in a minute."
        ) from None
    return reply


def _oauth_problem(code: str, expired: InputError | ReconnectNeeded) -> Exception:
    if code == "invalid_grant":
        return expired
    if code in _WRONG_APP:
        return SettingError(
            "Xero does not accept the app's client id and secret: set DAYBOOK_XERO_CLIENT_ID and "
            "DAYBOOK_XERO_CLIENT_SECRET as the app's Configuration page at developer.xero.com "
            "shows them."
        )
    return FinalError(f"Xero refused the sign-in of the app ({code}).")


def _issued(content: _TokenJson, now_at: dt.datetime) -> IssuedTokens:
    """Read a token reply; a field that is missing means that it is not Xero's."""
    access_token, refresh_token = content.get("access_token"), content.get("refresh_token")
    if not access_token or not refresh_token:
        raise FinalError(
            "Xero gave no refresh token: the app must ask for the scope offline_access."
        )
    claims = claims_of(str(access_token))
    user_id = claims.get("xero_userid")
    if not user_id:
        raise FinalError("Xero's access token names no user; connect Xero again.")
    return IssuedTokens(
        user_id_xero=str(user_id),
        consent_id_xero=str(claims.get("authentication_event_id") or ""),
        access_token=str(access_token),
        refresh_token=str(refresh_token),
        access_expires_at=now_at + dt.timedelta(seconds=int(content.get("expires_in") or 1800)),
    )
