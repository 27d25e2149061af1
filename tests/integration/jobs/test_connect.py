"""Connecting organisations through the sandbox's consent page, and what can go wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet
from hurried_clock import HurriedClock
from sqlalchemy import func, select

from daybook.clock import SystemClock
from daybook.errors import InputError, ReconnectNeeded, SettingError, Unavailable
from daybook.jobs.connect import XeroAccess, auth_of, begin, client_of, complete, keep_alive
from daybook.ledger.connections import Connections
from daybook.ledger.engine import open_engine
from daybook.ledger.organisations import read_organisations
from daybook.ledger.tables import connections
from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import serve
from daybook.xero.client import open_http
from daybook.xero.identity import XeroApp
from daybook.xero.limits import Unlimited
from daybook.xero.reference_data import read_organisation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from daybook.ledger.organisations import Organisation
    from daybook.sandbox.server import RunningSandbox
    from daybook.xero.identity import Consent


@dataclass(frozen=True)
class Desk:
    """A ledger, a sandbox and a browser."""

    access: XeroAccess
    sandbox: RunningSandbox
    browser: httpx.Client
    engine: Engine

    def answer(self, consent: Consent, *, allow: bool = True, **fields: str) -> dict[str, str]:
        """Press a button on the consent page and return what comes back to the app."""
        form = dict(parse_qsl(urlsplit(consent.url).query)) | fields
        page = self.browser.post(consent.url, data=form | ({"allow": "1"} if allow else {}))
        assert page.status_code == 302, page.text
        return dict(parse_qsl(urlsplit(page.headers["location"]).query))

    def organisations(self) -> list[Organisation]:
        """The organisations in the ledger."""
        with self.engine.connect() as connection:
            return list(read_organisations(connection).values())

    def connection_count(self) -> int:
        """The stored token sets."""
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(connections)) or 0


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """Nothing is connected yet; the sandbox has a second organisation."""
    with (
        serve(SandboxConfig()) as sandbox,
        open_http() as http,
        httpx.Client(base_url=sandbox.url, timeout=60) as browser,
    ):
        engine = open_engine(database_url)
        browser.post("/_sandbox/organisations", json={"name": "Kopi Corner", "country": "SG"})
        boot = sandbox.bootstrap
        app = XeroApp(
            client_id=boot.client_id,
            client_secret=boot.client_secret,
            redirect_url="http://localhost:8765/callback",
            api_url=boot.api_url,
            identity_url=boot.identity_url,
            login_url=boot.login_url,
        )
        stored = Connections(engine, Fernet.generate_key().decode())
        access = XeroAccess(app, http, stored, Unlimited(), SystemClock())
        yield Desk(access, sandbox, browser, engine)
        engine.dispose()


def test_every_organisation_that_was_allowed_is_connected(desk: Desk) -> None:
    """With the name, country and currency that Xero gives it."""
    consent = begin(desk.access.app)
    connected = complete(desk.access, consent, desk.answer(consent))
    found = {(one.name, one.country_code) for one in desk.organisations()}
    assert ("Kopi Corner", "SG") in found
    assert found == {(one.name, one.country_code) for one in connected.organisations}
    assert len(found) >= 2
    assert {connected.connection_id} == {one.connection_id for one in desk.organisations()}


def test_a_stored_connection_reaches_its_organisation(desk: Desk) -> None:
    """Another process needs only the ledger and the key."""
    consent = begin(desk.access.app)
    complete(desk.access, consent, desk.answer(consent))
    one = desk.organisations()[0]
    assert (
        one.name
        == read_organisation(client_of(desk.access, one.connection_id, one.tenant_id_xero)).name
    )


def test_connecting_again_changes_no_row(desk: Desk) -> None:
    """The same user and the same organisations keep their rows."""
    for _ in range(2):
        consent = begin(desk.access.app)
        complete(desk.access, consent, desk.answer(consent))
    rows = desk.organisations()
    consent = begin(desk.access.app)
    complete(desk.access, consent, desk.answer(consent))
    assert rows == desk.organisations()
    assert 1 == desk.connection_count()


def test_cancelling_changes_nothing(desk: Desk) -> None:
    """One sentence, no row."""
    consent = begin(desk.access.app)
    with pytest.raises(InputError, match="cancelled in Xero"):
        complete(desk.access, consent, desk.answer(consent, allow=False))
    assert 0 == desk.connection_count()


def test_a_wrong_client_secret_is_one_clear_sentence(desk: Desk) -> None:
    """It names the settings and where their values are."""
    wrong = replace(desk.access, app=replace(desk.access.app, client_secret="wrong"))
    consent = begin(wrong.app)
    with pytest.raises(SettingError, match="DAYBOOK_XERO_CLIENT_SECRET") as caught:
        complete(wrong, consent, desk.answer(consent))
    assert "wrong" not in str(caught.value)
    assert 0 == desk.connection_count()


def test_another_windows_answer_is_refused(desk: Desk) -> None:
    """State ties the answer to the one who asked."""
    consent, other = begin(desk.access.app), begin(desk.access.app)
    with pytest.raises(InputError, match="does not belong"):
        complete(desk.access, consent, desk.answer(other))
    assert 0 == desk.connection_count()


def test_a_stolen_code_is_worth_nothing_without_its_verifier(desk: Desk) -> None:
    """The verifier never left us."""
    consent = begin(desk.access.app)
    answer = desk.answer(consent)
    with pytest.raises(InputError, match="start connecting again"):
        complete(desk.access, replace(consent, verifier="x" * 64), answer)


def test_a_code_works_once(desk: Desk) -> None:
    """Reloading the page in the browser breaks nothing."""
    consent = begin(desk.access.app)
    answer = desk.answer(consent)
    complete(desk.access, consent, answer)
    with pytest.raises(InputError, match="completed before"):
        complete(desk.access, consent, answer)
    assert 1 == desk.connection_count()


def test_a_sandbox_that_is_down_is_one_clear_sentence(desk: Desk) -> None:
    """It names the address that does not answer."""
    consent = begin(desk.access.app)
    answer = desk.answer(consent)
    down = replace(desk.access, app=replace(desk.access.app, identity_url="http://127.0.0.1:9"))
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:9"):
        complete(down, consent, answer)


def test_a_revoked_connection_needs_a_person_and_recovers(desk: Desk) -> None:
    """Its state says so for all, until somebody connects again."""
    consent = begin(desk.access.app)
    complete(desk.access, consent, desk.answer(consent))
    one = desk.organisations()[0]
    desk.browser.post("/_sandbox/clock", json={"advance_seconds": 61 * 86_400})
    with pytest.raises(ReconnectNeeded):
        read_organisation(client_of(desk.access, one.connection_id, one.tenant_id_xero))
    assert "reconnect_needed" == desk.access.connections.statuses()[0].state
    consent = begin(desk.access.app)
    complete(desk.access, consent, desk.answer(consent))
    assert "connected" == desk.access.connections.statuses()[0].state
    assert one in desk.organisations()


def test_an_unused_connection_is_renewed_by_the_night(desk: Desk) -> None:
    """Every month: after half a year without trade it still works, and nobody is bothered."""
    consent = begin(desk.access.app)
    complete(desk.access, consent, desk.answer(consent))
    one = desk.organisations()[0]
    clock = HurriedClock(0, 10**9)
    night = replace(desk.access, clock=clock)
    for _ in range(6):
        clock.sleep(31 * 86_400)
        desk.browser.post("/_sandbox/clock", json={"advance_seconds": 31 * 86_400})
        assert () == keep_alive(night)
        assert () == keep_alive(night)
    renewals = desk.browser.get("/_sandbox/requests", params={"path": "/connect/token"}).json()
    assert 1 + 6 == renewals["count"]
    assert (
        one.name == read_organisation(client_of(night, one.connection_id, one.tenant_id_xero)).name
    )


def test_a_connection_that_has_ended_is_said_every_night(desk: Desk) -> None:
    """By the names of its organisations, also when there is nothing to post into them."""
    consent = begin(desk.access.app)
    complete(desk.access, consent, desk.answer(consent))
    names = ", ".join(sorted(one.name for one in desk.organisations()))
    clock = HurriedClock(0, 10**9)
    night = replace(desk.access, clock=clock)
    clock.sleep(50 * 86_400)
    down = replace(night, app=replace(night.app, identity_url="http://127.0.0.1:9"))
    (sentence,) = keep_alive(down)
    assert f"{names}: the connection to Xero ends in 9 days. Xero's identity server" in sentence
    desk.browser.post("/_sandbox/clock", json={"advance_seconds": 61 * 86_400})
    for _ in range(2):
        (sentence,) = keep_alive(night)
        assert sentence.startswith(f"{names}: Xero's permission for Daybook has ended; connect")


def test_a_connection_of_another_key_stops_no_night(desk: Desk) -> None:
    """The key was lost and another user has connected since: the old one is said, no more."""
    consent = begin(desk.access.app)
    complete(desk.access, consent, desk.answer(consent))
    clock = HurriedClock(0, 10**9)
    clock.sleep(31 * 86_400)
    other = replace(desk.access.connections, key=Fernet.generate_key().decode())
    (sentence,) = keep_alive(replace(desk.access, clock=clock, connections=other))
    assert "was encrypted with another key" in sentence


def test_a_lost_renewal_reply_costs_nothing(desk: Desk) -> None:
    """The previous refresh token works for half an hour more."""
    consent = begin(desk.access.app)
    connected = complete(desk.access, consent, desk.answer(consent))
    one = desk.organisations()[0]
    desk.browser.post("/_sandbox/clock", json={"advance_seconds": 3600})
    fault = {"fault": "lost_reply", "match": {"path": "/connect/token"}, "nth": 1}
    desk.browser.post("/_sandbox/faults", json=fault).raise_for_status()
    client = client_of(desk.access, connected.connection_id, one.tenant_id_xero)
    assert one.name == read_organisation(client).name


def test_no_repr_shows_a_secret(desk: Desk) -> None:
    """What a job holds may end in a log."""
    secret = desk.access.app.client_secret
    shown = repr(desk.access) + repr(auth_of(desk.access, 1))
    assert [] == [word for word in (secret, desk.access.connections.key) if word in shown]
