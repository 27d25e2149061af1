"""Xero's identity service: apps, users, codes, tokens, and the connections they lead to.

Lifetimes: code 5 minutes, access token 30 minutes, refresh token 60 days unused; a replaced
refresh token goes on working for 30 minutes. All on the sandbox's clock.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox.identifiers import fixed_guid

if TYPE_CHECKING:
    from daybook.sandbox.config import SandboxConfig
    from daybook.sandbox.identifiers import Identifiers

CODE_LIFE = timedelta(minutes=5)
ACCESS_LIFE = timedelta(minutes=30)
REFRESH_LIFE = timedelta(days=60)
GRACE = timedelta(minutes=30)
PKCE_VERIFIER = re.compile(r"^[A-Za-z0-9\-._~]{43,128}$")
_GRANULAR = ("invoices", "payments", "banktransactions", "manualjournals", "contacts", "settings")
SCOPES = frozenset(
    {"offline_access", "openid", "profile", "email", "app.connections"}
    | {f"accounting.{name}" for name in (*_GRANULAR, "attachments")}
    | {f"accounting.{name}.read" for name in (*_GRANULAR, "attachments")}
)
FULL_SCOPE = (
    "openid profile email offline_access accounting.invoices accounting.payments "
    "accounting.banktransactions accounting.contacts accounting.settings accounting.attachments"
)


class OAuthError(Exception):
    """An OAuth refusal; `code` goes into the `error` field."""

    def __init__(self, code: str) -> None:
        """`code` is one of RFC 6749's."""
        super().__init__(code)
        self.code = code


class App(msgspec.Struct, frozen=True, kw_only=True):
    """A registered app: `web` has a secret, `pkce` none, `custom` belongs to one organisation."""

    client_id: str
    client_secret: str
    name: str
    kind: str
    tenant_id: str = ""


class User(msgspec.Struct, kw_only=True):
    """A person with access to organisations."""

    id: str
    name: str
    email: str
    tenant_ids: list[str]


class Code(msgspec.Struct, kw_only=True):
    """An authorization code; works once."""

    client_id: str
    user_id: str
    redirect_uri: str
    scope: str
    challenge: str
    event_id: str
    issued_at: datetime


class Refresh(msgspec.Struct, kw_only=True):
    """A refresh token; `replaced_at` starts the grace."""

    client_id: str
    user_id: str
    scope: str
    event_id: str
    issued_at: datetime
    replaced_at: datetime | None = None


class Access(msgspec.Struct, kw_only=True):
    """An access token; `scopes` as a set for the check on every call."""

    client_id: str
    user_id: str
    scopes: frozenset[str]
    expires_at: datetime


class Connection(msgspec.Struct, kw_only=True):
    """A user's consent for an app to reach an organisation."""

    id: str
    client_id: str
    user_id: str
    tenant_id: str
    event_id: str
    created_at: datetime
    updated_at: datetime


class IdentityState(msgspec.Struct, kw_only=True):
    """What survives a restart."""

    users: dict[str, User] = {}
    codes: dict[str, Code] = {}
    refresh: dict[str, Refresh] = {}
    access: dict[str, Access] = {}
    connections: dict[str, Connection] = {}


class Identity:
    """Issues, renews and revokes tokens."""

    def __init__(self, config: SandboxConfig, ids: Identifiers) -> None:
        """Register the apps; their ids and secrets follow from the seed."""
        self._ids = ids
        self._seed = config.seed
        self.base_url = config.base_url
        self.state = IdentityState()
        self.is_changed = True
        self.apps = {app.client_id: app for app in _apps(config.seed)}
        by_kind = {app.kind: app for app in self.apps.values()}
        self.web, self.pkce, self.custom = by_kind["web"], by_kind["pkce"], by_kind["custom"]

    def add_user(self, name: str, email: str, tenant_ids: list[str]) -> User:
        """Register a person."""
        user = User(
            id=fixed_guid(self._seed, f"user/{email}"),
            name=name,
            email=email,
            tenant_ids=tenant_ids,
        )
        self.state.users[user.id] = user
        self.is_changed = True
        return user

    def client(self, client_id: str, secret: str | None) -> App:
        """Authenticate an app.

        Raises:
            OAuthError: unknown app or wrong secret.
        """
        app = self.apps.get(client_id)
        if app is None or (app.client_secret and secret != app.client_secret):
            raise OAuthError("invalid_client")
        return app

    def check_scope(self, scope: str) -> None:
        """Refuse a scope that is unknown or one of the retired broad ones.

        Raises:
            OAuthError: `invalid_scope`.
        """
        if not scope or not set(scope.split()) <= SCOPES:
            raise OAuthError("invalid_scope")

    def grant(self, app: App, user: User, tenant_ids: list[str], now: datetime) -> str:
        """Connect organisations by a user's consent; return the id of this consent."""
        event_id = self._ids.guid()
        for tenant_id in tenant_ids:
            known = self.connection(app.client_id, user.id, tenant_id)
            if known is not None:
                known.updated_at, known.event_id = now, event_id
                continue
            connection_id = self._ids.guid()
            self.state.connections[connection_id] = Connection(
                id=connection_id,
                client_id=app.client_id,
                user_id=user.id,
                tenant_id=tenant_id,
                event_id=event_id,
                created_at=now,
                updated_at=now,
            )
        self.is_changed = True
        return event_id

    def connection(self, client_id: str, user_id: str, tenant_id: str) -> Connection | None:
        """Return the connection of an app and user to an organisation."""
        for row in self.state.connections.values():
            if (row.client_id, row.user_id, row.tenant_id) == (client_id, user_id, tenant_id):
                return row
        return None

    def issue_code(
        self, app: App, user: User, request: dict[str, str], event_id: str, now: datetime
    ) -> str:
        """Return a new authorization code for a consent."""
        code = self._ids.token()
        self.state.codes[code] = Code(
            client_id=app.client_id,
            user_id=user.id,
            redirect_uri=request["redirect_uri"],
            scope=request["scope"],
            challenge=request.get("code_challenge", ""),
            event_id=event_id,
            issued_at=now,
        )
        self.is_changed = True
        return code

    def exchange_code(self, app: App, form: dict[str, str], now: datetime) -> dict[str, object]:
        """Turn a code into tokens.

        Raises:
            OAuthError: used, expired, foreign, or with the wrong redirect URI or verifier.
        """
        code = self.state.codes.pop(form.get("code", ""), None)
        self.is_changed = True
        if (
            code is None
            or code.client_id != app.client_id
            or code.redirect_uri != form.get("redirect_uri")
            or now > code.issued_at + CODE_LIFE
            or not _verifies(code.challenge, form.get("code_verifier", ""))
            or (app.kind == "pkce" and not code.challenge)
        ):
            raise OAuthError("invalid_grant")
        return self.issue_tokens(app, code.user_id, code.scope, code.event_id, now)

    def refresh(self, app: App, token: str, now: datetime) -> dict[str, object]:
        """Rotate a refresh token; the old one keeps working for the grace.

        Raises:
            OAuthError: unknown, revoked, expired, or replaced longer ago than the grace.
        """
        known = self.state.refresh.get(token)
        if known is None or known.client_id != app.client_id:
            raise OAuthError("invalid_grant")
        is_expired = now > known.issued_at + REFRESH_LIFE
        is_replaced = known.replaced_at is not None and now > known.replaced_at + GRACE
        if is_expired or is_replaced:
            raise OAuthError("invalid_grant")
        if known.replaced_at is None:
            known.replaced_at = now
        return self.issue_tokens(app, known.user_id, known.scope, known.event_id, now)

    def client_credentials(self, app: App, scope: str, now: datetime) -> dict[str, object]:
        """Return a token of a custom connection, which needs no tenant header.

        Raises:
            OAuthError: the app is of another kind, or the scope is not known.
        """
        if app.kind != "custom" and scope != "app.connections":
            raise OAuthError("unauthorized_client")
        self.check_scope(scope)
        without_refresh = " ".join(part for part in scope.split() if part != "offline_access")
        return self.issue_tokens(app, "", without_refresh, "", now)

    def issue_tokens(
        self, app: App, user_id: str, scope: str, event_id: str, now: datetime
    ) -> dict[str, object]:
        """Return a token response and remember what it grants."""
        self._forget_expired(now)
        scopes = frozenset(scope.split())
        expires_at = now + ACCESS_LIFE
        access_token = self._jwt(app, user_id, scopes, event_id, now)
        self.state.access[access_token] = Access(
            client_id=app.client_id, user_id=user_id, scopes=scopes, expires_at=expires_at
        )
        content: dict[str, object] = {
            "access_token": access_token,
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "token_type": "Bearer",
            "scope": scope,
        }
        if "openid" in scopes:
            content = {"id_token": self._jwt(app, user_id, scopes, "", now), **content}
        if "offline_access" in scopes:
            content["refresh_token"] = self.new_refresh(app, user_id, scope, event_id, now)
        self.is_changed = True
        return content

    def new_refresh(self, app: App, user_id: str, scope: str, event_id: str, now: datetime) -> str:
        """Return a new refresh token."""
        token = self._ids.token()
        self.state.refresh[token] = Refresh(
            client_id=app.client_id,
            user_id=user_id,
            scope=scope,
            event_id=event_id,
            issued_at=now,
        )
        self.is_changed = True
        return token

    def _forget_expired(self, now: datetime) -> None:
        """Drop what cannot matter any more; an expired access token is remembered for a day."""
        kept = {
            key: row
            for key, row in self.state.access.items()
            if row.expires_at + timedelta(days=1) > now
        }
        self.state.access = kept

    def _jwt(
        self, app: App, user_id: str, scopes: frozenset[str], event_id: str, now: datetime
    ) -> str:
        """Return a signed token with the claims Xero's carry."""
        issued = int(now.timestamp())
        claims = {
            "iss": self.base_url,
            "nbf": issued,
            "exp": issued + int(ACCESS_LIFE.total_seconds()),
            "auth_time": issued,
            "client_id": app.client_id,
            "jti": self._ids.token(32),
            "scope": sorted(scopes),
        }
        if user_id:
            claims |= {"sub": user_id, "xero_userid": user_id}
            claims["global_session_id"] = self._ids.token(32)
        if event_id:
            claims["authentication_event_id"] = event_id
        header = {"alg": "HS256", "typ": "JWT"}
        signed = ".".join(_base64url(msgspec.json.encode(part)) for part in (header, claims))
        key = app.client_secret or app.client_id
        return f"{signed}.{_base64url(hmac.digest(key.encode(), signed.encode(), 'sha256'))}"

    def revoke(self, app: App, token: str) -> None:
        """Revoke a refresh token: all of the user's tokens and connections of this app go."""
        known = self.state.refresh.get(token)
        if known is None or known.client_id != app.client_id:
            return
        owner = (known.client_id, known.user_id)
        state = self.state
        state.refresh = {
            key: row for key, row in state.refresh.items() if (row.client_id, row.user_id) != owner
        }
        state.connections = {
            key: row
            for key, row in state.connections.items()
            if (row.client_id, row.user_id) != owner
        }
        self.is_changed = True


def _apps(seed: int) -> list[App]:
    """Return the three apps of a sandbox."""

    def secret(name: str) -> str:
        return base64.urlsafe_b64encode(
            hashlib.sha256(f"{seed}/{name}/secret".encode()).digest()
        ).decode()[:40]

    def client_id(name: str) -> str:
        return fixed_guid(seed, f"app/{name}").replace("-", "").upper()

    return [
        App(client_id=client_id("web"), client_secret=secret("web"), name="Daybook", kind="web"),
        App(client_id=client_id("pkce"), client_secret="", name="Daybook Desktop", kind="pkce"),
        App(
            client_id=client_id("custom"),
            client_secret=secret("custom"),
            name="Daybook Custom Connection",
            kind="custom",
            tenant_id=fixed_guid(seed, "organisation/0"),
        ),
    ]


def _verifies(challenge: str, verifier: str) -> bool:
    """Check a PKCE verifier; without a challenge there is nothing to check."""
    if not challenge:
        return True
    if not PKCE_VERIFIER.match(verifier):
        return False
    return _base64url(hashlib.sha256(verifier.encode()).digest()) == challenge


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
