"""One loader per organisation at a time, across processes and machines.

A session-level advisory lock: PostgreSQL lets go of it when the holder's connection ends, so a
process killed in any way blocks nobody. Intent and outcome are written on the same connection that
holds the lock: whoever has lost the lock cannot claim a document any more.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import text

from daybook.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine, TextClause

    from daybook.clock import Clock
    from daybook.ledger.organisations import Organisation

# Keeps our advisory locks apart from anybody else's, and the two kinds of work from each other.
_LOCK_FAMILIES: Final = {"posting": 730_154, "attaching": 730_155}
_POLL_SECONDS: Final = 0.25


@contextmanager
def organisation_lock(
    engine: Engine,
    organisation: Organisation,
    *,
    wait_seconds: float,
    clock: Clock,
    work: Literal["posting", "attaching"] = "posting",
) -> Iterator[Connection]:
    """The connection that holds the lock; waits its turn for at most that long, then `Busy`."""
    values = {"family": _LOCK_FAMILIES[work], "organisation": organisation.organisation_id}
    try_lock = text("SELECT pg_try_advisory_lock(:family, :organisation)")
    with engine.connect() as connection:
        waited = 0.0
        while not _now(connection, try_lock, values):
            if waited >= wait_seconds:
                raise Busy(
                    f"Another run is {work} into {organisation.name}. Nothing is lost: what this "
                    "run planned stays planned; run it again when the other run has ended."
                )
            clock.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        try:
            yield connection
        finally:
            if not connection.invalidated:
                connection.rollback()
                _now(connection, text("SELECT pg_advisory_unlock(:family, :organisation)"), values)


def _now(connection: Connection, statement: TextClause, values: dict[str, int]) -> bool:
    with connection.begin():
        return bool(connection.scalar(statement, values))
