"""Correcting entries of synced expenses: documents beside the one that Xero does not let change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import text

from daybook.ledger.expense_documents import document_rows, drop_unsent_corrections
from daybook.posting.documents import DocumentKind, SpendMoney, decode

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from daybook.ledger.expense_documents import PlannedExpense


@dataclass(frozen=True, slots=True)
class StoredCorrection:
    """A correcting entry and what became of it; `sentence` where Xero refused it."""

    document: SpendMoney
    state: str
    sentence: str
    id_xero: str | None


def read_corrections(
    connection: Connection, expense_ids: Collection[str]
) -> dict[str, list[StoredCorrection]]:
    """The correcting entries of each of these expenses, in the order of their numbers."""
    found: dict[str, list[StoredCorrection]] = {one: [] for one in expense_ids}
    for row in connection.execute(_READ, {"ids": list(expense_ids)}):
        document = decode(DocumentKind(row.kind), row.content.encode())
        assert isinstance(document, SpendMoney), "a correcting entry is a bank transaction"
        sentence = str((row.problem or {}).get("sentence", ""))
        found[row.expense_id].append(StoredCorrection(document, row.state, sentence, row.id_xero))
    return found


def write_corrections(
    connection: Connection,
    expense_ids: Collection[str],
    planned: Sequence[PlannedExpense],
    *,
    run_id: str,
    now_at: dt.datetime,
) -> None:
    """Plan these entries; what was planned before for these expenses and not sent is dropped."""
    drop_unsent_corrections(connection, expense_ids)
    rows = msgspec.json.encode(document_rows(planned)).decode()
    written = connection.execute(_WRITE, {"rows": rows, "run": run_id, "now": now_at}).scalar_one()
    assert written == len(planned), "the numbers of correcting entries are new"


def write_reviewed(connection: Connection, hashes: dict[str, str], *, now_at: dt.datetime) -> None:
    """Say that Xero now holds what these versions of expenses come to; nothing is left to send."""
    drop_unsent_corrections(connection, hashes)
    rows = [{"expense_id": key, "content_hash": one} for key, one in hashes.items()]
    connection.execute(_REVIEWED, {"rows": msgspec.json.encode(rows).decode(), "now": now_at})


_OF_EXPENSE: Final = "starts_with(d.natural_key, 'expense:' || e.expense_id || ':correction:')"

_READ: Final = text(f"""
    SELECT e.expense_id, d.kind, d.state, d.problem, d.id_xero,
        CAST(d.content AS text) AS content
    FROM expenses e JOIN documents o ON o.id = e.document_id
    JOIN documents d ON d.organisation_id = o.organisation_id AND d.store_id IS NULL
        AND {_OF_EXPENSE}
    WHERE e.expense_id = ANY(:ids)
    ORDER BY e.expense_id, d.id
""")  # noqa: S608 - a constant of this module

_WRITE: Final = text("""
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
            expense_id text, organisation_id bigint, natural_key text, kind text,
            business_date date, currency text, total_minor bigint, content jsonb,
            payload_hash text, content_hash text)
    ), written AS (
        INSERT INTO documents (organisation_id, natural_key, kind, business_date, currency,
            total_minor, content, payload_hash, state, planned_at, run_id)
        SELECT organisation_id, natural_key, kind, business_date, currency, total_minor, content,
            payload_hash, 'planned', :now, :run
        FROM wanted ORDER BY natural_key
        ON CONFLICT (organisation_id, natural_key) DO NOTHING
        RETURNING id
    ), events AS (
        INSERT INTO document_events (document_id, at, actor, event, detail)
        SELECT id, :now, :run, 'planned', '{}' FROM written
    ), changed AS (
        UPDATE expenses e SET planned_hash = w.content_hash, changed_at = :now
        FROM wanted w WHERE e.expense_id = w.expense_id
    )
    SELECT count(*) FROM written
""")

_REVIEWED: Final = text("""
    UPDATE expenses e SET reviewed_hash = r.content_hash, planned_hash = r.content_hash,
        problems = '[]', changed_at = :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(expense_id text, content_hash text)
    WHERE e.expense_id = r.expense_id
""")
