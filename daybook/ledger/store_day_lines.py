"""What the ledger knows of each store-day, one line each: the table people look at after a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import text

from daybook.ledger.documents import pairs
from daybook.posting.holds import Hold
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from daybook.ledger.store_days import StoreDayState


@dataclass(frozen=True, slots=True)
class StoreDayLine:
    """One store-day in one currency; sums are minor units, each from its own table.

    `receipts_minor` is summed from the receipts' own lines; `total_minor` is the daily total;
    `documents_minor` is what invoices less credit notes come to, `paid_minor` what payments do.
    """

    store_day: StoreDay
    store_name: str
    organisation_id: int | None
    currency: str
    state: StoreDayState
    holds: tuple[Hold, ...]
    receipt_count: int
    tender_count: int
    receipts_minor: int
    total_minor: int
    documents_minor: int
    paid_minor: int
    has_credit_note: bool
    numbers: tuple[str, ...]
    ids_xero: tuple[str, ...]


def store_day_lines(connection: Connection, store_days: Collection[StoreDay]) -> list[StoreDayLine]:
    """The lines of these store-days, by date and store; a store-day never looked at has none."""
    return [
        StoreDayLine(
            store_day=StoreDay(row.business_date, row.store_id),
            store_name=row.store_name,
            organisation_id=row.organisation_id,
            currency=row.currency,
            state=row.state,
            holds=msgspec.json.decode(row.holds, type=tuple[Hold, ...]),
            receipt_count=row.receipt_count,
            tender_count=row.tender_count,
            receipts_minor=row.receipts_minor,
            total_minor=row.total_minor,
            documents_minor=row.documents_minor,
            paid_minor=row.paid_minor,
            has_credit_note=row.has_credit_note,
            numbers=tuple(row.numbers),
            ids_xero=tuple(row.ids_xero),
        )
        for row in connection.execute(_LINES, pairs(store_days))
    ]


_LINES = text("""
    WITH wanted AS MATERIALIZED (
        SELECT s.business_date, s.store_id, s.state, s.holds, st.name AS store_name,
            st.organisation_id, st.currency AS store_currency
        FROM store_days s
        JOIN unnest(CAST(:dates AS date[]), CAST(:stores AS text[])) AS w(business_date, store_id)
          USING (business_date, store_id)
        JOIN stores st USING (store_id)
    ), sold AS (
        SELECT r.business_date, r.store_id, r.currency, sum(l.net_minor + l.tax_minor) AS minor
        FROM wanted w
        JOIN receipts r USING (business_date, store_id)
        JOIN receipt_lines l ON l.receipt_id = r.id
        WHERE NOT r.is_voided
        GROUP BY r.business_date, r.store_id, r.currency
    ), written AS (
        SELECT d.business_date, d.store_id, d.currency,
            COALESCE(sum(CASE d.kind WHEN 'invoice' THEN d.total_minor
                WHEN 'credit_note' THEN -d.total_minor END), 0) AS documents_minor,
            COALESCE(sum(CASE WHEN d.kind <> 'payment' THEN NULL WHEN p.kind = 'invoice'
                THEN d.total_minor ELSE -d.total_minor END), 0) AS paid_minor,
            count(*) FILTER (WHERE d.kind = 'payment') AS tender_count,
            bool_or(d.kind = 'credit_note') AS has_credit_note,
            COALESCE(array_agg(d.number ORDER BY d.number)
                FILTER (WHERE d.number IS NOT NULL), '{}') AS numbers,
            COALESCE(array_agg(d.id_xero ORDER BY d.number)
                FILTER (WHERE d.number IS NOT NULL AND d.id_xero IS NOT NULL), '{}') AS ids_xero
        FROM wanted w
        JOIN documents d USING (business_date, store_id)
        LEFT JOIN documents p ON p.id = d.parent_id
        GROUP BY d.business_date, d.store_id, d.currency
    )
    SELECT w.business_date, w.store_id, w.store_name, w.organisation_id, w.state,
        CAST(w.holds AS text) AS holds,
        COALESCE(t.currency, w.store_currency) AS currency,
        COALESCE(t.receipt_count, 0) AS receipt_count,
        COALESCE(written.tender_count, 0) AS tender_count,
        CAST(COALESCE(sold.minor, 0) AS bigint) AS receipts_minor,
        COALESCE(t.total_minor, 0) AS total_minor,
        CAST(COALESCE(written.documents_minor, 0) AS bigint) AS documents_minor,
        CAST(COALESCE(written.paid_minor, 0) AS bigint) AS paid_minor,
        COALESCE(written.has_credit_note, false) AS has_credit_note,
        COALESCE(written.numbers, '{}') AS numbers,
        COALESCE(written.ids_xero, '{}') AS ids_xero
    FROM wanted w
    LEFT JOIN daily_totals t ON t.business_date = w.business_date AND t.store_id = w.store_id
        AND t.is_current
    LEFT JOIN sold ON sold.business_date = w.business_date AND sold.store_id = w.store_id
        AND sold.currency = t.currency
    LEFT JOIN written ON written.business_date = w.business_date
        AND written.store_id = w.store_id AND written.currency = t.currency
    ORDER BY w.business_date, w.store_id, currency
""")
