"""Stored token sets: encrypted, renewed by one process at a time, committed before use."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import func, select

from daybook.errors import ReconnectNeeded, SettingError, Unavailable
from daybook.ledger.connections import Connections, OrganisationFacts, StoredTokens
from daybook.ledger.engine import open_engine
from daybook.ledger.tables import connections as connections_table
from daybook.ledger.tables import organisations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

_KEY = Fernet.generate_key().decode()
_HALF_HOUR = dt.timedelta(minutes=30)
_SINGAPORE = OrganisationFacts("tenant-1", "Kopi Pte Ltd", "SG", "SGD")


class _Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now_at = dt.datetime(2026, 7, 14, 12, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        return self.now_at

    def sleep(self, seconds: float) -> None:
        self.now_at += dt.timedelta(seconds=seconds)


@dataclass(frozen=True)
class _Issued:
    """A token set as the identity server issues it."""

    access_token: str
    refresh_token: str
    access_expires_at: dt.datetime
    user_id_xero: str = "user-1"


@dataclass
class _IdentityServer:
    """Rotates refresh tokens: each works once."""

    clock: _Clock
    valid: str = "refresh-0"
    count: int = 0
    failure: Exception | None = None
    waiting: threading.Event = field(default_factory=threading.Event)
    proceed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.proceed.set()

    def refresh(self, refresh_token: str) -> _Issued:
        self.waiting.set()
        assert self.proceed.wait(60)
        if self.failure is not None:
            raise self.failure
        if refresh_token != self.valid:
            raise ReconnectNeeded("used before")
        self.count += 1
        self.valid = f"refresh-{self.count}"
        return _Issued(f"access-{self.count}", self.valid, self.clock.now() + _HALF_HOUR)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated, empty ledger."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> _Clock:
    """A clock that stands still."""
    return _Clock()


@pytest.fixture
def server(clock: _Clock) -> _IdentityServer:
    """An identity server that knows the first refresh token."""
    return _IdentityServer(clock)


@pytest.fixture
def stored(engine: Engine) -> Connections:
    """The stored token sets."""
    return Connections(engine, _KEY)


def _first(clock: _Clock, user: str = "user-1") -> _Issued:
    return _Issued("access-0", "refresh-0", clock.now() + _HALF_HOUR, user)


@pytest.fixture
def keeper(stored: Connections, clock: _Clock, server: _IdentityServer) -> StoredTokens:
    """The keeper of a connection made just now."""
    connection_id = stored.store(_first(clock), clock.now())
    return StoredTokens(stored, connection_id, server.refresh, clock)


def test_a_fresh_token_is_used_as_it_is(keeper: StoredTokens, server: _IdentityServer) -> None:
    """Nothing is renewed without need."""
    assert "access-0" == keeper.access_token()
    assert 0 == server.count


@pytest.mark.parametrize(("minutes", "token"), [(28, "access-0"), (29.5, "access-1")])
def test_a_token_is_renewed_a_minute_ahead(
    keeper: StoredTokens, clock: _Clock, minutes: float, token: str
) -> None:
    """A call that starts now must not end with an expired token."""
    clock.sleep(60 * minutes)
    assert token == keeper.access_token()


def test_a_rejected_token_is_renewed_at_once(keeper: StoredTokens, server: _IdentityServer) -> None:
    """Xero has the last word on what has expired."""
    assert "access-1" == keeper.access_token(rejected="access-0")
    assert "access-1" == keeper.access_token()
    assert 1 == server.count


def test_what_another_process_renewed_is_used(
    keeper: StoredTokens, stored: Connections, clock: _Clock, server: _IdentityServer
) -> None:
    """The second refresher finds the new token instead of using up a dead one."""
    other = StoredTokens(stored, keeper.connection_id, server.refresh, clock)
    assert "access-0" == other.access_token()
    keeper.access_token(rejected="access-0")
    assert "access-1" == other.access_token(rejected="access-0")
    assert 1 == server.count


def test_ten_refreshers_at_once_refresh_once(
    stored: Connections, keeper: StoredTokens, clock: _Clock, server: _IdentityServer
) -> None:
    """All the others wait at the row, however slow the first is, and use what they find there."""
    clock.sleep(3600)
    server.proceed.clear()
    tokens: list[str] = []
    keepers = [StoredTokens(stored, keeper.connection_id, server.refresh, clock) for _ in range(10)]
    threads = [
        threading.Thread(target=lambda one=one: tokens.append(one.access_token()))
        for one in keepers
    ]
    for thread in threads:
        thread.start()
    assert server.waiting.wait(60)
    threading.Event().wait(0.3)  # the others reach the row
    server.proceed.set()
    for thread in threads:
        thread.join()
    assert ["access-1"] * 10 == tokens
    assert 1 == server.count


def test_a_new_token_is_committed_before_anyone_uses_it(
    keeper: StoredTokens, stored: Connections, clock: _Clock, server: _IdentityServer
) -> None:
    """A process that dies right after the renewal leaves the new token set behind."""
    used = keeper.access_token(rejected="access-0")
    clock.sleep(3600)
    survivor = StoredTokens(stored, keeper.connection_id, server.refresh, clock)
    assert "access-1" == used
    assert "access-2" == survivor.access_token()


def test_an_identity_server_that_is_down_ends_nothing(
    keeper: StoredTokens, stored: Connections, clock: _Clock, server: _IdentityServer
) -> None:
    """The stored refresh token stays, and works when the server is back."""
    clock.sleep(3600)
    server.failure = Unavailable("down")
    with pytest.raises(Unavailable):
        keeper.access_token()
    assert "connected" == stored.statuses()[0].state
    server.failure = None
    assert "access-1" == keeper.access_token()


def test_a_dead_connection_is_marked_for_every_process(
    keeper: StoredTokens, stored: Connections, clock: _Clock, server: _IdentityServer
) -> None:
    """Others do not ask the identity server again; pages show that a person is needed."""
    clock.sleep(3600)
    server.valid = "something else"
    with pytest.raises(ReconnectNeeded):
        keeper.access_token()
    assert ("reconnect_needed", 0) == (
        stored.statuses()[0].state,
        stored.statuses()[0].days_left(clock.now()),
    )
    server.waiting.clear()
    with pytest.raises(ReconnectNeeded, match="Nothing is lost"):
        StoredTokens(stored, keeper.connection_id, server.refresh, clock).access_token()
    assert not server.waiting.is_set()


def test_connecting_again_revives_a_dead_connection(
    keeper: StoredTokens, stored: Connections, clock: _Clock, server: _IdentityServer
) -> None:
    """The same user keeps the same row."""
    clock.sleep(3600)
    server.valid = "something else"
    with pytest.raises(ReconnectNeeded):
        keeper.access_token()
    again = _Issued("access-9", "refresh-9", clock.now() + _HALF_HOUR)
    assert keeper.connection_id == stored.store(again, clock.now())
    assert "access-9" == keeper.access_token()


def test_tokens_are_encrypted_where_they_lie(keeper: StoredTokens, engine: Engine) -> None:
    """Who reads the database does not get into Xero."""
    with engine.connect() as connection:
        row = connection.execute(select(connections_table)).one()
    assert keeper.connection_id == row.id
    assert b"access-0" not in bytes(row.token_set)
    assert b"refresh-0" not in bytes(row.token_set)


def test_another_key_is_named_as_the_reason(
    keeper: StoredTokens, engine: Engine, clock: _Clock, server: _IdentityServer
) -> None:
    """The sentence says which setting is wrong."""
    other = Connections(engine, Fernet.generate_key().decode())
    with pytest.raises(SettingError, match="DAYBOOK_SECRET_KEY"):
        StoredTokens(other, keeper.connection_id, server.refresh, clock).access_token()


def test_no_repr_shows_a_token_or_the_key(keeper: StoredTokens) -> None:
    """A repr in a log or a traceback tells nothing."""
    keeper.access_token()
    shown = repr(keeper) + repr(keeper.connections)
    assert [] == [word for word in ("access-0", "refresh-0", _KEY) if word in shown]


def test_organisations_keep_their_row_when_they_are_connected_again(
    stored: Connections, engine: Engine, clock: _Clock
) -> None:
    """Its documents hang on that row: history is kept, also under another user and name."""
    first = stored.store(_first(clock), clock.now())
    stored.link(first, [_SINGAPORE], clock.now())
    second = stored.store(_first(clock, "user-2"), clock.now())
    renamed = OrganisationFacts("tenant-1", "Kopi Holdings", "SG", "SGD")
    connected_at = clock.now()
    clock.sleep(3600)
    stored.link(second, [renamed], clock.now())
    with engine.connect() as connection:
        row = connection.execute(select(organisations)).one()
    assert (second, "Kopi Holdings", connected_at) == (
        row.connection_id,
        row.name,
        row.connected_at,
    )


def test_a_connection_says_how_long_it_lasts_unused(stored: Connections, clock: _Clock) -> None:
    """Sixty days after the last renewal it ends; the warning counts whole days."""
    connection_id = stored.store(_first(clock), clock.now())
    stored.link(connection_id, [_SINGAPORE], clock.now())
    status = stored.statuses()[0]
    assert ("user-1", ("Kopi Pte Ltd",)) == (status.user_id_xero, status.organisation_names)
    assert [60, 49, 0] == [
        status.days_left(clock.now() + dt.timedelta(days=days)) for days in (0, 10.5, 61)
    ]


def test_a_connection_warns_before_it_ends(
    keeper: StoredTokens, stored: Connections, clock: _Clock, server: _IdentityServer
) -> None:
    """Two weeks ahead it ends soon; then a person is needed, as when Xero has said so."""
    status = stored.statuses()[0]
    assert ["connected", "connected", "ends_soon", "ends_soon", "reconnect_needed"] == [
        status.state_at(clock.now() + dt.timedelta(days=days)) for days in (0, 45.9, 46, 59.9, 60)
    ]
    clock.sleep(3600)
    server.valid = "something else"
    with pytest.raises(ReconnectNeeded):
        keeper.access_token()
    assert "reconnect_needed" == stored.statuses()[0].state_at(clock.now())


def test_a_connection_without_organisations_is_listed(
    stored: Connections, clock: _Clock, engine: Engine
) -> None:
    """It shows that something is left to do."""
    stored.store(_first(clock), clock.now())
    assert () == stored.statuses()[0].organisation_names
    with engine.connect() as connection:
        assert 0 == connection.scalar(select(func.count()).select_from(organisations))
