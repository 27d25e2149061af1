"""Expenses in the ledger: the newest version of each, decisions, where it stands, who did what."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of public signatures
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import text

from daybook.errors import InputError
from daybook.expenses.expense import (
    AttachmentRef,
    Expense,
    Override,
    content_hash,
    decode,
    decode_override,
    encode,
)
from daybook.expenses.problems import Problem
from daybook.expenses.states import AttachmentState, ExpenseState, Stage, state_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row


@dataclass(frozen=True, slots=True)
class FoundExpense:
    """An expense as a source has it now, with the receipts known for it."""

    expense: Expense
    attachments: tuple[AttachmentRef, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerAttachment:
    """A receipt's file and where it stands."""

    ref: AttachmentRef
    state: AttachmentState
    reason: str | None = None
    attempt_count: int = 0
    next_due_at: dt.datetime | None = None
    uploaded_name: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerExpense:
    """A stored expense; `organisation_id` is None while its account is not linked."""

    expense: Expense
    override: Override
    stage: Stage
    problems: tuple[Problem, ...]
    content_hash: str
    reviewed_hash: str | None
    document_id: int | None
    document_state: str | None
    id_xero: str | None
    organisation_id: int | None
    attachments: tuple[LedgerAttachment, ...]
    is_updating: bool = False  # an update was sent, and it is not known yet what came of it

    @property
    def state(self) -> ExpenseState:
        """What finance sees."""
        return state_of(
            self.stage,
            self.problems,
            [one.state for one in self.attachments],
            needs_receipt=not self.override.needs_no_receipt,
        )

    @property
    def is_updated(self) -> bool:
        """Whether something changed since the last review or sync, or may be half way there."""
        is_changed = self.reviewed_hash is not None and self.reviewed_hash != self.content_hash
        return self.is_updating or is_changed


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an expense; `detail` holds JSON values only."""

    expense_id: str
    event: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """How many expenses were new, and how many changed."""

    new_count: int
    changed_count: int


def write_found(
    connection: Connection,
    found: Sequence[FoundExpense],
    *,
    actor: str,
    now_at: dt.datetime,
) -> Written:
    """Store what a source has now; the same again changes nothing."""
    ids = sorted(one.expense.expense_id for one in found)
    known = {one.expense.expense_id: one for one in read_expenses(connection, ids, for_update=True)}
    rows, events = [], []
    for one in sorted(found, key=lambda each: each.expense.expense_id):
        before = known.get(one.expense.expense_id)
        override = before.override if before else Override()
        hashed = content_hash(one.expense, override, one.attachments)
        if before is not None and before.content_hash == hashed:
            continue
        rows.append(_row(one.expense, hashed))
        events.append(_change(one, before))
    if rows:
        values = {"rows": msgspec.json.encode(rows).decode(), "now": now_at}
        connection.execute(_WRITE, values)
        write_events(connection, events, actor=actor, now_at=now_at)
        _write_attachments(connection, found, now_at)
    new_count = sum(1 for one in events if one.event == "found")
    return Written(new_count, len(events) - new_count)


def read_expenses(
    connection: Connection,
    expense_ids: Collection[str] | None = None,
    *,
    stage: Stage | None = None,
    for_update: bool = False,
) -> list[LedgerExpense]:
    """These expenses, or all, the oldest first; `for_update` lets nobody else write them."""
    values = {
        "ids": None if expense_ids is None else list(expense_ids),
        "stage": stage,
    }
    if for_update:
        connection.execute(_LOCK, values)
    rows = connection.execute(_READ, values).all()
    attachments = _attachments(connection, [row.expense_id for row in rows])
    return [_expense(row, tuple(attachments.get(row.expense_id, ()))) for row in rows]


def lock_documents(connection: Connection, expense_ids: Collection[str]) -> dict[str, str]:
    """The states of these expenses' documents, which nobody claims until the transaction ends."""
    rows = connection.execute(_LOCK_DOCUMENTS, {"ids": list(expense_ids)})
    return {row.expense_id: row.state for row in rows}


def full_ids(connection: Connection, expense_ids: Sequence[str]) -> list[str]:
    """The ids that these stand for: whole ones, or beginnings that only one expense has."""
    found: list[str] = []
    for given in expense_ids:
        beginning = given.removesuffix("…")
        rows = connection.execute(_BEGINNING, {"beginning": beginning}).scalars().all()
        if beginning in rows:
            rows = [beginning]
        if len(rows) != 1:
            many = "Several expenses begin with" if rows else "There is no expense"
            raise InputError(f"{many} {beginning}. 'daybook expenses list' shows those there are.")
        found += rows
    return found


def write_overrides(
    connection: Connection,
    overrides: Mapping[str, Override],
    *,
    actor: str,
    now_at: dt.datetime,
) -> None:
    """Store a person's decisions; having decided is having reviewed, while nothing is in Xero."""
    rows, events = [], []
    for one in read_expenses(connection, overrides, for_update=True):
        expense_id = one.expense.expense_id
        override = overrides[expense_id]
        refs = tuple(each.ref for each in one.attachments)
        rows.append(
            {
                "expense_id": expense_id,
                "override": override,
                "content_hash": content_hash(one.expense, override, refs),
            }
        )
        detail = {
            "from": msgspec.to_builtins(one.override),
            "to": msgspec.to_builtins(override),
        }
        events.append(Event(expense_id, "set", detail))
    values = {"rows": msgspec.json.encode(rows).decode(), "now": now_at}
    connection.execute(_WRITE_OVERRIDES, values)
    write_events(connection, events, actor=actor, now_at=now_at)


def write_stage(
    connection: Connection,
    expense_ids: Collection[str],
    stage: Stage,
    *,
    actor: str,
    now_at: dt.datetime,
    why: str = "",
) -> None:
    """Move expenses that are not in Xero to a stage; what was planned for them is dropped."""
    values = {"ids": list(expense_ids), "stage": stage, "now": now_at}
    connection.execute(_DROP_PLANNED, values)
    connection.execute(_WRITE_STAGE, values)
    events = [Event(one, stage, {"why": why} if why else {}) for one in sorted(expense_ids)]
    write_events(connection, events, actor=actor, now_at=now_at)


def write_problems(
    connection: Connection, problems: Mapping[str, Sequence[Problem]], *, now_at: dt.datetime
) -> None:
    """Store what stands in the way of these expenses; an empty list means nothing does."""
    rows = [{"expense_id": key, "problems": list(found)} for key, found in problems.items()]
    if rows:
        values = {"rows": msgspec.json.encode(rows).decode(), "now": now_at}
        connection.execute(_WRITE_PROBLEMS, values)


def write_events(
    connection: Connection, events: Iterable[Event], *, actor: str, now_at: dt.datetime
) -> None:
    """Record who did what when."""
    values = {"rows": msgspec.json.encode(list(events)).decode(), "actor": actor, "now": now_at}
    connection.execute(_WRITE_EVENTS, values)


def read_events(connection: Connection, expense_id: str) -> list[dict[str, Any]]:
    """What happened to an expense, in order."""
    rows = connection.execute(_READ_EVENTS, {"id": expense_id})
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented name


def _change(one: FoundExpense, before: LedgerExpense | None) -> Event:
    """What the source says differently now."""
    expense_id = one.expense.expense_id
    if before is None:
        return Event(expense_id, "found", {"amount_minor": one.expense.amount_minor})
    now, then = msgspec.to_builtins(one.expense), msgspec.to_builtins(before.expense)
    detail: dict[str, Any] = {
        name: {"from": then[name], "to": value}
        for name, value in now.items()
        if then[name] != value
    }
    files = {each.key for each in one.attachments}
    detail["receipts"] = {"from": len(before.attachments), "to": len(files)}
    return Event(expense_id, "changed", detail)


def _row(expense: Expense, hashed: str) -> dict[str, Any]:
    return {
        "expense_id": expense.expense_id,
        "source": expense.source,
        "account_id_source": expense.account_id_source,
        "spent_date": expense.spent_date,
        "currency": expense.currency,
        "amount_minor": expense.amount_minor,
        "content": msgspec.Raw(encode(expense)),
        "content_hash": hashed,
    }


def _write_attachments(
    connection: Connection, found: Sequence[FoundExpense], now_at: dt.datetime
) -> None:
    """Add new receipts; those that the source took back or replaced go, unless uploaded."""
    rows = [
        {"expense_id": one.expense.expense_id, **msgspec.to_builtins(each)}
        for one in found
        for each in one.attachments
    ]
    values = {
        "rows": msgspec.json.encode(rows).decode(),
        "ids": [one.expense.expense_id for one in found],
        "now": now_at,
    }
    connection.execute(_DROP_ATTACHMENTS, values)
    connection.execute(_WRITE_ATTACHMENTS, values)


def _attachments(
    connection: Connection, expense_ids: Sequence[str]
) -> dict[str, list[LedgerAttachment]]:
    found: dict[str, list[LedgerAttachment]] = {}
    for row in connection.execute(_READ_ATTACHMENTS, {"ids": list(expense_ids)}):
        ref = AttachmentRef(row.key, row.name, row.byte_count, row.version)
        one = LedgerAttachment(
            ref,
            AttachmentState(row.state),
            row.reason,
            row.attempt_count,
            row.next_due_at,
            row.uploaded_name,
        )
        found.setdefault(row.expense_id, []).append(one)
    return found


def _expense(row: Row[Any], attachments: tuple[LedgerAttachment, ...]) -> LedgerExpense:
    return LedgerExpense(
        expense=decode(row.content.encode()),
        override=decode_override(row.override.encode()),
        stage=Stage(row.stage),
        problems=msgspec.json.decode(row.problems, type=tuple[Problem, ...]),
        content_hash=row.content_hash,
        reviewed_hash=row.reviewed_hash,
        document_id=row.document_id,
        document_state=row.document_state,
        id_xero=row.id_xero,
        organisation_id=row.organisation_id,
        attachments=attachments,
        is_updating=row.is_updating is True,
    )


_READ: Final = text("""
    SELECT e.expense_id, CAST(e.content AS text) AS content, CAST(e.override AS text) AS override,
        e.stage, CAST(e.problems AS text) AS problems, e.content_hash, e.reviewed_hash,
        e.document_id, d.state AS document_state, d.id_xero, a.organisation_id,
        e.stage = 'synced' AND (SELECT v.event FROM document_events v
            WHERE v.document_id = e.document_id ORDER BY v.id DESC LIMIT 1) = 'updating'
            AS is_updating
    FROM expenses e
    LEFT JOIN documents d ON d.id = e.document_id
    LEFT JOIN spend_accounts a USING (source, account_id_source)
    WHERE (CAST(:ids AS text[]) IS NULL OR e.expense_id = ANY(:ids))
      AND (CAST(:stage AS text) IS NULL OR e.stage = :stage)
    ORDER BY e.spent_date, e.expense_id
""")

# Expenses are locked before their documents, and several in the order of their ids: no two
# transactions wait for each other.
_LOCK: Final = text("""
    SELECT FROM expenses e
    WHERE (CAST(:ids AS text[]) IS NULL OR e.expense_id = ANY(:ids))
      AND (CAST(:stage AS text) IS NULL OR e.stage = :stage)
    ORDER BY e.expense_id FOR UPDATE
""")

_LOCK_DOCUMENTS: Final = text("""
    SELECT e.expense_id, d.state FROM documents d JOIN expenses e ON e.document_id = d.id
    WHERE e.expense_id = ANY(:ids)
    ORDER BY d.id FOR UPDATE OF d
""")

_BEGINNING: Final = text("""
    SELECT expense_id FROM expenses WHERE starts_with(expense_id, :beginning)
    ORDER BY expense_id LIMIT 50
""")

_WRITE: Final = text("""
    INSERT INTO expenses (expense_id, source, account_id_source, spent_date, currency, amount_minor,
        content, content_hash, stage, first_seen_at, changed_at)
    SELECT expense_id, source, account_id_source, spent_date, currency, amount_minor, content,
        content_hash, 'pending', :now, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        expense_id text, source text, account_id_source text, spent_date date, currency text,
        amount_minor bigint, content jsonb, content_hash text)
    ON CONFLICT (expense_id) DO UPDATE SET
        account_id_source = excluded.account_id_source, spent_date = excluded.spent_date,
        currency = excluded.currency, amount_minor = excluded.amount_minor,
        content = excluded.content, content_hash = excluded.content_hash, changed_at = :now,
        reviewed_hash = COALESCE(expenses.reviewed_hash, expenses.content_hash)
""")

_WRITE_OVERRIDES: Final = text("""
    UPDATE expenses e SET override = r.override, content_hash = r.content_hash, changed_at = :now,
        reviewed_hash = CASE WHEN e.stage = 'synced' THEN e.reviewed_hash ELSE r.content_hash END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(expense_id text, override jsonb, content_hash text)
    WHERE e.expense_id = r.expense_id
""")

_WRITE_STAGE: Final = text("""
    UPDATE expenses SET stage = :stage, problems = '[]', changed_at = :now
    WHERE expense_id = ANY(:ids)
""")

_DROP_PLANNED: Final = text("""
    WITH gone AS (
        SELECT d.id FROM documents d JOIN expenses e ON e.document_id = d.id
        WHERE e.expense_id = ANY(:ids) AND d.state IN ('planned', 'rejected')
        ORDER BY d.id FOR UPDATE OF d
    ), events AS (
        DELETE FROM document_events WHERE document_id IN (SELECT id FROM gone)
    )
    DELETE FROM documents WHERE id IN (SELECT id FROM gone)
""")

_WRITE_PROBLEMS: Final = text("""
    UPDATE expenses e SET problems = r.problems, changed_at = :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(expense_id text, problems jsonb)
    WHERE e.expense_id = r.expense_id AND e.problems <> r.problems
""")

_WRITE_EVENTS: Final = text("""
    INSERT INTO expense_events (expense_id, at, actor, event, detail)
    SELECT expense_id, :now, :actor, event, detail
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(expense_id text, event text, detail jsonb)
""")

_READ_EVENTS: Final = text("""
    SELECT at, actor, event, detail FROM expense_events WHERE expense_id = :id ORDER BY id
""")

_WRITE_ATTACHMENTS: Final = text("""
    INSERT INTO expense_attachments
        (expense_id, key, version, name, byte_count, state, changed_at)
    SELECT expense_id, key, version, name, byte_count, 'pending', :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(expense_id text, key text, version text, name text, byte_count bigint)
    ON CONFLICT (expense_id, key, version) DO NOTHING
""")

_DROP_ATTACHMENTS: Final = text("""
    DELETE FROM expense_attachments a
    WHERE a.expense_id = ANY(:ids) AND a.state IN ('pending', 'failed', 'given_up')
      AND NOT EXISTS (
        SELECT FROM jsonb_to_recordset(CAST(:rows AS jsonb))
            AS r(expense_id text, key text, version text)
        WHERE (r.expense_id, r.key, r.version) = (a.expense_id, a.key, a.version))
""")

_READ_ATTACHMENTS: Final = text("""
    SELECT expense_id, key, version, name, byte_count, state, reason, attempt_count, next_due_at,
        CASE WHEN state = 'uploaded' THEN uploaded_name END AS uploaded_name
    FROM expense_attachments
    WHERE expense_id = ANY(:ids) ORDER BY expense_id, id
""")
