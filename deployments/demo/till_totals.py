"""What the tills took, added up from the source files a second time and in another way.

The daily totals come from receipt lines through pandas; these come from the tenders through Arrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from deployments.demo.complete_journey import TIME_ZONE

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path


def till_totals(
    receipts: Path, first_date: dt.date, last_date: dt.date
) -> dict[tuple[dt.date, str], int]:
    """Cents taken per business date and store; a store-day without a receipt is absent."""
    sold = _read(receipts / "receipts", "sold_at")
    local = pc.local_timestamp(sold["sold_at"].cast(pa.timestamp("us", tz=TIME_ZONE)))
    dated = sold.drop_columns(["sold_at"]).append_column("date", local.cast("date32"))
    tenders = _read(receipts / "tenders", "amount_minor")
    joined = dated.join(tenders, ["store_id", "receipt_id_pos"])
    sums = joined.group_by(["date", "store_id"]).aggregate([("amount_minor", "sum")])
    return {
        (row["date"], row["store_id"]): row["amount_minor_sum"] or 0
        for row in sums.to_pylist()
        if first_date <= row["date"] <= last_date
    }


def _read(folder: Path, column: str) -> pa.Table:
    """A column with its receipt's key; plain text, since parts have dictionaries of their own."""
    table = ds.dataset(folder).to_table(columns=["store_id", "receipt_id_pos", column])
    return table.set_column(0, "store_id", table["store_id"].cast(pa.string()))
