"""The HTTP side of identity: authorize page, consent, token, revocation, discovery."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from daybook.sandbox import pages
from daybook.sandbox.http import json_reply, text_reply
from daybook.sandbox.identity import OAuthError
from daybook.sandbox.routing import Reply

if TYPE_CHECKING:
    from daybook.sandbox.http import Request
    from daybook.sandbox.identity import App, User
    from daybook.sandbox.simulation import Simulation

AUTHORIZE = "/identity/connect/authorize"
CONSENT = "/identity/connect/consent"
TOKEN = "/connect/token"  # noqa: S105  a path
REVOCATION = "/connect/revocation"
DISCOVERY = "/.well-known/openid-configuration"


def token(world: Simulation, request: Request) -> Reply:
    """POST /connect/token."""
    form = request.form()
    now = world.clock.now()
    identity = world.identity
    try:
        app = _client(world, request, form)
        kind = form.get("grant_type", "")
        if kind == "authorization_code":
            content = identity.exchange_code(app, form, now)
        elif kind == "refresh_token":
            content = identity.refresh(app, form.get("refresh_token", ""), now)
        elif kind == "client_credentials":
            content = identity.client_credentials(app, form.get("scope", ""), now)
        else:
            return json_reply({"error": "unsupported_grant_type"}, 400)
    except OAuthError as error:
        return json_reply({"error": error.code}, 400)
    finally:
        world.save()
    reply = json_reply(content)
    reply.headers = {"cache-control": "max-age=0, no-cache, no-store", "pragma": "no-cache"}
    return reply


def revocation(world: Simulation, request: Request) -> Reply:
    """POST /connect/revocation: 200 with an empty body whether the token was known or not."""
    form = request.form()
    try:
        app = _client(world, request, form)
    except OAuthError as error:
        return json_reply({"error": error.code}, 400)
    world.identity.revoke(app, form.get("token", ""))
    world.save()
    return Reply(200, b"", "")


def _client(world: Simulation, request: Request, form: dict[str, str]) -> App:
    """Authenticate the app by Basic header or by fields of the form."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    client_id, secret = form.get("client_id", ""), form.get("client_secret")
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise OAuthError("invalid_client") from None
        raw_id, _, raw_secret = pair.partition(":")
        client_id, secret = unquote_plus(raw_id), unquote_plus(raw_secret)
    return world.identity.client(client_id, secret)


def authorize(world: Simulation, request: Request) -> Reply:
    """GET the consent page, or POST its form: the browser goes back to the app with a code."""
    fields = dict(request.query())
    if request.method == "POST":
        fields |= request.form()
    app = world.identity.apps.get(fields.get("client_id", ""))
    if app is None:
        return text_reply("Error : unauthorized_client. Unknown client_id.", 400)
    if not _is_redirect_allowed(fields.get("redirect_uri", "")):
        return text_reply(
            "Error : unauthorized_client. Invalid redirect_uri: use https, or http://localhost.",
            400,
        )
    problem = _problem(world, app, fields)
    if problem:
        return _redirect(fields, {"error": problem})
    if request.method == "GET":
        return pages.consent_page(world, app, fields)
    if "allow" not in fields:
        return _redirect(fields, {"error": "access_denied"})
    return _allowed(world, app, fields, request)


def _problem(world: Simulation, app: App, fields: dict[str, str]) -> str:
    """Return the OAuth error of a request that may be sent back to the app."""
    if fields.get("response_type") != "code":
        return "unsupported_response_type"
    if app.kind == "custom":
        return "unauthorized_client"
    if app.kind == "pkce" and not fields.get("code_challenge"):
        return "invalid_request"
    if fields.get("code_challenge") and fields.get("code_challenge_method") != "S256":
        return "invalid_request"
    try:
        world.identity.check_scope(fields.get("scope", ""))
    except OAuthError as error:
        return error.code
    return ""


def _allowed(world: Simulation, app: App, fields: dict[str, str], request: Request) -> Reply:
    """Connect what was chosen (by default all of the user's organisations) and hand out a code."""
    users = world.identity.state.users
    user: User | None = users.get(fields.get("user_id", world.owner_id))
    if user is None:
        return text_reply("Unknown user.", 400)
    chosen = [
        value for key, value in _pairs(request) if key == "tenant_id" and value in user.tenant_ids
    ]
    now = world.clock.now()
    event_id = world.identity.grant(app, user, chosen or user.tenant_ids, now)
    code = world.identity.issue_code(app, user, fields, event_id, now)
    world.save()
    return _redirect(fields, {"code": code, "scope": fields["scope"]})


def _pairs(request: Request) -> list[tuple[str, str]]:
    """Return all fields of a form, repeated ones too."""
    return parse_qsl(request.body.decode("utf-8", "replace")) + parse_qsl(request.raw_query)


def _is_redirect_allowed(uri: str) -> bool:
    """Allow https, and http on localhost by that very name."""
    parts = urlsplit(uri)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
    )


def _redirect(fields: dict[str, str], answer: dict[str, str]) -> Reply:
    """Send the browser back to the app; `state` is handed through."""
    if "state" in fields:
        answer = answer | {"state": fields["state"]}
    uri = fields["redirect_uri"]
    joiner = "&" if urlsplit(uri).query else "?"
    return Reply(302, b"", "", {"location": f"{uri}{joiner}{urlencode(answer)}"})


def discovery(world: Simulation) -> Reply:
    """GET /.well-known/openid-configuration."""
    url = world.config.base_url
    return json_reply(
        {
            "issuer": url,
            "authorization_endpoint": url + AUTHORIZE,
            "token_endpoint": url + TOKEN,
            "revocation_endpoint": url + REVOCATION,
            "response_types_supported": ["code"],
            "grant_types_supported": [
                "authorization_code",
                "client_credentials",
                "refresh_token",
            ],
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic",
                "client_secret_post",
            ],
            "code_challenge_methods_supported": ["S256"],
        }
    )
