"""Receipts in and out of the ledger, set by set.

Whoever writes or totals receipts holds the rows of their stores (`lock_stores`) until its
transaction ends: one writer per store at a time, always taken in the same order, so two runs over
the same receipts wait for each other instead of duplicating or deadlocking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, text

from daybook.errors import InputError
from daybook.ledger.copy_text import copy_in, copy_out
from daybook.money import amount_from_minor
from daybook.sales.encoding import batch_of, lines_of, staged_receipts, tenders_of
from daybook.sales.store import StoreDay
from daybook.wording import counted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from daybook.sales.frames import ReceiptBatch
    from daybook.sales.store import Store

_STAGED_COLUMNS: Final = (
    "receipt_key, store_id, receipt_id_pos, sold_at, updated_at, currency, is_refund, is_voided, "
    "business_date, content_hash"
)
# Temporary tables live as long as the connection and are emptied by every commit.
_CREATE_STAGED: Final = text(
    """
    CREATE TEMP TABLE IF NOT EXISTS staged_receipts (
        receipt_key bigint NOT NULL, store_id text NOT NULL, receipt_id_pos text NOT NULL,
        sold_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, currency text NOT NULL,
        is_refund boolean NOT NULL, is_voided boolean NOT NULL,
        business_date date NOT NULL, content_hash bigint NOT NULL
    ) ON COMMIT DELETE ROWS
    """
)
_CREATE_WRITTEN: Final = text(
    """
    CREATE TEMP TABLE IF NOT EXISTS written_receipts (
        receipt_key bigint NOT NULL, receipt_id bigint NOT NULL, is_new boolean NOT NULL,
        moved_from date
    ) ON COMMIT DELETE ROWS
    """
)
_EMPTY_STAGED: Final = text("TRUNCATE staged_receipts, written_receipts")
_ANALYZE_STAGED: Final = text("ANALYZE staged_receipts")

# Only what is missing or newer is touched, so an unchanged receipt writes nothing at all. Of a
# whole day the source has the say: an older version that came back is what it has now.
_UPSERT: Final = text(
    """
    WITH fresh AS MATERIALIZED (
        SELECT staged.*, CASE WHEN held.business_date <> staged.business_date
               THEN held.business_date END AS moved_from
        FROM staged_receipts AS staged
        LEFT JOIN receipts AS held USING (store_id, receipt_id_pos)
        WHERE held.id IS NULL OR staged.updated_at > held.updated_at
           OR (staged.content_hash <> held.content_hash AND (
               staged.updated_at = held.updated_at
               OR (staged.business_date, staged.store_id) IN (
                   SELECT * FROM unnest(CAST(:dates AS date[]), CAST(:store_ids AS text[]))
               )
           ))
    ), written AS (
        INSERT INTO receipts AS held (
            store_id, receipt_id_pos, business_date, sold_at, updated_at, currency,
            is_refund, is_voided, content_hash, extracted_at, origin
        )
        SELECT store_id, receipt_id_pos, business_date, sold_at, updated_at, currency,
               is_refund, is_voided, content_hash, :now_at, :origin
        FROM fresh ORDER BY store_id, receipt_id_pos
        ON CONFLICT (store_id, receipt_id_pos) DO UPDATE SET
            business_date = excluded.business_date, sold_at = excluded.sold_at,
            updated_at = excluded.updated_at, currency = excluded.currency,
            is_refund = excluded.is_refund, is_voided = excluded.is_voided,
            content_hash = excluded.content_hash, extracted_at = excluded.extracted_at,
            origin = excluded.origin
        RETURNING held.id, held.store_id, held.receipt_id_pos, held.xmax = 0 AS is_new
    )
    INSERT INTO written_receipts
    SELECT fresh.receipt_key, written.id, written.is_new, fresh.moved_from
    FROM written JOIN fresh USING (store_id, receipt_id_pos)
    """
)
# A day that a receipt was moved away from is no longer what was posted: it has to be looked at
# again, also where it lies outside the dates that are read, or the receipt would count twice.
# Another run may be posting it right now: it would call a planned or failed day posted.
_UNSETTLE: Final = text(
    """
    WITH left_days AS (
        SELECT day.business_date, day.store_id FROM store_days AS day
        WHERE day.state IN ('planned', 'failed', 'posted')
          AND (day.business_date, day.store_id) IN (
            SELECT written.moved_from, receipts.store_id
            FROM written_receipts AS written JOIN receipts ON receipts.id = written.receipt_id
            WHERE written.moved_from IS NOT NULL)
        ORDER BY day.business_date, day.store_id FOR UPDATE
    )
    UPDATE store_days AS day SET state = 'totalled', holds = '[]', changed_at = :now_at
    FROM left_days
    WHERE day.business_date = left_days.business_date AND day.store_id = left_days.store_id
    """
)
# Receipts from before the ledger knew origins get theirs as soon as it is known.
_ADOPT: Final = text(
    """
    UPDATE receipts AS held SET origin = :origin
    FROM staged_receipts AS staged
    WHERE staged.store_id = held.store_id AND staged.receipt_id_pos = held.receipt_id_pos
      AND held.origin = '' AND :origin <> '' AND (staged.business_date, staged.store_id) IN (
        SELECT * FROM unnest(CAST(:dates AS date[]), CAST(:store_ids AS text[]))
      )
    """
)
# Voided, and older than any version a source can have, so that whatever comes again counts again.
_SUPERSEDE: Final = text(
    """
    UPDATE receipts AS held
    SET is_voided = true, updated_at = 'epoch', content_hash = 0, extracted_at = :now_at,
        origin = :origin
    FROM unnest(CAST(:dates AS date[]), CAST(:store_ids AS text[])) AS day (business_date, store_id)
    WHERE held.business_date = day.business_date AND held.store_id = day.store_id
      AND NOT held.is_voided
      AND (held.origin = :origin OR (
        held.origin = '' AND :stand_in <> '' AND starts_with(held.receipt_id_pos, :stand_in)
      ))
      AND NOT EXISTS (
        SELECT FROM staged_receipts AS staged
        WHERE staged.store_id = held.store_id AND staged.receipt_id_pos = held.receipt_id_pos
          AND NOT staged.is_voided
      )
    """
)
_LOST: Final = text(
    """
    SELECT held.business_date, held.store_id, count(*) AS lost_count,
           (array_agg(held.receipt_id_pos ORDER BY held.receipt_id_pos))[1:3] AS first_ids
    FROM receipts AS held
    JOIN unnest(CAST(:dates AS date[]), CAST(:store_ids AS text[]))
         AS day (business_date, store_id) USING (business_date, store_id)
    WHERE held.origin = :origin AND NOT held.is_voided
      AND NOT (:stand_in <> '' AND starts_with(held.receipt_id_pos, :stand_in))
      AND NOT EXISTS (
        SELECT FROM staged_receipts AS staged
        WHERE staged.store_id = held.store_id AND staged.receipt_id_pos = held.receipt_id_pos
      )
    GROUP BY held.business_date, held.store_id
    """
)
_STOOD_IN: Final = text(
    """
    SELECT held.business_date, held.store_id, held.currency,
           CAST(sum(line.net_minor + line.tax_minor) AS bigint) AS total_minor
    FROM receipts AS held
    JOIN unnest(CAST(:dates AS date[]), CAST(:store_ids AS text[]))
         AS day (business_date, store_id) USING (business_date, store_id)
    JOIN receipt_lines AS line ON line.receipt_id = held.id
    WHERE held.origin IN (:origin, '') AND NOT held.is_voided
      AND :stand_in <> '' AND starts_with(held.receipt_id_pos, :stand_in)
    GROUP BY held.business_date, held.store_id, held.currency
    """
)
_STAGED_OF_DAY: Final = text(
    "SELECT receipt_key FROM staged_receipts WHERE NOT is_voided "
    "AND business_date = :business_date AND store_id = :store_id"
)
_UNSTAGE: Final = text(
    """
    DELETE FROM staged_receipts
    USING unnest(CAST(:dates AS date[]), CAST(:store_ids AS text[])) AS day (date, store_id)
    WHERE business_date = day.date AND staged_receipts.store_id = day.store_id
    """
)
_COUNT: Final = text(
    """
    SELECT (SELECT count(*) FROM staged_receipts) AS staged_count,
           count(*) FILTER (WHERE is_new) AS new_count,
           count(*) FILTER (WHERE NOT is_new) AS changed_count
    FROM written_receipts
    """
)
_DELETE_LINES: Final = text(
    "DELETE FROM receipt_lines USING written_receipts AS written "
    "WHERE written.receipt_id = receipt_lines.receipt_id AND NOT written.is_new"
)
_DELETE_TENDERS: Final = text(
    "DELETE FROM receipt_tenders USING written_receipts AS written "
    "WHERE written.receipt_id = receipt_tenders.receipt_id AND NOT written.is_new"
)
_LOCK_STORES: Final = text(
    "SELECT store_id FROM stores WHERE store_id IN :store_ids ORDER BY store_id FOR NO KEY UPDATE"
).bindparams(bindparam("store_ids", expanding=True))

_CREATE_SELECTED: Final = text(
    """
    CREATE TEMP TABLE IF NOT EXISTS selected_receipts (receipt_id bigint PRIMARY KEY)
    ON COMMIT DELETE ROWS
    """
)
_SELECT: Final = text(
    """
    INSERT INTO selected_receipts
    SELECT receipts.id FROM receipts
    JOIN unnest(CAST(:dates AS date[]), CAST(:store_ids AS text[]))
         AS day (business_date, store_id) USING (business_date, store_id)
    """
)
_COUNT_BY_DAY: Final = text(
    """
    SELECT business_date, store_id, count(*) AS receipt_count FROM receipts
    JOIN unnest(CAST(:dates AS date[]), CAST(:store_ids AS text[]))
         AS day (business_date, store_id) USING (business_date, store_id)
    GROUP BY business_date, store_id
    """
)
# Spelled out: the text of a time must not depend on the session's settings.
_RECEIPTS: Final = """
    SELECT id, store_id, receipt_id_pos,
           to_char(sold_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           currency, is_refund, is_voided
    FROM receipts JOIN selected_receipts ON receipt_id = id
"""
_LINES: Final = (
    "SELECT receipt_id, line_no, category, tax_code, net_minor, tax_minor, discount_minor "
    "FROM receipt_lines JOIN selected_receipts USING (receipt_id)"
)
_TENDERS: Final = (
    "SELECT receipt_id, tender_no, tender, amount_minor "
    "FROM receipt_tenders JOIN selected_receipts USING (receipt_id)"
)


@dataclass(frozen=True, slots=True)
class WholeDays:
    """The store-days of which a batch has every receipt, and what may take whose place.

    Only receipts of the same `origin` give way. Of the `kept` days no receipt may vanish; one that
    stands for its whole day (its id begins with `stand_in`) may, for receipts of the same total.
    """

    origin: str = ""
    days: tuple[StoreDay, ...] = ()
    kept: tuple[StoreDay, ...] = ()
    stand_in: str = ""


_NO_WHOLE_DAYS: Final = WholeDays()


@dataclass(frozen=True, slots=True)
class LeftDay:
    """A store-day of which nothing was written, since receipts would have vanished, and why."""

    store_day: StoreDay
    sentence: str


@dataclass(frozen=True, slots=True)
class ReceiptCounts:
    """What a write did with the receipts it was given; an older version counts as unchanged.

    `superseded_count` are others, whose place they took; of the days `left` nothing was written.
    """

    new_count: int
    changed_count: int
    unchanged_count: int
    superseded_count: int = 0
    left: tuple[LeftDay, ...] = ()

    def __add__(self, other: ReceiptCounts) -> ReceiptCounts:
        """Both together."""
        return ReceiptCounts(
            self.new_count + other.new_count,
            self.changed_count + other.changed_count,
            self.unchanged_count + other.unchanged_count,
            self.superseded_count + other.superseded_count,
            self.left + other.left,
        )


def lock_stores(connection: Connection, store_ids: Collection[str]) -> None:
    """Wait until nobody else writes or totals these stores; holds until the transaction ends.

    Raises:
        InputError: a store is not in the ledger.
    """
    if not store_ids:
        return
    held = set(connection.scalars(_LOCK_STORES, {"store_ids": sorted(store_ids)}))
    missing = sorted(set(store_ids) - held)
    if missing:
        raise InputError(
            f"The ledger does not know store {', '.join(missing[:5])}; load the stores first."
        )


def write_receipts(
    connection: Connection,
    batch: ReceiptBatch,
    stores: Sequence[Store],
    *,
    now_at: dt.datetime,
    whole: WholeDays = _NO_WHOLE_DAYS,
) -> ReceiptCounts:
    """Store the newest version of each receipt; what is there already is left alone.

    A receipt replaces the ledger's when its `updated_at` is newer, or the same with another
    content; of a whole day, whenever its content is another. There these are all receipts: others
    of the same origin, another representation of the same sales, become voided, unless they may
    not vanish: then the day stays as it is. A posted day that a receipt was moved away from is not
    done any more. The caller's transaction makes it all or nothing.
    """
    if not len(batch.receipts) and not whole.days:
        return ReceiptCounts(0, 0, 0)
    store_ids = {day.store_id for day in whole.days}
    lock_stores(connection, store_ids.union(batch.receipts["store_id"].unique()))
    connection.execute(_CREATE_STAGED)
    connection.execute(_CREATE_WRITTEN)
    connection.execute(_EMPTY_STAGED)
    copy_in(connection, f"staged_receipts ({_STAGED_COLUMNS})", staged_receipts(batch, stores))
    connection.execute(_ANALYZE_STAGED)
    left = _left_days(connection, batch, whole) if whole.kept else ()
    connection.execute(_UNSTAGE, _arrays([one.store_day for one in left]))
    taken = set(whole.days).difference(one.store_day for one in left)
    values = {"now_at": now_at, "origin": whole.origin, "stand_in": whole.stand_in}
    values |= _arrays(taken)
    connection.execute(_UPSERT, values)
    superseded_count = 0
    if taken:
        connection.execute(_ADOPT, values)
        superseded_count = connection.execute(_SUPERSEDE, values).rowcount
    counted = connection.execute(_COUNT).one()
    if counted.changed_count:
        connection.execute(_DELETE_LINES)
        connection.execute(_DELETE_TENDERS)
        connection.execute(_UNSETTLE, {"now_at": now_at})
    if counted.new_count or counted.changed_count:
        _write_lines_and_tenders(connection, batch)
    written_count = counted.new_count + counted.changed_count
    return ReceiptCounts(
        counted.new_count,
        counted.changed_count,
        counted.staged_count - written_count,
        superseded_count,
        left,
    )


_LOST_NOUNS: Final = (
    "receipt that was taken over before is",
    "receipts that were taken over before are",
)


def _left_days(
    connection: Connection, batch: ReceiptBatch, whole: WholeDays
) -> tuple[LeftDay, ...]:
    """The kept days of which receipts would vanish."""
    values = _arrays(whole.kept) | {"origin": whole.origin, "stand_in": whole.stand_in}
    left = {
        (row.business_date, row.store_id): (
            f"{counted(row.lost_count, *_LOST_NOUNS)} no longer there: "
            f"{', '.join(row.first_ids)}{' ...' if row.lost_count > len(row.first_ids) else ''}."
        )
        for row in connection.execute(_LOST, values)
    }
    for row in connection.execute(_STOOD_IN, values).all():
        day = StoreDay(row.business_date, row.store_id)
        total_minor = _staged_minor(connection, batch, day)
        if total_minor != row.total_minor:
            left.setdefault(
                (day.business_date, day.store_id),
                f"The receipts come to {amount_from_minor(total_minor, row.currency)} "
                f"{row.currency}, but the report that was taken over before to "
                f"{amount_from_minor(row.total_minor, row.currency)}.",
            )
    return tuple(LeftDay(StoreDay(*day), said) for day, said in sorted(left.items()))


def _staged_minor(connection: Connection, batch: ReceiptBatch, day: StoreDay) -> int:
    """What the staged receipts of a day come to, tax included."""
    values = {"business_date": day.business_date, "store_id": day.store_id}
    keys = list(connection.scalars(_STAGED_OF_DAY, values))
    lines = batch.lines[batch.lines["receipt_key"].isin(keys)]
    return int(lines["net_minor"].sum()) + int(lines["tax_minor"].sum())


def receipt_counts(connection: Connection, store_days: Collection[StoreDay]) -> dict[StoreDay, int]:
    """How many receipts the ledger has of each of these store-days that has any."""
    rows = connection.execute(_COUNT_BY_DAY, _arrays(store_days))
    return {StoreDay(row.business_date, row.store_id): row.receipt_count for row in rows}


def read_receipts(connection: Connection, store_days: Collection[StoreDay]) -> ReceiptBatch:
    """The receipts of these store-days; `receipt_key` is the ledger's id."""
    connection.execute(_CREATE_SELECTED)
    connection.execute(text("TRUNCATE selected_receipts"))
    connection.execute(_SELECT, _arrays(store_days))
    connection.execute(text("ANALYZE selected_receipts"))
    return batch_of(
        copy_out(connection, _RECEIPTS),
        copy_out(connection, _LINES),
        copy_out(connection, _TENDERS),
    )


def _arrays(store_days: Collection[StoreDay]) -> dict[str, list[object]]:
    return {
        "dates": [day.business_date for day in store_days],
        "store_ids": [day.store_id for day in store_days],
    }


def _write_lines_and_tenders(connection: Connection, batch: ReceiptBatch) -> None:
    written = copy_out(connection, "SELECT receipt_key, receipt_id FROM written_receipts")
    copy_in(
        connection,
        "receipt_lines "
        "(receipt_id, line_no, category, tax_code, net_minor, tax_minor, discount_minor)",
        lines_of(batch, written),
    )
    copy_in(
        connection,
        "receipt_tenders (receipt_id, tender_no, tender, amount_minor)",
        tenders_of(batch, written),
    )
