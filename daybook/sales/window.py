"""The part of a batch that belongs to some stores and business dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from daybook.sales.daily_totals import receipt_dates
from daybook.sales.dense_codes import sorted_codes
from daybook.sales.frames import ReceiptBatch
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from daybook.sales.store import Store


def within(
    batch: ReceiptBatch, stores: Sequence[Store], first_date: dt.date, last_date: dt.date
) -> ReceiptBatch:
    """The receipts of these stores with a business date in the window, lines and tenders too."""
    is_asked = batch.receipts["store_id"].isin([store.store_id for store in stores]).to_numpy()
    receipts = batch.receipts if is_asked.all() else batch.receipts[is_asked]
    codes, store_ids = sorted_codes(receipts["store_id"].astype("str"))
    dates = receipt_dates(receipts["sold_at"], codes, store_ids, stores=stores)
    is_inside = (dates >= np.datetime64(first_date)) & (dates <= np.datetime64(last_date))
    if is_asked.all() and is_inside.all():
        return batch
    receipts = receipts[is_inside]
    keys = receipts["receipt_key"]
    return ReceiptBatch(
        receipts=receipts,
        lines=batch.lines[batch.lines["receipt_key"].isin(keys)],
        tenders=batch.tenders[batch.tenders["receipt_key"].isin(keys)],
    )


def store_days_of(batch: ReceiptBatch, stores: Sequence[Store]) -> set[StoreDay]:
    """The store-days of which the batch has any receipt; all of them of these stores."""
    codes, store_ids = sorted_codes(batch.receipts["store_id"].astype("str"))
    dates = receipt_dates(batch.receipts["sold_at"], codes, store_ids, stores=stores)
    pairs = set(zip(dates.astype("datetime64[D]").tolist(), codes.tolist(), strict=True))
    return {StoreDay(date, str(store_ids[code])) for date, code in pairs}
