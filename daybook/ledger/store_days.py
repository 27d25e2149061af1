"""Where each store-day stands, and why if it is not posted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from sqlalchemy import text

from daybook.ledger.documents import pairs
from daybook.posting.holds import Hold, HoldCode
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

StoreDayState = Literal["no_sales", "missing", "totalled", "held", "planned", "posted", "failed"]


@dataclass(frozen=True, slots=True)
class StoreDayStatus:
    """A store-day's state; `holds` say why, when it is missing, held or failed."""

    store_day: StoreDay
    state: StoreDayState
    holds: tuple[Hold, ...] = ()


def write_store_days(
    connection: Connection,
    statuses: Sequence[StoreDayStatus],
    *,
    run_id: str,
    now_at: dt.datetime,
) -> None:
    """Set where these store-days stand."""
    rows = [
        {
            "business_date": status.store_day.business_date,
            "store_id": status.store_day.store_id,
            "state": status.state,
            "holds": status.holds,
        }
        for status in sorted(statuses, key=lambda one: one.store_day)
    ]
    if rows:
        values = {"rows": msgspec.json.encode(rows).decode(), "run": run_id, "now": now_at}
        connection.execute(_WRITE, values)


def read_store_days(
    connection: Connection, store_days: Collection[StoreDay]
) -> dict[StoreDay, StoreDayStatus]:
    """Where these store-days stand; one never looked at is not in the answer."""
    query = text("""
        SELECT s.business_date, s.store_id, s.state, CAST(s.holds AS text) AS holds
        FROM store_days s
        JOIN unnest(CAST(:dates AS date[]), CAST(:stores AS text[])) AS w(business_date, store_id)
          USING (business_date, store_id)
        ORDER BY s.business_date, s.store_id
    """)
    found = {}
    for row in connection.execute(query, pairs(store_days)):
        store_day = StoreDay(row.business_date, row.store_id)
        holds = msgspec.json.decode(row.holds, type=tuple[Hold, ...])
        found[store_day] = StoreDayStatus(store_day, row.state, holds)
    return found


def done_store_days(
    connection: Connection, first_date: dt.date, last_date: dt.date
) -> set[StoreDay]:
    """The store-days of the window that need nothing more: everything they have is in Xero."""
    query = text("""
        SELECT business_date, store_id FROM store_days
        WHERE business_date BETWEEN :first AND :last AND state = 'posted'
    """)
    rows = connection.execute(query, {"first": first_date, "last": last_date})
    return {StoreDay(row.business_date, row.store_id) for row in rows}


def unfinished_store_days(connection: Connection) -> dict[StoreDay, StoreDayState]:
    """The store-days of all time that something keeps out of Xero, and how they stand."""
    rows = connection.execute(_UNFINISHED)
    return {StoreDay(row.business_date, row.store_id): row.state for row in rows}


def unreadable_store_days(
    connection: Connection, store_ids: Collection[str], first_date: dt.date, last_date: dt.date
) -> dict[StoreDay, Hold]:
    """The days held for a row that could not be read; only with receipts, and nothing posted."""
    values = {"stores": list(store_ids), "first": first_date, "last": last_date}
    found = {}
    for row in connection.execute(_UNREADABLE, values):
        holds = msgspec.json.decode(row.holds, type=tuple[Hold, ...])
        of_rows = [hold for hold in holds if hold.code is HoldCode.UNREADABLE]
        found[StoreDay(row.business_date, row.store_id)] = of_rows[0]
    return found


def settle_store_days(
    connection: Connection, store_days: Collection[StoreDay], *, run_id: str, now_at: dt.datetime
) -> None:
    """Bring planned and failed store-days up to date with what became of their documents."""
    connection.execute(_SETTLE, {**pairs(store_days), "run": run_id, "now": now_at})


# The condition is that of the index ix_store_days_unfinished, which holds these few rows alone.
_UNFINISHED: Final = text("""
    SELECT business_date, store_id, state FROM store_days
    WHERE state NOT IN ('posted', 'no_sales')
    ORDER BY business_date, store_id
""")

_UNREADABLE: Final = text("""
    SELECT s.business_date, s.store_id, CAST(s.holds AS text) AS holds FROM store_days s
    WHERE s.state NOT IN ('posted', 'no_sales')
      AND s.business_date BETWEEN :first AND :last AND s.store_id = ANY(:stores)
      AND s.holds @> '[{"code": "unreadable"}]'
      AND EXISTS (
        SELECT FROM receipts r
        WHERE r.business_date = s.business_date AND r.store_id = s.store_id AND NOT r.is_voided
      )
      AND NOT EXISTS (
        SELECT FROM documents d
        WHERE d.business_date = s.business_date AND d.store_id = s.store_id AND d.state = 'posted'
      )
""")

_WRITE: Final = text("""
    INSERT INTO store_days AS s (business_date, store_id, state, holds, changed_at, run_id)
    SELECT business_date, store_id, state, holds, :now, :run
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(business_date date, store_id text, state text, holds jsonb)
    ON CONFLICT (business_date, store_id) DO UPDATE SET
        state = excluded.state, holds = excluded.holds, changed_at = :now, run_id = :run
    WHERE (s.state, s.holds) IS DISTINCT FROM (excluded.state, excluded.holds)
""")

# A document's problem is a hold: {code, key, sentence}. A day whose figures changed after posting
# keeps that hold: its documents are in Xero, but they no longer say what the point of sale says.
_SETTLE: Final = text("""
    WITH wanted AS (
        SELECT s.business_date, s.store_id,
            COALESCE(bool_and(d.state = 'posted'), true) AS is_posted,
            COALESCE(jsonb_agg(d.problem ORDER BY d.natural_key)
                FILTER (WHERE d.problem IS NOT NULL), '[]') AS holds
        FROM store_days s
        JOIN unnest(CAST(:dates AS date[]), CAST(:stores AS text[])) AS w(business_date, store_id)
          USING (business_date, store_id)
        LEFT JOIN documents d USING (business_date, store_id)
        WHERE s.state IN ('planned', 'failed', 'posted')
          AND NOT s.holds @> '[{"code": "changed_after_posting"}]'
        GROUP BY s.business_date, s.store_id
    )
    UPDATE store_days s SET
        state = CASE WHEN w.holds <> '[]' THEN 'failed'
                     WHEN w.is_posted THEN 'posted' ELSE 'planned' END,
        holds = w.holds, changed_at = :now, run_id = :run
    FROM wanted w
    WHERE s.business_date = w.business_date AND s.store_id = w.store_id
      AND (s.state, s.holds) IS DISTINCT FROM (
        CASE WHEN w.holds <> '[]' THEN 'failed' WHEN w.is_posted THEN 'posted' ELSE 'planned' END,
        w.holds)
""")
