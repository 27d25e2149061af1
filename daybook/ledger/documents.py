"""Documents in the ledger: one row per natural key, and every change of state with its event.

A document goes planned -> sending -> posted, or -> rejected (Xero said no, nothing was written),
or -> unknown (the reply was lost). `sending` is committed before the call that sends it, so that
after any crash the rows in `sending` and `unknown` are those whose outcome has to be looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from sqlalchemy import TextClause, text

from daybook.money import minor_from_amount
from daybook.posting.documents import (
    Document,
    DocumentKind,
    Payment,
    SalesDocument,
    decode,
    encode,
    payload_hash,
)
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence
    from typing import Any

    from sqlalchemy import Connection, Row

State = Literal["planned", "sending", "posted", "rejected", "unknown"]
# In the order in which they can be sent: payments need what they are paid on.
SALES_KINDS: Final = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE, DocumentKind.PAYMENT)
SENT_STATES: Final = frozenset(("sending", "unknown", "posted"))


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to be stored as planned."""

    organisation_id: int
    store_day: StoreDay
    daily_total_id: int
    document: Document


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """What is needed of a stored document to compare it with a new plan."""

    document_id: int
    store_day: StoreDay
    natural_key: str
    payload_hash: str
    state: State


@dataclass(frozen=True, slots=True)
class WaitingDocument:
    """A planned document that can be sent; payments of one document share `group_id`."""

    document_id: int
    group_id: int
    byte_count: int
    contact_name: str


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """A stored document that is being sent, or whose outcome is not known.

    `sent_at` is when it was claimed for sending or, later, when its reply was given up.
    """

    document_id: int
    store_day: StoreDay | None  # None for an expense's
    document: Document
    state: State
    sent_at: dt.datetime
    parent_kind: DocumentKind | None
    parent_id_xero: str | None
    payload_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a document: its new state, and Xero's id or the problem in words.

    With a `payload_hash` it is said of that content alone: a document that was planned anew since
    it was read stays as it is.
    """

    document_id: int
    state: State
    event: str
    id_xero: str | None = None
    problem: dict[str, str] | None = None
    payload_hash: str | None = None


def known_documents(
    connection: Connection, store_days: Collection[StoreDay], *, for_update: bool = False
) -> list[KnownDocument]:
    """Every stored document of these store-days; `for_update` lets nobody send them meanwhile."""
    query = text(f"""
        SELECT d.id, d.business_date, d.store_id, d.natural_key, d.payload_hash, d.state
        FROM documents d
        JOIN unnest(CAST(:dates AS date[]), CAST(:stores AS text[])) AS s(business_date, store_id)
          USING (business_date, store_id)
        ORDER BY d.id {"FOR UPDATE OF d" if for_update else ""}
    """)  # noqa: S608 - two constants
    return [
        KnownDocument(
            row.id,
            StoreDay(row.business_date, row.store_id),
            row.natural_key,
            row.payload_hash,
            row.state,
        )
        for row in connection.execute(query, pairs(store_days))
    ]


def write_planned(
    connection: Connection, new: Sequence[NewDocument], *, run_id: str, now_at: dt.datetime
) -> int:
    """Store the documents as planned, parents first; one that was sent already is never touched.

    One that is in Xero, but not as we know it, stays to be looked up: it takes over what is wanted
    now, unless that would be looked for under another number.
    """
    rows = [_row(one) for one in new]
    written = 0
    for is_payment in (False, True):
        wanted = [row for row in rows if (row["parent_key"] is not None) is is_payment]
        if wanted:
            result = connection.execute(
                _WRITE_PLANNED,
                {"rows": msgspec.json.encode(wanted).decode(), "run": run_id, "now": now_at},
            )
            written += result.rowcount
    return written


def delete_unsent(connection: Connection, document_ids: Collection[int]) -> int:
    """Forget documents that never left: those still planned, or refused by Xero."""
    result = connection.execute(_DELETE_UNSENT, {"ids": list(document_ids)})
    return result.rowcount


def waiting_documents(
    connection: Connection,
    organisation_id: int,
    store_days: Collection[StoreDay],
    *,
    kind: DocumentKind,
    parents_posted: bool = True,
) -> list[WaitingDocument]:
    """Planned documents, oldest first; by default only those that can go now.

    Where one of the day is in Xero, but not as we know it, what builds on it waits: all that is in
    its currency.
    """
    query = text("""
        SELECT d.id, COALESCE(d.parent_id, d.id) AS group_id,
            octet_length(CAST(d.content AS text)) AS byte_count,
            COALESCE(d.content->>'contact_name', '') AS contact_name
        FROM documents d
        JOIN unnest(CAST(:dates AS date[]), CAST(:stores AS text[])) AS s(business_date, store_id)
          USING (business_date, store_id)
        LEFT JOIN documents p ON p.id = d.parent_id
        WHERE d.organisation_id = :organisation AND d.state = 'planned' AND d.kind = :kind
          AND (d.parent_id IS NULL OR p.state = 'posted' OR NOT :parents_posted)
          AND (d.parent_id IS NOT NULL OR NOT EXISTS (
            SELECT FROM documents o
            WHERE o.business_date = d.business_date AND o.store_id = d.store_id
              AND o.currency = d.currency AND o.parent_id IS NULL
              AND o.state = 'unknown' AND o.problem IS NOT NULL))
        ORDER BY d.business_date, d.store_id, d.natural_key
    """)
    values = {
        "organisation": organisation_id,
        "kind": kind,
        "parents_posted": parents_posted,
        **pairs(store_days),
    }
    return [
        WaitingDocument(row.id, row.group_id, row.byte_count, row.contact_name)
        for row in connection.execute(query, values)
    ]


def claim(
    connection: Connection,
    document_ids: Sequence[int],
    *,
    idempotency_key: str,
    run_id: str,
    now_at: dt.datetime,
) -> list[OpenDocument]:
    """Turn planned into sending, and return those that were: nobody else can send them now."""
    rows = connection.execute(
        _CLAIM, {"ids": list(document_ids), "key": idempotency_key, "run": run_id, "now": now_at}
    )
    order = {document_id: position for position, document_id in enumerate(document_ids)}
    return sorted(map(_open, rows), key=lambda one: order[one.document_id])


def settle(
    connection: Connection, settlements: Sequence[Settlement], *, actor: str, now_at: dt.datetime
) -> None:
    """Record what became of documents that were sending or unknown."""
    if settlements:
        rows = msgspec.json.encode(settlements).decode()
        connection.execute(_SETTLE, {"rows": rows, "actor": actor, "now": now_at})


def unsettled_documents(connection: Connection, organisation_id: int) -> list[OpenDocument]:
    """Every document of the organisation whose outcome has to be looked up."""
    query = text(f"""
        SELECT {_OPEN_COLUMNS}
        FROM documents d LEFT JOIN documents p ON p.id = d.parent_id
        WHERE d.organisation_id = :organisation AND d.state IN ('sending', 'unknown')
        ORDER BY d.id
    """)  # noqa: S608 - a constant of this module
    return list(map(_open, connection.execute(query, {"organisation": organisation_id})))


def ids_in_use(
    connection: Connection, organisation_id: int, ids_xero: Collection[str]
) -> frozenset[str]:
    """Which of these ids of Xero belong to documents of the ledger already."""
    query = text("""
        SELECT id_xero FROM documents
        WHERE organisation_id = :organisation AND id_xero = ANY(:ids)
    """)
    rows = connection.execute(query, {"organisation": organisation_id, "ids": list(ids_xero)})
    return frozenset(rows.scalars())


def retry_rejected(connection: Connection, store_days: Collection[StoreDay]) -> int:
    """Let documents that Xero refused be tried again: whatever stood in the way may be mended."""
    query = text("""
        UPDATE documents d SET state = 'planned', problem = NULL
        FROM unnest(CAST(:dates AS date[]), CAST(:stores AS text[])) AS s(business_date, store_id)
        WHERE d.business_date = s.business_date AND d.store_id = s.store_id
          AND d.state = 'rejected'
    """)
    return connection.execute(query, pairs(store_days)).rowcount


def pairs(store_days: Collection[StoreDay]) -> dict[str, list[Any]]:
    """Store-days as two parallel arrays, the way the statements here take them."""
    return {
        "dates": [day.business_date for day in store_days],
        "stores": [day.store_id for day in store_days],
    }


def _row(new: NewDocument) -> dict[str, Any]:
    document = new.document
    payment = document if isinstance(document, Payment) else None
    sales = document if isinstance(document, SalesDocument) else None
    return {
        "organisation_id": new.organisation_id,
        "natural_key": document.natural_key,
        "kind": document.kind,
        "number": sales.number if sales else None,
        "parent_key": payment.document_key if payment else None,
        "store_id": new.store_day.store_id,
        "business_date": new.store_day.business_date,
        "daily_total_id": new.daily_total_id,
        "currency": document.currency,
        "total_minor": minor_from_amount(document.total_amount, document.currency),
        "content": msgspec.Raw(encode(document)),
        "payload_hash": payload_hash(document),
    }


def _open(row: Row[Any]) -> OpenDocument:
    kind = DocumentKind(row.kind)
    return OpenDocument(
        row.id,
        StoreDay(row.business_date, row.store_id) if row.store_id is not None else None,
        decode(kind, row.content.encode()),
        row.state,
        row.sent_at,
        DocumentKind(row.parent_kind) if row.parent_kind else None,
        row.parent_id_xero,
        row.payload_hash,
    )


_OPEN_COLUMNS: Final = """
    d.id, d.business_date, d.store_id, d.kind, CAST(d.content AS text) AS content, d.state,
    GREATEST(d.sent_at, CASE WHEN d.state = 'unknown' AND d.problem IS NULL THEN d.settled_at END)
        AS sent_at,
    p.kind AS parent_kind, p.id_xero AS parent_id_xero, d.payload_hash"""

_WRITE_PLANNED: Final = text("""
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
            organisation_id bigint, natural_key text, kind text, number text, parent_key text,
            store_id text, business_date date, daily_total_id bigint, currency text,
            total_minor bigint, content jsonb, payload_hash text)
    ), inserted AS (
        INSERT INTO documents (organisation_id, natural_key, kind, number, parent_id, store_id,
            business_date, daily_total_id, currency, total_minor, content, payload_hash, state,
            planned_at, run_id)
        SELECT w.organisation_id, w.natural_key, w.kind, w.number, p.id, w.store_id,
            w.business_date, w.daily_total_id, w.currency, w.total_minor, w.content,
            w.payload_hash, 'planned', :now, :run
        FROM wanted w
        LEFT JOIN documents p
          ON p.organisation_id = w.organisation_id AND p.natural_key = w.parent_key
        ORDER BY w.business_date, w.store_id, w.natural_key
        ON CONFLICT (organisation_id, natural_key) DO UPDATE SET
            number = excluded.number, parent_id = excluded.parent_id, content = excluded.content,
            daily_total_id = excluded.daily_total_id, currency = excluded.currency,
            total_minor = excluded.total_minor, payload_hash = excluded.payload_hash,
            state = CASE documents.state WHEN 'unknown' THEN 'unknown' ELSE 'planned' END,
            problem = CASE documents.state WHEN 'unknown' THEN documents.problem END,
            planned_at = :now, run_id = :run
        WHERE documents.state IN ('planned', 'rejected')
           OR documents.state = 'unknown' AND documents.problem IS NOT NULL
              AND documents.number IS NOT DISTINCT FROM excluded.number
              AND (documents.number IS NOT NULL
                   OR documents.content->'reference' = excluded.content->'reference')
        RETURNING id
    )
    INSERT INTO document_events (document_id, at, actor, event, detail)
    SELECT id, :now, :run, 'planned', '{}' FROM inserted
""")

_DELETE_UNSENT: Final[TextClause] = text("""
    WITH gone AS (
        SELECT id FROM documents
        WHERE (id = ANY(:ids) OR parent_id = ANY(:ids)) AND state IN ('planned', 'rejected')
        FOR UPDATE
    ), events AS (
        DELETE FROM document_events WHERE document_id IN (SELECT id FROM gone)
    )
    DELETE FROM documents WHERE id IN (SELECT id FROM gone)
""")

# Wherever several rows are locked it is in the order of their ids: no two wait for each other.
_CLAIM: Final = text(f"""
    WITH mine AS (
        SELECT id FROM documents WHERE id = ANY(:ids) AND state = 'planned'
        ORDER BY id FOR UPDATE
    ), claimed AS (
        UPDATE documents SET state = 'sending', idempotency_key = :key, run_id = :run,
            attempt_count = attempt_count + 1, sent_at = :now, problem = NULL
        WHERE id IN (SELECT id FROM mine)
        RETURNING *
    ), events AS (
        INSERT INTO document_events (document_id, at, actor, event, detail)
        SELECT id, :now, :run, 'sending', jsonb_build_object('idempotency_key', :key)
        FROM claimed
    )
    SELECT {_OPEN_COLUMNS}
    FROM claimed d LEFT JOIN documents p ON p.id = d.parent_id
""")  # noqa: S608 - a constant of this module

# Not waiting for the disk is safe here: an outcome lost with the database is looked up again.
_SETTLE: Final = text("""
    WITH settled AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
            document_id bigint, state text, event text, id_xero text, problem jsonb,
            payload_hash text)
    ), mine AS (
        SELECT d.id FROM documents d JOIN settled s ON s.document_id = d.id
        WHERE d.state IN ('sending', 'unknown')
          AND (s.payload_hash IS NULL OR s.payload_hash = d.payload_hash)
        ORDER BY d.id FOR UPDATE OF d
    ), updated AS (
        UPDATE documents d SET state = s.state, id_xero = s.id_xero,
            problem = NULLIF(s.problem, 'null'), settled_at = :now
        FROM settled s
        WHERE d.id = s.document_id AND d.id IN (SELECT id FROM mine)
        RETURNING d.id, s.event, s.id_xero, s.problem
    )
    INSERT INTO document_events (document_id, at, actor, event, detail)
    SELECT id, :now, :actor, event,
        jsonb_strip_nulls(jsonb_build_object('id_xero', id_xero, 'problem', problem))
    FROM updated
    RETURNING set_config('synchronous_commit', 'off', true)
""")
