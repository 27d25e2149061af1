"""Token sets of the Xero users that connected, encrypted; renewed by one process at a time.

Refreshers queue at the row's lock: whoever comes second finds the new token and uses it. A new
token set is committed before it is used. A crash in between loses an access token at most: the
refresh token in the row is then the previous one, which Xero accepts for 30 minutes more.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from daybook.errors import ReconnectNeeded, SettingError
from daybook.ledger.tables import connections, organisations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock

REFRESH_AHEAD: Final = dt.timedelta(seconds=60)
UNUSED_LIFE: Final = dt.timedelta(days=60)
WARNED_AHEAD: Final = dt.timedelta(days=14)

ConnectionState: TypeAlias = Literal["connected", "ends_soon", "reconnect_needed"]

_RECONNECT: Final = (
    "Xero's permission for Daybook has ended; connect Xero again. Nothing is lost: what was not "
    "posted waits."
)


class IssuedTokens(Protocol):
    """A token set as the identity server issued it."""

    @property
    def user_id_xero(self) -> str:
        """Whose tokens they are."""
        ...

    @property
    def access_token(self) -> str:
        """The token of the next 30 minutes."""
        ...

    @property
    def refresh_token(self) -> str:
        """The token for the next token set."""
        ...

    @property
    def access_expires_at(self) -> dt.datetime:
        """When the access token ends."""
        ...


class _Tokens(msgspec.Struct, frozen=True):
    """What is encrypted."""

    access_token: str
    refresh_token: str

    def __repr__(self) -> str:
        return "_Tokens()"


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """How a connection is doing: for the pages and the warning before it ends."""

    connection_id: int
    user_id_xero: str
    state: str
    refreshed_at: dt.datetime
    organisation_names: tuple[str, ...]
    ends_at: dt.datetime

    def state_at(self, now_at: dt.datetime) -> ConnectionState:
        """The state as a person should see it: in its last two weeks unused it ends soon."""
        if self.state != "connected" or now_at >= self.ends_at:
            return "reconnect_needed"
        return "ends_soon" if now_at >= self.ends_at - WARNED_AHEAD else "connected"

    def days_left(self, now_at: dt.datetime) -> int:
        """Whole days until the connection ends if it is not used; 0 when it has ended."""
        if self.state != "connected":
            return 0
        return max(0, (self.ends_at - now_at).days)


@dataclass(frozen=True, slots=True)
class OrganisationFacts:
    """What connecting learnt about one organisation."""

    tenant_id_xero: str
    name: str
    country_code: str
    base_currency: str


@dataclass(frozen=True, slots=True)
class Connections:
    """The stored token sets; `key` is the Fernet key that encrypts them."""

    engine: Engine
    key: str = field(repr=False)

    def store(self, tokens: IssuedTokens, now_at: dt.datetime) -> int:
        """Keep a user's first or new token set and return the connection's id; commits."""
        values = {**_columns(self.key, tokens, now_at), "state": "connected"}
        statement = (
            insert(connections)
            .values(user_id_xero=tokens.user_id_xero, **values)
            .on_conflict_do_update(index_elements=["user_id_xero"], set_=values)
            .returning(connections.c.id)
        )
        with self.engine.begin() as connection:
            return int(connection.execute(statement).scalar_one())

    def link(
        self, connection_id: int, found: Sequence[OrganisationFacts], now_at: dt.datetime
    ) -> None:
        """Keep the organisations a connection reaches; known ones keep their row and history."""
        rows = [
            {
                "tenant_id_xero": facts.tenant_id_xero,
                "connection_id": connection_id,
                "name": facts.name,
                "country_code": facts.country_code,
                "base_currency": facts.base_currency,
                "connected_at": now_at,
            }
            for facts in found
        ]
        statement = insert(organisations).values(rows)
        new = {
            name: statement.excluded[name]
            for name in ("connection_id", "name", "country_code", "base_currency")
        }
        with self.engine.begin() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["tenant_id_xero"], set_=new)
            )

    def statuses(self) -> tuple[ConnectionStatus, ...]:
        """Return how every connection is doing."""
        names = func.array_remove(func.array_agg(organisations.c.name), None).label("names")
        statement = (
            select(connections, names)
            .outerjoin(organisations, organisations.c.connection_id == connections.c.id)
            .group_by(connections.c.id)
            .order_by(connections.c.id)
        )
        with self.engine.connect() as connection:
            return tuple(
                ConnectionStatus(
                    connection_id=row.id,
                    user_id_xero=row.user_id_xero,
                    state=row.state,
                    refreshed_at=row.refreshed_at,
                    organisation_names=tuple(sorted(row.names)),
                    ends_at=row.refreshed_at + UNUSED_LIFE,
                )
                for row in connection.execute(statement)
            )


@dataclass(slots=True)
class StoredTokens:
    """The keeper of one connection's tokens, for any number of threads and processes.

    `refresh` asks the identity server for the next token set and raises what the caller should see.
    """

    connections: Connections
    connection_id: int
    refresh: Callable[[str], IssuedTokens] = field(repr=False)
    clock: Clock
    _current: tuple[str, dt.datetime] | None = field(default=None, repr=False)

    def access_token(self, rejected: str | None = None) -> str:
        """Return an access token that lasts a minute at least and is not the rejected one.

        Raises:
            ReconnectNeeded: the connection has ended; its work waits.
            Unavailable: the identity server does not answer; nothing is lost.
        """
        current = self._current
        if current is None or not self._is_usable(*current, rejected):
            current = self._renewed(rejected)
            self._current = current
        return current[0]

    def _renewed(self, rejected: str | None) -> tuple[str, dt.datetime]:
        """Return the row's token and its end, after another process's renewal or our own."""
        with self.connections.engine.begin() as connection:
            row = connection.execute(
                select(connections).where(connections.c.id == self.connection_id).with_for_update()
            ).one()
            if row.state != "connected":
                raise ReconnectNeeded(_RECONNECT)
            tokens = _decrypted(self.connections.key, row.token_set)
            if self._is_usable(tokens.access_token, row.access_expires_at, rejected):
                return tokens.access_token, row.access_expires_at
            try:
                issued = self.refresh(tokens.refresh_token)
            except ReconnectNeeded as error:
                # Kept, so that every process sees that the connection has ended.
                self._set(connection, state="reconnect_needed")
                ended = error
            else:
                self._set(connection, **_columns(self.connections.key, issued, self.clock.now()))
                return issued.access_token, issued.access_expires_at
        raise ended

    def _is_usable(self, token: str, expires_at: dt.datetime, rejected: str | None) -> bool:
        return token != rejected and self.clock.now() + REFRESH_AHEAD < expires_at

    def _set(self, connection: Connection, **values: object) -> None:
        connection.execute(
            update(connections).where(connections.c.id == self.connection_id).values(**values)
        )


def _columns(key: str, tokens: IssuedTokens, now_at: dt.datetime) -> dict[str, object]:
    content = msgspec.json.encode(_Tokens(tokens.access_token, tokens.refresh_token))
    return {
        "token_set": Fernet(key).encrypt(content),
        "access_expires_at": tokens.access_expires_at,
        "refreshed_at": now_at,
    }


def _decrypted(key: str, token_set: bytes) -> _Tokens:
    try:
        return msgspec.json.decode(Fernet(key).decrypt(token_set), type=_Tokens)
    except InvalidToken:
        raise SettingError(
            "The stored connection to Xero was encrypted with another key: set "
            "DAYBOOK_SECRET_KEY to the key it was connected with, or connect Xero again."
        ) from None
