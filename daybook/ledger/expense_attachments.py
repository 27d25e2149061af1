"""Receipts' files on their way: which are due, and every change of where they stand."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of public signatures
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class DueFile:
    """A receipt's file to be attached to a bank transaction that is in Xero.

    `planned_names` are those an earlier run may have attached it under, made from a content with
    the hash `planned_sha256`.
    """

    attachment_id: int
    expense_id: str
    document_id_xero: str
    key: str
    name: str
    attempt_count: int
    was_uploading: bool
    planned_names: str | None = None
    planned_sha256: str | None = None

    @property
    def may_be_there(self) -> bool:
        """Whether a killed run or an attempt before may have sent it."""
        return self.was_uploading or self.attempt_count > 0 or self.planned_names is not None


@dataclass(frozen=True, slots=True)
class PlannedName:
    """The names, with commas between, that a file is about to be attached under."""

    attachment_id: int
    sha256: str
    uploaded_name: str


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a file; `reason` and `next_due_at` where it failed.

    Unless it is uploaded, `uploaded_name` says under which names it may stand in Xero.
    """

    attachment_id: int
    state: str
    sha256: str | None = None
    uploaded_name: str | None = None
    reason: str | None = None
    next_due_at: dt.datetime | None = None


def due_files(
    connection: Connection,
    organisation_id: int,
    expense_ids: Collection[str] | None,
    *,
    now_at: dt.datetime,
) -> dict[str, list[DueFile]]:
    """Files of synced expenses to be attached now, by expense, the oldest expense first."""
    values = {
        "organisation": organisation_id,
        "ids": None if expense_ids is None else list(expense_ids),
        "now": now_at,
    }
    found: dict[str, list[DueFile]] = {}
    for row in connection.execute(_DUE, values):
        one = DueFile(
            row.id,
            row.expense_id,
            row.id_xero,
            row.key,
            row.name,
            row.attempt_count,
            row.state == "uploading",
            row.uploaded_name,
            row.sha256,
        )
        found.setdefault(row.expense_id, []).append(one)
    return found


def uploaded_names(connection: Connection, expense_id: str) -> dict[str, str]:
    """The files of an expense that are in Xero: the hash of the original, and the name there."""
    rows = connection.execute(_UPLOADED, {"id": expense_id})
    return {row.sha256: row.uploaded_name for row in rows}


def write_uploading(
    connection: Connection, attachment_ids: Sequence[int], *, now_at: dt.datetime
) -> None:
    """Record the intent to upload."""
    connection.execute(_UPLOADING, {"ids": list(attachment_ids), "now": now_at})


def write_planned(
    connection: Connection, planned: Sequence[PlannedName], *, now_at: dt.datetime
) -> None:
    """Record the names before anything is sent: a later run may fit the files otherwise."""
    if planned:
        rows = msgspec.json.encode(planned).decode()
        connection.execute(_PLANNED, {"rows": rows, "now": now_at})


def write_outcomes(
    connection: Connection,
    outcomes: Sequence[FileOutcome],
    *,
    actor: str,
    now_at: dt.datetime,
) -> None:
    """Record what became of files, with an event of their expense for each."""
    if outcomes:
        rows = msgspec.json.encode(outcomes).decode()
        connection.execute(_OUTCOMES, {"rows": rows, "actor": actor, "now": now_at})


def retry_attachments(
    connection: Connection, expense_ids: Collection[str], *, actor: str, now_at: dt.datetime
) -> int:
    """Let failed and given-up files of these expenses be tried at once; says how many."""
    values = {"ids": list(expense_ids), "actor": actor, "now": now_at}
    return connection.execute(_RETRY, values).rowcount


def skip_attachments(
    connection: Connection, expense_ids: Collection[str], *, actor: str, now_at: dt.datetime
) -> int:
    """Say that the files of these expenses that are not in Xero are not needed; says how many.

    The caller holds the lock of attaching: what is `uploading` then is left by a run that died.
    """
    values = {"ids": list(expense_ids), "actor": actor, "now": now_at}
    return connection.execute(_SKIP, values).rowcount


_DUE: Final = text("""
    SELECT a.id, a.expense_id, d.id_xero, a.key, a.name, a.attempt_count, a.state,
        a.uploaded_name, a.sha256
    FROM expense_attachments a
    JOIN expenses e USING (expense_id)
    JOIN documents d ON d.id = e.document_id
    WHERE e.stage = 'synced' AND d.organisation_id = :organisation AND d.id_xero IS NOT NULL
      AND (CAST(:ids AS text[]) IS NULL OR a.expense_id = ANY(:ids))
      AND (a.state IN ('pending', 'uploading') OR (a.state = 'failed' AND a.next_due_at <= :now))
    ORDER BY e.spent_date, e.expense_id, a.id
""")

_UPLOADED: Final = text("""
    SELECT sha256, uploaded_name FROM expense_attachments
    WHERE expense_id = :id AND state = 'uploaded'
""")

_UPLOADING: Final = text("""
    UPDATE expense_attachments SET state = 'uploading', reason = NULL, next_due_at = NULL,
        attempt_count = attempt_count + 1, changed_at = :now
    WHERE id = ANY(:ids)
""")

_PLANNED: Final = text("""
    UPDATE expense_attachments a SET sha256 = r.sha256, uploaded_name = r.uploaded_name,
        changed_at = :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(attachment_id bigint, sha256 text, uploaded_name text)
    WHERE a.id = r.attachment_id
""")

_OUTCOMES: Final = text("""
    WITH outcomes AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
            attachment_id bigint, state text, sha256 text, uploaded_name text, reason text,
            next_due_at timestamptz)
    ), changed AS (
        UPDATE expense_attachments a SET state = o.state, reason = o.reason,
            sha256 = COALESCE(o.sha256, a.sha256), uploaded_name = o.uploaded_name,
            next_due_at = o.next_due_at, changed_at = :now,
            attempt_count = a.attempt_count - CASE WHEN o.state = 'pending' THEN 1 ELSE 0 END
        FROM outcomes o WHERE a.id = o.attachment_id
        RETURNING a.expense_id, a.name, a.state, a.reason, a.uploaded_name
    )
    INSERT INTO expense_events (expense_id, at, actor, event, detail)
    SELECT expense_id, :now, :actor, 'attachment ' || replace(state, '_', ' '),
        jsonb_strip_nulls(jsonb_build_object(
            'name', name, 'reason', reason,
            'uploaded_name', CASE WHEN state = 'uploaded' THEN uploaded_name END))
    FROM changed
""")

_RETRY: Final = text("""
    WITH changed AS (
        UPDATE expense_attachments SET state = 'pending', reason = NULL, next_due_at = NULL,
            attempt_count = 0, changed_at = :now
        WHERE expense_id = ANY(:ids) AND state IN ('failed', 'given_up', 'not_needed')
        RETURNING expense_id, name
    )
    INSERT INTO expense_events (expense_id, at, actor, event, detail)
    SELECT expense_id, :now, :actor, 'attachment retry', jsonb_build_object('name', name)
    FROM changed
""")

_SKIP: Final = text("""
    WITH changed AS (
        UPDATE expense_attachments SET state = 'not_needed', reason = NULL, next_due_at = NULL,
            changed_at = :now
        WHERE expense_id = ANY(:ids) AND state IN ('pending', 'uploading', 'failed', 'given_up')
        RETURNING expense_id, name
    )
    INSERT INTO expense_events (expense_id, at, actor, event, detail)
    SELECT expense_id, :now, :actor, 'attachment not needed', jsonb_build_object('name', name)
    FROM changed
""")
