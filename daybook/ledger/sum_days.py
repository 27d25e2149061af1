"""Which store-days the ledger knows by a report's sums alone, not sale by sale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection


def sum_days(connection: Connection, receipt_ids: Mapping[StoreDay, str]) -> set[StoreDay]:
    """Those store-days whose report stands in the ledger as a receipt of this id."""
    days = list(receipt_ids)
    values = {
        "dates": [day.business_date for day in days],
        "stores": [day.store_id for day in days],
        "ids": [receipt_ids[day] for day in days],
    }
    return {StoreDay(row.business_date, row.store_id) for row in connection.execute(_QUERY, values)}


_QUERY: Final = text("""
    SELECT r.business_date, r.store_id FROM receipts r
    JOIN unnest(CAST(:dates AS date[]), CAST(:stores AS text[]), CAST(:ids AS text[]))
        AS w(business_date, store_id, receipt_id_pos)
      USING (business_date, store_id, receipt_id_pos)
    WHERE NOT r.is_voided
""")
