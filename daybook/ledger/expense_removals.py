"""Expenses whose bank transactions were removed in Xero: forgotten there, kept in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from daybook.expenses.states import Stage
    from daybook.ledger.expense_corrections import StoredCorrection


def write_removed(
    connection: Connection,
    expense_ids: Collection[str],
    stage: Stage,
    *,
    actor: str,
    now_at: dt.datetime,
    why: str = "",
) -> None:
    """Move synced expenses to a stage; their documents go into the history.

    Their receipts are pending again: what was attached went with the bank transaction.
    """
    values = {
        "ids": list(expense_ids),
        "stage": stage,
        "actor": actor,
        "now": now_at,
        "why": why or None,
    }
    for statement in (_KEEP, _MOVE, _FORGET, _RECEIPTS):
        connection.execute(statement, values)


def write_correction_removed(
    connection: Connection,
    expense_id: str,
    removed: Sequence[StoredCorrection],
    *,
    actor: str,
    now_at: dt.datetime,
) -> None:
    """Forget correcting entries of an expense; their documents go into its history."""
    for one in removed:
        values = {"id": expense_id, "key": one.document.natural_key, "xero": one.id_xero}
        connection.execute(_KEEP_ENTRY, {**values, "actor": actor, "now": now_at})
        connection.execute(_FORGET_ENTRY, values)


_KEEP_ENTRY: Final = text("""
    INSERT INTO expense_events (expense_id, at, actor, event, detail)
    SELECT :id, :now, :actor, 'correction removed in Xero',
        jsonb_build_object('id_xero', id_xero, 'content', content)
    FROM documents WHERE natural_key = :key AND id_xero = :xero
""")

_FORGET_ENTRY: Final = text("""
    WITH gone AS (SELECT id FROM documents WHERE natural_key = :key AND id_xero = :xero),
    events AS (DELETE FROM document_events WHERE document_id IN (SELECT id FROM gone))
    DELETE FROM documents WHERE id IN (SELECT id FROM gone)
""")

_DOCUMENTS: Final = """
    SELECT e.expense_id, d.* FROM expenses e JOIN documents o ON o.id = e.document_id
    JOIN documents d ON d.id = o.id OR (d.organisation_id = o.organisation_id
        AND starts_with(d.natural_key, 'expense:' || e.expense_id || ':correction:'))
    WHERE e.expense_id = ANY(:ids)
"""

_KEEP: Final = text(f"""
    INSERT INTO expense_events (expense_id, at, actor, event, detail)
    SELECT expense_id, :now, :actor, 'removed in Xero', jsonb_build_object('documents',
        jsonb_agg(jsonb_build_object('id_xero', id_xero, 'content', content) ORDER BY id))
    FROM ({_DOCUMENTS}) AS d GROUP BY expense_id ORDER BY expense_id
""")  # noqa: S608 - a constant of this module

_MOVE: Final = text("""
    WITH moved AS (
        UPDATE expenses SET stage = :stage, problems = '[]', changed_at = :now,
            reviewed_hash = content_hash
        WHERE expense_id = ANY(:ids) RETURNING expense_id
    )
    INSERT INTO expense_events (expense_id, at, actor, event, detail)
    SELECT expense_id, :now, :actor, :stage,
        jsonb_strip_nulls(jsonb_build_object('why', CAST(:why AS text)))
    FROM moved ORDER BY expense_id
""")

_FORGET: Final = text(f"""
    WITH gone AS (SELECT id FROM ({_DOCUMENTS}) AS d),
    events AS (DELETE FROM document_events WHERE document_id IN (SELECT id FROM gone))
    DELETE FROM documents WHERE id IN (SELECT id FROM gone)
""")  # noqa: S608 - a constant of this module

_RECEIPTS: Final = text("""
    UPDATE expense_attachments SET state = 'pending', reason = NULL, next_due_at = NULL,
        attempt_count = 0, sha256 = NULL, uploaded_name = NULL, changed_at = :now
    WHERE expense_id = ANY(:ids) AND state <> 'not_needed'
""")
