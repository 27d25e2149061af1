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

A str column may be categorical, which is smaller and faster. Refunds are negative everywhere.
Service charge, tips, rounding and gift cards sold are lines with a category of their own,
so that for every receipt the sum of net and tax is the sum of tenders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

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

# What is not named here is str.
_TYPES: Final = {
    "receipt_key": "int64",
    "sold_at": "datetime64[us, UTC]",
    "updated_at": "datetime64[us, UTC]",
    "is_refund": "bool",
    "is_voided": "bool",
    "line_no": "int32",
    "tender_no": "int32",
    "net_minor": "int64",
    "tax_minor": "int64",
    "discount_minor": "int64",
    "amount_minor": "int64",
}


@dataclass(frozen=True, slots=True)
class ReceiptBatch:
    """Some receipts with their lines and tenders, in the columns above."""

    receipts: pd.DataFrame
    lines: pd.DataFrame
    tenders: pd.DataFrame


def joined(batches: Sequence[ReceiptBatch]) -> ReceiptBatch:
    """One batch of all receipts, with new keys; no batches give an empty one."""
    parts, next_key = [], 0
    for batch in batches:
        shift = next_key - (int(batch.receipts["receipt_key"].min()) if len(batch.receipts) else 0)
        parts.append(_shifted(batch, shift))
        if len(batch.receipts):
            next_key = int(batch.receipts["receipt_key"].max()) + shift + 1
    if not parts:
        return empty()
    return ReceiptBatch(
        receipts=_stacked([part.receipts for part in parts]),
        lines=_stacked([part.lines for part in parts]),
        tenders=_stacked([part.tenders for part in parts]),
    )


def empty() -> ReceiptBatch:
    """A batch without receipts."""
    return ReceiptBatch(
        receipts=pd.DataFrame(
            {name: pd.Series(dtype=_TYPES.get(name, "str")) for name in RECEIPT_COLUMNS}
        ),
        lines=pd.DataFrame(
            {name: pd.Series(dtype=_TYPES.get(name, "str")) for name in LINE_COLUMNS}
        ),
        tenders=pd.DataFrame(
            {name: pd.Series(dtype=_TYPES.get(name, "str")) for name in TENDER_COLUMNS}
        ),
    )


def _shifted(batch: ReceiptBatch, shift: int) -> ReceiptBatch:
    receipts, lines, tenders = (
        rows.assign(receipt_key=rows["receipt_key"] + shift)
        for rows in (batch.receipts, batch.lines, batch.tenders)
    )
    return ReceiptBatch(receipts, lines, tenders)


def _stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all frames; categories are joined first, or pandas would widen them to text."""
    names = [name for name in frames[0] if isinstance(frames[0][name].dtype, pd.CategoricalDtype)]
    for name in names:
        if all(isinstance(frame[name].dtype, pd.CategoricalDtype) for frame in frames):
            united = pd.api.types.union_categoricals([frame[name] for frame in frames]).categories
            frames = [
                frame.assign(**{str(name): frame[name].cat.set_categories(united)})
                for frame in frames
            ]
    return pd.concat(frames, ignore_index=True)
