"""Receipts as Qashier's files tell them, and their way into the frames."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass fields
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from daybook.sales.frames import LINE_COLUMNS, RECEIPT_COLUMNS, TENDER_COLUMNS, ReceiptBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daybook.sales.store import Store, StoreDay

SALES: Final = "Sales"
NO_TAX: Final = "No tax"

_AT: Final = "datetime64[us, UTC]"
_RECEIPT_TYPES: Final = {
    "receipt_key": "int64",
    "store_id": "str",
    "receipt_id_pos": "str",
    "sold_at": _AT,
    "updated_at": _AT,
    "currency": "str",
    "is_refund": "bool",
    "is_voided": "bool",
}
_LINE_TYPES: Final = {
    "receipt_key": "int64",
    "line_no": "int32",
    "category": "str",
    "tax_code": "str",
    "net_minor": "int64",
    "tax_minor": "int64",
    "discount_minor": "int64",
}
_TENDER_TYPES: Final = {
    "receipt_key": "int64",
    "tender_no": "int32",
    "tender": "str",
    "amount_minor": "int64",
}


@dataclass(frozen=True, slots=True)
class SoldLine:
    """What was sold; minor units, `discount_minor` is already off `net_minor`."""

    category: str
    tax_code: str
    net_minor: int
    tax_minor: int = 0
    discount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Paid:
    """What one tender took in, in minor units."""

    tender: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class SoldReceipt:
    """One receipt of a store; `sold_at` is aware UTC."""

    receipt_id_pos: str
    sold_at: dt.datetime
    lines: tuple[SoldLine, ...] = ()
    tenders: tuple[Paid, ...] = ()
    is_voided: bool = False

    @property
    def total_minor(self) -> int:
        """What it came to, tax included."""
        return sum(line.net_minor + line.tax_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class DayReceipts:
    """All receipts of one store on one date, as the newest files have them.

    `is_proven` where a report's own sums say that they are all.
    """

    store_day: StoreDay
    store: Store
    updated_at: dt.datetime
    receipts: tuple[SoldReceipt, ...]
    is_proven: bool = True


def receipt_batch(days: Sequence[DayReceipts]) -> ReceiptBatch:
    """The days in the columns of the frames."""
    keyed = list(enumerate((day, receipt) for day in days for receipt in day.receipts))
    receipts = [
        (
            key,
            day.store.store_id,
            receipt.receipt_id_pos,
            receipt.sold_at,
            day.updated_at,
            day.store.currency,
            receipt.total_minor < 0,
            receipt.is_voided,
        )
        for key, (day, receipt) in keyed
    ]
    lines = [
        (
            key,
            number,
            line.category,
            line.tax_code,
            line.net_minor,
            line.tax_minor,
            line.discount_minor,
        )
        for key, (_, receipt) in keyed
        for number, line in enumerate(receipt.lines, 1)
    ]
    tenders = [
        (key, number, paid.tender, paid.amount_minor)
        for key, (_, receipt) in keyed
        for number, paid in enumerate(receipt.tenders, 1)
    ]
    return ReceiptBatch(
        receipts=pd.DataFrame(receipts, columns=list(RECEIPT_COLUMNS)).astype(_RECEIPT_TYPES),
        lines=pd.DataFrame(lines, columns=list(LINE_COLUMNS)).astype(_LINE_TYPES),
        tenders=pd.DataFrame(tenders, columns=list(TENDER_COLUMNS)).astype(_TENDER_TYPES),
    )


def shares(amount: int, weights: Sequence[int]) -> list[int]:
    """The amount split in proportion to the weights, to the last unit.

    Each share is rounded down; the units left over go to the largest remainders, the first of
    equals first. The weights may not come to nothing unless the amount does.
    """
    whole = sum(weights)
    assert whole or not amount, "nothing to share the amount over"
    if not whole:
        return [0] * len(weights)
    parts = [divmod(amount * weight, whole) for weight in weights]
    result = [part for part, _ in parts]
    # A remainder has the sign of the whole, so the largest fraction is the largest magnitude.
    order = sorted(range(len(parts)), key=lambda place: -abs(parts[place][1]))
    for place in order[: amount - sum(result)]:
        result[place] += 1
    return result
