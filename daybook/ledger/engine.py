"""The ledger's SQLAlchemy engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from daybook.errors import SettingError, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Engine

# Four organisations are posted into at once; each needs one for its lock and one for each of four
# calls, all at once while one of them renews the tokens. The flow itself reads beside them.
_CONNECTIONS_MAX: Final = 24
_CONNECTIONS_KEPT: Final = 5


def open_engine(url: str) -> Engine:
    """An engine on psycopg for a `postgresql://` URL, checked by one round trip."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingError(
            "DAYBOOK_DATABASE_URL must look like postgresql://user:password@host:5432/daybook."
        ) from error
    if parsed.get_backend_name() != "postgresql":
        raise SettingError(
            f"DAYBOOK_DATABASE_URL must be a postgresql:// address; it is {parsed.drivername}://."
        )
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
        pool_pre_ping=True,
        pool_size=_CONNECTIONS_KEPT,
        max_overflow=_CONNECTIONS_MAX - _CONNECTIONS_KEPT,
    )
    try:
        engine.connect().close()
    except OperationalError as error:
        engine.dispose()
        where = f"{parsed.host}:{parsed.port or 5432}/{parsed.database}"
        raise Unavailable(
            f"The ledger's database at {where} does not answer: {_first_line(error)} "
            "Check that PostgreSQL runs and that DAYBOOK_DATABASE_URL is right."
        ) from error
    return engine


def _first_line(error: OperationalError) -> str:
    """What the driver says, as a sentence of its own: another one follows it."""
    return str(error.orig).strip().splitlines()[0].rstrip(".") + "."
