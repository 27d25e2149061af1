"""Receipts as three frames: the one shape every source produces and the totals consume.

receipts
    receipt_key     int64                unique in the batch; lines and tenders point at it
    store_id        str                  the store's id in Daybook
    receipt_id_pos  str                  the point of sale's id, unique per store
    sold_at         datetime64[us, UTC]  when it happened at the till
    updated_at      datetime64[us, UTC]  when the source last changed it; the newest version wins
    currency        str                  ISO 4217
    is_refund       bool                 money went back to the customer
    is_voided       bool                 cancelled: counted, never summed

lines
    receipt_key     int64
    line_no         int32                position on the receipt, from 1
    category        str                  what the mapping turns into an account
    tax_code        str                  the source's own name of the tax
    net_minor       int64                after discounts, before tax, in minor units
    tax_minor       int64                the source's own tax, never recomputed
    discount_minor  int64                already taken off net_minor; for information

tenders
    receipt_key     int64
    tender_no       int32                position on the receipt, from 1
    tender          str                  how it was paid, as the source names it
    amount_minor    int64

Refunds are negative everywhere. Service charge, tips, rounding and gift cards sold are lines
with a category of their own, so that for every receipt: sum of net + tax = sum of tenders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

RECEIPT_COLUMNS: Final = (
    "receipt_key",
    "store_id",
    "receipt_id_pos",
    "sold_at",
    "updated_at",
    "currency",
    "is_refund",
    "is_voided",
)
LINE_COLUMNS: Final = (
    "receipt_key",
    "line_no",
    "category",
    "tax_code",
    "net_minor",
    "tax_minor",
    "discount_minor",
)
TENDER_COLUMNS: Final = ("receipt_key", "tender_no", "tender", "amount_minor")


@dataclass(frozen=True, slots=True)
class ReceiptBatch:
    """Some receipts with their lines and tenders, in the columns above."""

    receipts: pd.DataFrame
    lines: pd.DataFrame
    tenders: pd.DataFrame
