"""The bank transactions of expenses as documents: planned, waiting, and what became of them."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of public signatures
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import text

from daybook.ledger.documents import WaitingDocument
from daybook.money import minor_from_amount
from daybook.posting.documents import DocumentKind, SpendMoney, decode, encode, payload_hash

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class PlannedExpense:
    """An expense's document to be stored as planned; `content_hash` is the expense's version.

    One whose reference is in Xero already, after the loss of a ledger, is to be looked up there and
    not to be sent.
    """

    expense_id: str
    organisation_id: int
    document: SpendMoney
    content_hash: str
    is_in_xero: bool = False


def write_planned_expenses(
    connection: Connection,
    planned: Sequence[PlannedExpense],
    *,
    run_id: str,
    now_at: dt.datetime,
) -> int:
    """Store documents as planned, unless they are under way or in Xero; says how many."""
    rows = document_rows(planned)
    values = {"rows": msgspec.json.encode(rows).decode(), "run": run_id, "now": now_at}
    return connection.execute(_WRITE_PLANNED, values).rowcount


def waiting_expense_documents(
    connection: Connection,
    organisation_id: int,
    expense_ids: Collection[str],
    *,
    kind: DocumentKind,
) -> list[WaitingDocument]:
    """The planned documents of these expenses, correcting entries too, the oldest first."""
    values = {"organisation": organisation_id, "ids": list(expense_ids), "kind": kind}
    return [
        WaitingDocument(row.id, row.id, row.byte_count, row.contact_name)
        for row in connection.execute(_WAITING, values)
    ]


def settle_expenses(
    connection: Connection, organisation_id: int, *, run_id: str, now_at: dt.datetime
) -> None:
    """Bring pending expenses up to date with what became of their documents."""
    values = {"organisation": organisation_id, "run": run_id, "now": now_at}
    connection.execute(_SETTLE, values)


@dataclass(frozen=True, slots=True)
class OurTransactions:
    """What this ledger has put into Xero as bank transactions, or may have."""

    ids_xero: frozenset[str]
    unsettled_references: frozenset[str]


def our_transactions(connection: Connection, organisation_id: int) -> OurTransactions:
    """Xero's ids of what is posted, and the references of what was sent without an answer yet."""
    rows = connection.execute(_OURS, {"organisation": organisation_id}).all()
    return OurTransactions(
        frozenset(row.id_xero for row in rows if row.id_xero is not None),
        frozenset(row.reference for row in rows if row.id_xero is None),
    )


def filed_expense_documents(
    connection: Connection, expense_ids: Collection[str]
) -> dict[str, SpendMoney]:
    """What was posted for these expenses last."""
    found = {}
    for row in connection.execute(_FILED, {"ids": list(expense_ids)}):
        document = decode(DocumentKind(row.kind), row.content.encode())
        assert isinstance(document, SpendMoney), "an expense's document is a bank transaction"
        found[row.expense_id] = document
    return found


def write_updated_expense(
    connection: Connection, planned: PlannedExpense, *, run_id: str, now_at: dt.datetime
) -> None:
    """Record that Xero now holds this version; the version before stays in the events.

    Correcting entries that were not sent are dropped: they were made from the version before.
    """
    drop_unsent_corrections(connection, [planned.expense_id])
    rows = msgspec.json.encode([_row(planned)]).decode()
    connection.execute(_UPDATED, {"rows": rows, "run": run_id, "now": now_at})


def write_updating(
    connection: Connection,
    expense_id: str,
    version: SpendMoney,
    *,
    run_id: str,
    now_at: dt.datetime,
) -> None:
    """Record that this version is about to be sent; to be committed before it is.

    Until the next event it is not known which version Xero holds. Correcting entries that were not
    sent are dropped.
    """
    drop_unsent_corrections(connection, [expense_id])
    values = {"id": expense_id, "content": encode(version).decode(), "run": run_id, "now": now_at}
    connection.execute(_UPDATING, values)


def read_updating(connection: Connection, expense_id: str) -> SpendMoney:
    """The version that was about to be sent, of an expense that is updating."""
    row = connection.execute(_READ_UPDATING, {"id": expense_id}).one()
    version = decode(DocumentKind(row.kind), row.content.encode())
    assert isinstance(version, SpendMoney), "an expense's document is a bank transaction"
    return version


def write_update_settled(
    connection: Connection,
    expense_id: str,
    version: SpendMoney,
    *,
    run_id: str,
    now_at: dt.datetime,
) -> None:
    """Record which version Xero was found to hold after an update without an answer."""
    values = {
        "id": expense_id,
        "content": encode(version).decode(),
        "hash": payload_hash(version),
        "total": minor_from_amount(version.total_amount, version.currency),
        "date": version.date,
        "run": run_id,
        "now": now_at,
    }
    connection.execute(_UPDATE_SETTLED, values)


def drop_unsent_corrections(connection: Connection, expense_ids: Collection[str]) -> None:
    """Forget correcting entries of these expenses that are planned or were refused."""
    values = {"ids": list(expense_ids)}
    connection.execute(_LOCK_EXPENSES, values)
    connection.execute(_DROP_CORRECTIONS, values)


def document_rows(planned: Sequence[PlannedExpense]) -> list[dict[str, Any]]:
    """The documents as JSON rows for the database, the oldest first."""
    return [_row(one) for one in sorted(planned, key=lambda one: one.document.date)]


def _row(planned: PlannedExpense) -> dict[str, Any]:
    document = planned.document
    return {
        "expense_id": planned.expense_id,
        "organisation_id": planned.organisation_id,
        "natural_key": document.natural_key,
        "kind": document.kind,
        "business_date": document.date,
        "currency": document.currency,
        "total_minor": minor_from_amount(document.total_amount, document.currency),
        "content": msgspec.Raw(encode(document)),
        "payload_hash": payload_hash(document),
        "content_hash": planned.content_hash,
        "state": "unknown" if planned.is_in_xero else "planned",
    }


_WRITE_PLANNED: Final = text("""
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
            expense_id text, organisation_id bigint, natural_key text, kind text,
            business_date date, currency text, total_minor bigint, content jsonb,
            payload_hash text, content_hash text, state text)
    ), written AS (
        INSERT INTO documents (organisation_id, natural_key, kind, business_date, currency,
            total_minor, content, payload_hash, state, planned_at, sent_at, run_id)
        SELECT organisation_id, natural_key, kind, business_date, currency, total_minor, content,
            payload_hash, state, :now,
            CASE WHEN state = 'unknown' THEN CAST(:now AS timestamptz) END, :run
        FROM wanted ORDER BY natural_key
        ON CONFLICT (organisation_id, natural_key) DO UPDATE SET
            kind = excluded.kind, business_date = excluded.business_date,
            currency = excluded.currency, total_minor = excluded.total_minor,
            content = excluded.content, payload_hash = excluded.payload_hash,
            state = excluded.state, problem = NULL, planned_at = :now, run_id = :run,
            sent_at = COALESCE(excluded.sent_at, documents.sent_at)
        WHERE documents.state IN ('planned', 'rejected')
        RETURNING id, natural_key
    ), events AS (
        INSERT INTO document_events (document_id, at, actor, event, detail)
        SELECT id, :now, :run, 'planned', '{}' FROM written
    )
    UPDATE expenses e SET document_id = w.id, planned_hash = p.content_hash, changed_at = :now
    FROM written w JOIN wanted p USING (natural_key)
    WHERE e.expense_id = p.expense_id
""")

_WAITING: Final = text("""
    SELECT d.id, octet_length(CAST(d.content AS text)) AS byte_count,
        d.content->>'contact_name' AS contact_name
    FROM documents d JOIN expenses e
      ON (e.document_id = d.id AND e.stage = 'pending' AND e.problems = '[]')
      OR (e.stage = 'synced'
        AND split_part(d.natural_key, ':correction:', 1) = 'expense:' || e.expense_id)
    WHERE d.organisation_id = :organisation AND d.state = 'planned' AND d.kind = :kind
      AND e.expense_id = ANY(:ids) AND e.planned_hash = e.content_hash
    ORDER BY d.business_date, d.natural_key
""")

# A document's problem is an expense's problem: {code, key, sentence}.
_SETTLE: Final = text("""
    WITH mine AS (
        SELECT e.expense_id FROM expenses e JOIN documents d ON d.id = e.document_id
        WHERE d.organisation_id = :organisation AND e.stage = 'pending'
          AND (d.state = 'posted' OR d.problem IS NOT NULL)
        ORDER BY e.expense_id FOR UPDATE OF e
    ), changed AS (
        UPDATE expenses e SET
            stage = CASE WHEN d.state = 'posted' THEN 'synced' ELSE e.stage END,
            reviewed_hash = CASE WHEN d.state = 'posted' THEN e.planned_hash
                ELSE e.reviewed_hash END,
            problems = CASE WHEN d.problem IS NULL THEN '[]'
                ELSE jsonb_build_array(d.problem) END,
            changed_at = :now
        FROM documents d
        WHERE d.id = e.document_id AND e.expense_id IN (SELECT expense_id FROM mine)
          AND e.stage = 'pending'
          AND (d.state = 'posted'
            OR (d.problem IS NOT NULL AND e.problems <> jsonb_build_array(d.problem)))
        RETURNING e.expense_id, d.state, d.id_xero, d.problem
    )
    INSERT INTO expense_events (expense_id, at, actor, event, detail)
    SELECT expense_id, :now, :run, CASE WHEN state = 'posted' THEN 'synced' ELSE 'sync error' END,
        jsonb_strip_nulls(jsonb_build_object('id_xero', id_xero, 'problem', problem))
    FROM changed
""")

_OURS: Final = text("""
    SELECT id_xero, content->>'reference' AS reference FROM documents
    WHERE organisation_id = :organisation AND state IN ('sending', 'unknown', 'posted')
      AND kind IN ('spend_money', 'receive_money')
""")

_FILED: Final = text("""
    SELECT e.expense_id, d.kind, CAST(d.content AS text) AS content
    FROM expenses e JOIN documents d ON d.id = e.document_id
    WHERE e.expense_id = ANY(:ids) AND d.state = 'posted'
""")

_LOCK_EXPENSES: Final = text("""
    SELECT FROM expenses WHERE expense_id = ANY(:ids) ORDER BY expense_id FOR UPDATE
""")

_DROP_CORRECTIONS: Final = text("""
    WITH gone AS (
        SELECT d.id FROM documents d JOIN expenses e
          ON starts_with(d.natural_key, 'expense:' || e.expense_id || ':correction:')
        WHERE e.expense_id = ANY(:ids) AND d.state IN ('planned', 'rejected')
        ORDER BY d.id FOR UPDATE OF d
    ), events AS (
        DELETE FROM document_events WHERE document_id IN (SELECT id FROM gone)
    )
    DELETE FROM documents WHERE id IN (SELECT id FROM gone)
""")

_UPDATING: Final = text("""
    INSERT INTO document_events (document_id, at, actor, event, detail)
    SELECT e.document_id, :now, :run, 'updating',
        jsonb_build_object('version', CAST(:content AS jsonb))
    FROM expenses e WHERE e.expense_id = :id
""")

_READ_UPDATING: Final = text("""
    SELECT d.kind, CAST(v.detail->'version' AS text) AS content
    FROM expenses e JOIN documents d ON d.id = e.document_id
    JOIN document_events v ON v.document_id = d.id AND v.event = 'updating'
    WHERE e.expense_id = :id ORDER BY v.id DESC LIMIT 1
""")

_UPDATE_SETTLED: Final = text("""
    WITH before AS (
        SELECT d.id, d.content FROM documents d JOIN expenses e ON e.document_id = d.id
        WHERE e.expense_id = :id
    ), updated AS (
        UPDATE documents d SET content = CAST(:content AS jsonb), payload_hash = :hash,
            total_minor = :total, business_date = :date, settled_at = :now
        WHERE d.id IN (SELECT id FROM before)
    )
    INSERT INTO document_events (document_id, at, actor, event, detail)
    SELECT id, :now, :run, 'update settled', jsonb_build_object('before', content) FROM before
""")

_UPDATED: Final = text("""
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
            expense_id text, natural_key text, business_date date, total_minor bigint,
            content jsonb, payload_hash text, content_hash text, organisation_id bigint)
    ), before AS (
        SELECT d.id, d.content FROM documents d JOIN wanted USING (organisation_id, natural_key)
    ), updated AS (
        UPDATE documents d SET content = w.content, payload_hash = w.payload_hash,
            total_minor = w.total_minor, business_date = w.business_date, settled_at = :now
        FROM wanted w
        WHERE d.organisation_id = w.organisation_id AND d.natural_key = w.natural_key
        RETURNING d.id
    ), events AS (
        INSERT INTO document_events (document_id, at, actor, event, detail)
        SELECT id, :now, :run, 'updated', jsonb_build_object('before', before.content)
        FROM updated JOIN before USING (id)
    )
    UPDATE expenses e SET reviewed_hash = w.content_hash, planned_hash = w.content_hash,
        problems = '[]', changed_at = :now
    FROM wanted w WHERE e.expense_id = w.expense_id
""")
