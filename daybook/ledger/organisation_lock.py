"""One loader per organisation at a time, across processes and machines.

A session-level advisory lock: PostgreSQL lets go of it when the holder's connection ends, so a
process killed in any way blocks nobody. Intent and outcome are written on the same connection that
holds the lock: whoever has lost the lock cannot claim a document any more.

Whoever waits says so with a second, shared lock, so that a long run can see it and let go.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from sqlalchemy import text

from daybook.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine, TextClause

    from daybook.clock import Clock
    from daybook.ledger.organisations import Organisation

# Keeps our advisory locks apart from anybody else's, and the two kinds of work from each other.
_LOCK_FAMILIES: Final = {"posting": 730_154, "attaching": 730_155}
_WAITING_FAMILIES: Final = {"posting": 730_156, "attaching": 730_157}
_POLL_SECONDS: Final = 0.25
# So long whoever gives way lets those who wait go first; it is enough for many tries of theirs.
_WAY_SECONDS: Final = 5

Work: TypeAlias = Literal["posting", "attaching"]


@contextmanager
def organisation_lock(
    engine: Engine,
    organisation: Organisation,
    *,
    wait_seconds: float,
    clock: Clock,
    work: Work = "posting",
    gives_way: bool = False,
) -> Iterator[Connection]:
    """The connection that holds the lock; waits its turn for at most that long, then `Busy`.

    With `gives_way` those who wait already go first.
    """
    values = {"family": _LOCK_FAMILIES[work], "organisation": organisation.organisation_id}
    with engine.connect() as connection:
        waited = 0.0
        while (
            gives_way and waited < _WAY_SECONDS and somebody_waits(connection, organisation, work)
        ):
            clock.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        if not _now(connection, _TRY_LOCK, values):
            with _seen_waiting(connection, organisation, work):
                _wait(connection, values, wait_seconds, clock, f"{work} into {organisation.name}")
        try:
            yield connection
        finally:
            if not connection.invalidated:
                connection.rollback()
                _now(connection, _UNLOCK, values)


def somebody_waits(
    connection: Connection, organisation: Organisation, work: Work = "posting"
) -> bool:
    """Whether a run waits for the organisation's lock."""
    values = {"family": _WAITING_FAMILIES[work], "organisation": organisation.organisation_id}
    return _now(connection, _IS_SHARED, values)


def _wait(
    connection: Connection, values: dict[str, int], wait_seconds: float, clock: Clock, work: str
) -> None:
    """Take the lock as soon as it is free."""
    waited = 0.0
    while not _now(connection, _TRY_LOCK, values):
        if waited >= wait_seconds:
            raise Busy(
                f"Another run is {work}. Nothing is lost: what this run planned stays planned; run "
                "it again when the other run has ended."
            )
        clock.sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS


@contextmanager
def _seen_waiting(connection: Connection, organisation: Organisation, work: Work) -> Iterator[None]:
    """Let the holder see that it is waited for."""
    values = {"family": _WAITING_FAMILIES[work], "organisation": organisation.organisation_id}
    _now(connection, _SHARE, values)
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.rollback()
            _now(connection, _UNSHARE, values)


def _now(connection: Connection, statement: TextClause, values: dict[str, int]) -> bool:
    with connection.begin():
        return bool(connection.scalar(statement, values))


_TRY_LOCK: Final = text("SELECT pg_try_advisory_lock(:family, :organisation)")
_UNLOCK: Final = text("SELECT pg_advisory_unlock(:family, :organisation)")
_SHARE: Final = text("SELECT pg_try_advisory_lock_shared(:family, :organisation)")
_UNSHARE: Final = text("SELECT pg_advisory_unlock_shared(:family, :organisation)")
_IS_SHARED: Final = text("""
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory'
          AND classid = CAST(:family AS oid) AND objid = CAST(:organisation AS oid)
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
""")
