"""Connects Xero organisations: a person allows it in the browser; tokens and facts are kept.

Connecting again replaces the tokens and keeps every organisation's row, and with it its history.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.errors import DaybookError, InputError, Unavailable
from daybook.ledger.connections import Connections, OrganisationFacts, StoredTokens
from daybook.wording import counted
from daybook.xero.auth import Bearer
from daybook.xero.client import XeroClient
from daybook.xero.connected import list_connected
from daybook.xero.identity import ask_consent, exchange_code, read_callback, refresh
from daybook.xero.reference_data import read_organisation

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from daybook.clock import Clock
    from daybook.xero.identity import Consent, IssuedTokens, XeroApp
    from daybook.xero.limits import CallBudget


# Unused for so long, a connection is renewed by the night: Xero ends it after 60 days.
UNUSED_MAX: Final = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class XeroAccess:
    """What it takes to reach Xero on behalf of any connected user."""

    app: XeroApp
    http: httpx.Client
    connections: Connections
    budget: CallBudget
    clock: Clock


@dataclass(frozen=True, slots=True)
class Connected:
    """What connecting came to: the connection and the organisations it reaches."""

    connection_id: int
    organisations: tuple[OrganisationFacts, ...]


def begin(app: XeroApp) -> Consent:
    """Return the address to send the browser to, and what to keep until it comes back."""
    return ask_consent(app)


def complete(access: XeroAccess, consent: Consent, answer: Mapping[str, str]) -> Connected:
    """Finish a connection from the query parameters of the browser's way back.

    Raises:
        InputError: it was cancelled, refused, too late, or is not the answer to this consent.
        SettingError: Xero does not know the app's client id and secret.
        DaybookError: Xero does not answer or refuses; start connecting again.
    """
    code = read_callback(consent.state, answer)
    issued = exchange_code(access.app, code, consent.verifier, http=access.http, clock=access.clock)
    connection_id = access.connections.store(issued, access.clock.now())
    auth = auth_of(access, connection_id)
    tenant_ids = list_connected(
        access.http, auth, access.app.api_url, consent_id=issued.consent_id_xero
    )
    if not tenant_ids:
        raise InputError(
            "No Xero organisation was chosen; start connecting again and choose at least one."
        )
    found = tuple(_facts(client_of(access, connection_id, tenant)) for tenant in tenant_ids)
    access.connections.link(connection_id, found, access.clock.now())
    return Connected(connection_id, found)


def keep_alive(access: XeroAccess) -> tuple[str, ...]:
    """Renew connections that nothing has used for a month; say which of them need a person.

    So a chain that does not trade for two months loses no connection, and one that has ended is
    said every night, not only when there is something to post.
    """
    problems = []
    for one in access.connections.statuses():
        now_at = access.clock.now()
        is_used = one.state == "connected" and now_at - one.refreshed_at < UNUSED_MAX
        if is_used or not one.organisation_names:
            continue
        names = ", ".join(one.organisation_names)
        try:
            _tokens_of(access, one.connection_id).access_token()
        except Unavailable as error:
            if one.state_at(now_at) != "connected":
                left = one.days_left(now_at)
                problems.append(
                    f"{names}: the connection to Xero ends in {counted(left, 'day')}. {error}"
                )
        except DaybookError as error:  # one connection stops no other, and not the night
            problems.append(f"{names}: {error}")
    return tuple(problems)


def auth_of(access: XeroAccess, connection_id: int) -> Bearer:
    """Return what signs requests with the tokens of a stored connection, renewing them in time."""
    return Bearer(_tokens_of(access, connection_id))


def _tokens_of(access: XeroAccess, connection_id: int) -> StoredTokens:
    def next_tokens(refresh_token: str) -> IssuedTokens:
        return refresh(access.app, refresh_token, http=access.http, clock=access.clock)

    return StoredTokens(access.connections, connection_id, next_tokens, access.clock)


def client_of(access: XeroAccess, connection_id: int, tenant_id_xero: str) -> XeroClient:
    """Return the client of one organisation, reached through a stored connection."""
    return XeroClient(
        http=access.http,
        auth=auth_of(access, connection_id),
        api_url=access.app.api_url,
        tenant_id_xero=tenant_id_xero,
        budget=access.budget,
        clock=access.clock,
    )


def _facts(client: XeroClient) -> OrganisationFacts:
    organisation = read_organisation(client)
    return OrganisationFacts(
        tenant_id_xero=client.tenant_id_xero,
        name=organisation.name,
        country_code=organisation.country_code,
        base_currency=organisation.base_currency,
    )
