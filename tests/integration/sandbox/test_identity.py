"""OAuth over HTTP: consent, codes, rotation, lifetimes, scopes, connections, revocation."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    import httpx
    from sandbox_caller import Caller

REDIRECT = "http://localhost:9999/callback"
ORGANISATION = "/api.xro/2.0/Organisation"


def authorize(call: Caller, **fields: str) -> httpx.Response:
    """Post the consent form as a browser would."""
    query = {
        "response_type": "code",
        "client_id": call.sandbox.bootstrap.client_id,
        "redirect_uri": REDIRECT,
        "scope": "offline_access openid accounting.invoices",
        "state": "s & t",
    }
    return call.http.post("/identity/connect/authorize", data=query | {"allow": "1"} | fields)


def code_of(answer: httpx.Response) -> str:
    """Return the code a redirect carries."""
    assert 302 == answer.status_code, answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert ["s & t"] == query["state"]
    return query["code"][0]


def token(call: Caller, **form: str) -> httpx.Response:
    """Ask for tokens as the web app."""
    boot = call.sandbox.bootstrap
    return call.http.post("/connect/token", data=form, auth=(boot.client_id, boot.client_secret))


def exchange(call: Caller, code: str, **form: str) -> httpx.Response:
    """Exchange a code."""
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    return token(call, **(fields | form))


def refresh(call: Caller, refresh_token: str) -> httpx.Response:
    """Rotate a refresh token."""
    return token(call, grant_type="refresh_token", refresh_token=refresh_token)


def organisation(call: Caller, access_token: str, tenant_id: str = "") -> httpx.Response:
    """Read the organisation with a token."""
    headers = {"Authorization": f"Bearer {access_token}"}
    if tenant_id:
        headers["xero-tenant-id"] = tenant_id
    return call.http.get(ORGANISATION, headers=headers)


def advance(call: Caller, **parts: float) -> None:
    """Move the clock."""
    seconds = parts.get("minutes", 0) * 60 + parts.get("days", 0) * 86_400
    call.control("POST", "/clock", json={"advance_seconds": seconds})


def test_consent_page_shows_users_organisations_and_escapes(call: Caller) -> None:
    """The page names what is asked for, and hands hostile parameters through escaped."""
    query = {
        "response_type": "code",
        "client_id": call.sandbox.bootstrap.client_id,
        "redirect_uri": REDIRECT,
        "scope": "accounting.invoices",
        "state": '"><script>',
    }
    page = call.http.get("/identity/connect/authorize", params=query).text
    assert "Daybook Demo" in page
    assert "Ava Owner" in page
    assert "<script>" not in page


def test_code_buys_tokens_once(call: Caller) -> None:
    """A code works once and only with its redirect URI; the access token opens the API."""
    code = code_of(authorize(call, scope="offline_access accounting.settings.read"))
    assert {"error": "invalid_grant"} == exchange(call, code, redirect_uri="https://x.test").json()
    assert {"error": "invalid_grant"} == exchange(call, code).json()
    code = code_of(authorize(call, scope="offline_access accounting.settings.read"))
    content = exchange(call, code).json()
    assert (1800, "Bearer") == (content["expires_in"], content["token_type"])
    assert 200 == organisation(call, content["access_token"], call.tenant_id).status_code
    assert 400 == exchange(call, code).status_code


def test_code_expires_after_five_minutes(call: Caller) -> None:
    """An old code is invalid_grant."""
    code = code_of(authorize(call))
    advance(call, minutes=5.1)
    assert (400, {"error": "invalid_grant"}) == (
        (answer := exchange(call, code)).status_code,
        answer.json(),
    )


def test_access_token_names_user_and_consent(call: Caller) -> None:
    """The token's claims lead to the user and, by authEventId, to what was just connected."""
    content = exchange(call, code_of(authorize(call))).json()
    part = content["access_token"].split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert {"offline_access", "openid", "accounting.invoices"} == set(claims["scope"])
    assert "xero_userid" in claims
    event = claims["authentication_event_id"]
    headers = {"Authorization": f"Bearer {content['access_token']}"}
    rows = call.http.get("/connections", params={"authEventId": event}, headers=headers).json()
    assert {"Daybook Demo", "Daybook Trading (UK)"} == {row["tenantName"] for row in rows}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}", rows[0]["createdDateUtc"])
    assert "id_token" in content


def test_chosen_organisations_only_are_connected(call: Caller) -> None:
    """The form may name fewer organisations and another user."""
    page = call.http.get(
        "/identity/connect/authorize",
        params={
            "response_type": "code",
            "client_id": call.sandbox.bootstrap.client_id,
            "redirect_uri": REDIRECT,
            "scope": "accounting.settings",
        },
    ).text
    sam = re.search(r'value="([0-9a-f-]{36})"[^>]*>\s*Sam Bookkeeper', page)
    assert sam is not None
    content = exchange(call, code_of(authorize(call, user_id=sam[1]))).json()
    headers = {"Authorization": f"Bearer {content['access_token']}"}
    rows = call.http.get("/connections", headers=headers).json()
    assert ["Daybook Trading (UK)"] == [row["tenantName"] for row in rows]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"scope": "accounting.transactions"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"allow_removed": "1"}, "access_denied"),
    ],
)
def test_refusal_goes_back_to_the_app(call: Caller, change: dict[str, str], error: str) -> None:
    """Broad scopes, other response types and Cancel come back as OAuth errors."""
    fields = {
        "response_type": "code",
        "client_id": call.sandbox.bootstrap.client_id,
        "redirect_uri": REDIRECT,
        "scope": "accounting.invoices",
        "state": "x",
    } | change
    answer = call.http.post("/identity/connect/authorize", data=fields)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert ([error], ["x"]) == (query["error"], query["state"])


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:9999/callback", "http://shop.example/cb", "ftp://x", ""]
)
def test_redirect_is_https_or_localhost(call: Caller, uri: str) -> None:
    """Other redirect URIs are refused on the spot, never followed."""
    assert 400 == authorize(call, redirect_uri=uri).status_code


def test_pkce_app_needs_no_secret_but_its_verifier(call: Caller) -> None:
    """The desktop app exchanges its code with the verifier alone, and only with that."""
    verifier = "v" * 50
    digest = hashlib.sha256(verifier.encode()).digest()
    client_id = call.sandbox.bootstrap.pkce_client_id
    asked = {
        "client_id": client_id,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    for sent, status in (("w" * 50, 400), (verifier, 200)):
        form = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": code_of(authorize(call, **asked)),
            "redirect_uri": REDIRECT,
            "code_verifier": sent,
        }
        assert status == call.http.post("/connect/token", data=form).status_code
    location = authorize(call, client_id=client_id).headers["location"]
    assert "error=invalid_request" in location


def test_replaced_refresh_token_has_thirty_minutes_of_grace(call: Caller) -> None:
    """Each refresh gives a new token; the one before goes on for half an hour."""
    first = call.sandbox.bootstrap.refresh_token
    second = refresh(call, first).json()["refresh_token"]
    assert first != second
    advance(call, minutes=29)
    assert 200 == refresh(call, first).status_code
    advance(call, minutes=2)
    assert {"error": "invalid_grant"} == refresh(call, first).json()
    assert 200 == refresh(call, second).status_code


def test_unused_refresh_token_ends_after_sixty_days(call: Caller) -> None:
    """Sixty days unused is the end; a refresh starts them anew."""
    current = refresh(call, call.sandbox.bootstrap.refresh_token).json()["refresh_token"]
    advance(call, days=59)
    current = refresh(call, current).json()["refresh_token"]
    advance(call, days=59)
    assert 200 == refresh(call, current).status_code
    current = refresh(call, current).json()["refresh_token"]
    advance(call, days=61)
    assert 400 == refresh(call, current).status_code


def test_wrong_client_is_told_so(call: Caller) -> None:
    """A wrong secret is invalid_client, an unknown grant type unsupported."""
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    wrong = call.http.post(
        "/connect/token", data=form, auth=(call.sandbox.bootstrap.client_id, "no")
    )
    assert (400, {"error": "invalid_client"}) == (wrong.status_code, wrong.json())
    assert {"error": "unsupported_grant_type"} == token(call, grant_type="password").json()


def test_expired_token_answers_as_recorded(call: Caller) -> None:
    """After 30 minutes the gateway says when the token expired."""
    advance(call, minutes=31)
    answer = organisation(call, call.token, call.tenant_id)
    content = answer.json()
    assert (401, "Bearer error=invalid_token") == (
        answer.status_code,
        answer.headers["www-authenticate"],
    )
    assert re.fullmatch(
        r"TokenExpired: token expired at \d\d/\d\d/\d{4} \d\d:\d\d:\d\d", content["Detail"]
    )
    assert content["Instance"] == answer.headers["xero-correlation-id"]
    assert ["Type", "Title", "Status", "Detail", "Instance", "Extensions"] == list(content)


def test_wrong_token_tenant_and_scope_answer_as_recorded(call: Caller) -> None:
    """Garbage is 401, another organisation 403, a missing scope 401 with its own header."""
    answer = organisation(call, "garbage", call.tenant_id)
    assert (401, "AuthenticationUnsuccessful") == (answer.status_code, answer.json()["Detail"])
    for tenant_id in ("", "00000000-0000-0000-0000-000000000000"):
        answer = organisation(call, call.token, tenant_id)
        assert (403, "Forbidden") == (answer.status_code, answer.json()["Title"])
        assert "x-minlimit-remaining" not in answer.headers
        assert "x-appminlimit-remaining" in answer.headers
    narrow = exchange(call, code_of(authorize(call))).json()["access_token"]
    answer = organisation(call, narrow, call.tenant_id)
    assert (401, "AuthorizationUnsuccessful", "insufficient_scope") == (
        answer.status_code,
        answer.json()["Detail"],
        answer.headers["www-authenticate"],
    )


def test_read_scope_reads_but_does_not_write(call: Caller) -> None:
    """A .read scope is enough for GET alone."""
    scope = "accounting.contacts.read"
    access = exchange(call, code_of(authorize(call, scope=scope))).json()["access_token"]
    headers = {"Authorization": f"Bearer {access}"}
    assert 200 == call.send("GET", "/Contacts", headers=headers).status_code
    assert 401 == call.send("PUT", "/Contacts", headers=headers, json={"Name": "A"}).status_code


def test_connection_is_deleted_by_its_own_id(call: Caller) -> None:
    """The tenant id in its place is forbidden, an unknown id not found; then calls are 403."""
    headers = {"Authorization": f"Bearer {call.token}"}
    rows = call.http.get("/connections", headers=headers).json()
    (row,) = [row for row in rows if row["tenantId"] == call.tenant_id]
    for key, status in (
        (call.tenant_id, 403),
        (row["authEventId"], 403),
        ("nope", 404),
        (row["id"], 204),
    ):
        assert status == call.http.delete(f"/connections/{key}", headers=headers).status_code
    assert 403 == organisation(call, call.token, call.tenant_id).status_code
    assert 1 == len(call.http.get("/connections", headers=headers).json())


def test_revocation_ends_tokens_and_connections(call: Caller) -> None:
    """Revoking a refresh token answers 200 with nothing and disconnects everything."""
    current = refresh(call, call.sandbox.bootstrap.refresh_token).json()["refresh_token"]
    boot = call.sandbox.bootstrap
    form = {"token": current, "client_id": boot.client_id, "client_secret": boot.client_secret}
    answer = call.http.post("/connect/revocation", data=form)
    assert (200, b"") == (answer.status_code, answer.content)
    assert 400 == refresh(call, current).status_code
    assert 403 == organisation(call, call.token, call.tenant_id).status_code


def test_custom_connection_needs_no_tenant_header(call: Caller) -> None:
    """Client credentials reach the one organisation they belong to, without refresh token."""
    boot = call.sandbox.bootstrap
    form = {"grant_type": "client_credentials", "scope": "accounting.settings"}
    pair = (boot.custom_connection_client_id, boot.custom_connection_client_secret)
    content = call.http.post("/connect/token", data=form, auth=pair).json()
    assert "refresh_token" not in content
    answer = organisation(call, content["access_token"])
    assert "Daybook Demo" == answer.json()["Organisations"][0]["Name"]
    refused = call.http.post("/connect/token", data=form, auth=(boot.client_id, boot.client_secret))
    assert {"error": "unauthorized_client"} == refused.json()


def test_discovery_names_the_endpoints(call: Caller) -> None:
    """The discovery document leads to the same port."""
    content = call.http.get("/.well-known/openid-configuration").json()
    assert call.sandbox.url + "/connect/token" == content["token_endpoint"]
