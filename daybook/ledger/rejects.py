"""Rows of a source that could not be read, for a person to see; each is stored once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, text

from daybook.ledger.tables import rejects

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy import Connection

_INSERT = text(
    """
    INSERT INTO rejects (url, row_number, column_name, reason, first_seen_at, run_id)
    SELECT DISTINCT url, row_number, column_name, reason, CAST(:now_at AS timestamptz), :run_id
    FROM unnest(CAST(:urls AS text[]), CAST(:row_numbers AS int[]),
                CAST(:columns AS text[]), CAST(:reasons AS text[]))
         AS seen (url, row_number, column_name, reason)
    ORDER BY url, row_number, column_name, reason
    ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True, slots=True)
class RejectRow:
    """A row that could not be read: where it stands and why; the header is row 1."""

    url: str
    row_number: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoredReject:
    """A reject, and when it was first seen."""

    reject: RejectRow
    first_seen_at: dt.datetime
    run_id: str | None


def write_rejects(
    connection: Connection,
    rows: Sequence[RejectRow],
    *,
    run_id: str | None,
    now_at: dt.datetime,
) -> int:
    """Store the rejects not seen before; how many those are."""
    if not rows:
        return 0
    return connection.execute(
        _INSERT,
        {
            "urls": [row.url for row in rows],
            "row_numbers": [row.row_number for row in rows],
            "columns": [row.column for row in rows],
            "reasons": [row.reason for row in rows],
            "run_id": run_id,
            "now_at": now_at,
        },
    ).rowcount


def read_rejects(connection: Connection, count_max: int = 1000) -> list[StoredReject]:
    """The rejects seen last, newest first."""
    query = select(rejects).order_by(rejects.c.id.desc()).limit(count_max)
    return [
        StoredReject(
            RejectRow(row.url, row.row_number, row.column_name, row.reason),
            row.first_seen_at,
            row.run_id,
        )
        for row in connection.execute(query)
    ]
