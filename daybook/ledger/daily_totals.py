"""Daily totals in the ledger: every version is kept, one per store-day and currency is current."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from daybook.ledger.copy_text import copy_rows_in
from daybook.sales.daily_total import content_hash, decode, encode
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from sqlalchemy import Connection

    from daybook.sales.daily_total import DailyTotal

_CREATE: Final = text(
    """
    CREATE TEMP TABLE IF NOT EXISTS staged_totals (
        store_id text NOT NULL, business_date date NOT NULL, currency text NOT NULL,
        receipt_count int NOT NULL, net_minor bigint NOT NULL, tax_minor bigint NOT NULL,
        total_minor bigint NOT NULL, tender_minor bigint NOT NULL,
        content text NOT NULL, content_hash text NOT NULL
    ) ON COMMIT DELETE ROWS;
    CREATE TEMP TABLE IF NOT EXISTS staged_days (
        store_id text NOT NULL, business_date date NOT NULL
    ) ON COMMIT DELETE ROWS;
    TRUNCATE staged_totals, staged_days
    """
)
_DEMOTE: Final = text(
    """
    UPDATE daily_totals AS held SET is_current = false
    FROM staged_days AS day
    WHERE held.is_current
      AND held.business_date = day.business_date AND held.store_id = day.store_id
      AND NOT EXISTS (
        SELECT FROM staged_totals AS staged
        WHERE staged.store_id = held.store_id AND staged.business_date = held.business_date
          AND staged.currency = held.currency AND staged.content_hash = held.content_hash
      )
    RETURNING NOT EXISTS (
        SELECT FROM staged_totals AS staged
        WHERE staged.store_id = held.store_id AND staged.business_date = held.business_date
          AND staged.currency = held.currency
      ) AS is_vanished
    """
)
_INSERT: Final = text(
    """
    INSERT INTO daily_totals (
        store_id, business_date, currency, revision, is_current, receipt_count,
        net_minor, tax_minor, total_minor, tender_minor, content, content_hash,
        totalled_at, run_id
    )
    SELECT store_id, business_date, currency,
           1 + coalesce((
               SELECT max(older.revision) FROM daily_totals AS older
               WHERE older.store_id = staged.store_id
                 AND older.business_date = staged.business_date
                 AND older.currency = staged.currency), 0),
           true, receipt_count, net_minor, tax_minor, total_minor, tender_minor,
           CAST(content AS jsonb), content_hash, :now_at, :run_id
    FROM staged_totals AS staged
    WHERE NOT EXISTS (
        SELECT FROM daily_totals AS held
        WHERE held.is_current AND held.store_id = staged.store_id
          AND held.business_date = staged.business_date AND held.currency = staged.currency)
    ORDER BY business_date, store_id, currency
    RETURNING revision
    """
)
_READ: Final = text(
    """
    SELECT id, store_id, business_date, revision, CAST(content AS text) AS content
    FROM daily_totals
    JOIN unnest(CAST(:dates AS date[]), CAST(:store_ids AS text[]))
         AS day (business_date, store_id) USING (business_date, store_id)
    WHERE is_current
    ORDER BY business_date, store_id, currency
    """
)


@dataclass(frozen=True, slots=True)
class StoredDailyTotal:
    """A current daily total: its id in the ledger, and which version of the store-day's it is."""

    daily_total_id: int
    store_day: StoreDay
    revision: int
    total: DailyTotal


@dataclass(frozen=True, slots=True)
class TotalCounts:
    """What a write did; `vanished` totals are no longer current and have no successor."""

    new_count: int
    changed_count: int
    unchanged_count: int
    vanished_count: int

    def __add__(self, other: TotalCounts) -> TotalCounts:
        """Both together."""
        return TotalCounts(
            self.new_count + other.new_count,
            self.changed_count + other.changed_count,
            self.unchanged_count + other.unchanged_count,
            self.vanished_count + other.vanished_count,
        )


def write_daily_totals(
    connection: Connection,
    totals: Collection[DailyTotal],
    store_days: Collection[StoreDay],
    *,
    run_id: str | None,
    now_at: dt.datetime,
) -> TotalCounts:
    """Make these the current totals of the store-days; the same total again writes nothing.

    A store-day without a total here has no current total afterwards: its receipts are gone. The
    caller holds the stores (`receipts.lock_stores`) from before it read the receipts.
    """
    connection.execute(_CREATE)
    days = {(day.store_id, day.business_date) for day in store_days}
    assert {(one.store_id, one.business_date) for one in totals} <= days, "a total not asked for"
    copy_rows_in(connection, "staged_days (store_id, business_date)", days)
    copy_rows_in(
        connection,
        "staged_totals (store_id, business_date, currency, receipt_count, net_minor, tax_minor, "
        "total_minor, tender_minor, content, content_hash)",
        map(_row, totals),
    )
    connection.execute(text("ANALYZE staged_totals, staged_days"))
    vanished_count = sum(connection.scalars(_DEMOTE))
    inserted = connection.scalars(_INSERT, {"run_id": run_id, "now_at": now_at}).all()
    new_count = sum(revision == 1 for revision in inserted)
    changed_count = len(inserted) - new_count
    return TotalCounts(
        new_count=new_count,
        changed_count=changed_count,
        unchanged_count=len(totals) - len(inserted),
        vanished_count=vanished_count,
    )


def read_daily_totals(
    connection: Connection, store_days: Collection[StoreDay]
) -> list[StoredDailyTotal]:
    """The current totals of these store-days, by date, store and currency."""
    rows = connection.execute(
        _READ,
        {
            "dates": [day.business_date for day in store_days],
            "store_ids": [day.store_id for day in store_days],
        },
    )
    return [
        StoredDailyTotal(
            daily_total_id=row.id,
            store_day=StoreDay(row.business_date, row.store_id),
            revision=row.revision,
            total=decode(row.content.encode()),
        )
        for row in rows
    ]


def _row(total: DailyTotal) -> tuple[object, ...]:
    return (
        total.store_id,
        total.business_date,
        total.currency,
        total.receipt_count,
        total.net_minor,
        total.tax_minor,
        total.total_minor,
        total.tender_minor,
        encode(total).decode(),
        content_hash(total),
    )
