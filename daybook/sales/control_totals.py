"""Control totals: sums that must agree at two independent points.

The daily totals come from dense integer codes over all rows at once. Here the same figures are
added up another way, receipt by receipt, and compared per store-day and currency:

receipts    how many there are, voided ones included
lines       net and tax of the receipts' lines
tenders     what the receipts' tenders took in
balance     what customers owed and what they paid
receipt     the same of each receipt, where the day as a whole agrees by luck
dates       receipts that the store's clock now puts on another day (checked where they are read)

A difference is a value with the receipts that explain it; nothing is patched, nothing is raised.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from daybook.sales.daily_totals import receipt_dates
from daybook.sales.dense_codes import sorted_codes
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daybook.sales.daily_total import DailyTotal
    from daybook.sales.frames import ReceiptBatch
    from daybook.sales.store import Store

Control = Literal["receipts", "lines", "tenders", "balance", "receipt", "dates"]

_NAMED_RECEIPTS_MAX: Final = 20
_DAY: Final = ["business_date", "store_id", "currency"]

_Key = tuple[dt.date, str, str]


@dataclass(frozen=True, slots=True)
class ControlFailure:
    """Two figures that should be one; minor units, or numbers of receipts."""

    store_day: StoreDay
    currency: str
    control: Control
    expected: int
    found: int
    receipt_ids_pos: tuple[str, ...] = ()
    receipt_count: int = 0


@dataclass(frozen=True, slots=True)
class _Figures:
    """What is compared, of one store-day in one currency."""

    receipts: int = 0
    lines: int = 0
    tenders: int = 0


def control_failures(
    batch: ReceiptBatch, stores: Sequence[Store], totals: Iterable[DailyTotal]
) -> list[ControlFailure]:
    """Every control total of these receipts' daily totals that does not agree, in day order."""
    receipts = _receipt_sums(batch, stores)
    unbalanced = _unbalanced(receipts)
    expected = _expected(receipts)
    found = {(one.business_date, one.store_id, one.currency): _found(one) for one in totals}
    failures: list[ControlFailure] = []
    for key in sorted(expected.keys() | found.keys()):
        there = found.get(key, _Figures())
        failures += _differences(key, expected.get(key, _Figures()), there)
        failures += _imbalance(key, there, unbalanced.get(key, []))
    return failures


def _receipt_sums(batch: ReceiptBatch, stores: Sequence[Store]) -> pd.DataFrame:
    """The newest version of each receipt with its own sums and business date."""
    receipts = batch.receipts.reset_index(drop=True)
    newest = receipts.sort_values("updated_at", kind="stable").drop_duplicates(
        ["store_id", "receipt_id_pos"], keep="last"
    )
    store_codes, store_ids = sorted_codes(newest["store_id"])
    dates = receipt_dates(newest["sold_at"], store_codes, store_ids, stores=stores)
    owed = batch.lines.groupby("receipt_key")[["net_minor", "tax_minor"]].sum().sum(axis=1)
    paid = batch.tenders.groupby("receipt_key")["amount_minor"].sum()
    is_final = (~newest["is_voided"].to_numpy(dtype=bool)).astype(np.int64)
    keys = newest["receipt_key"]
    return pd.DataFrame(
        {
            "business_date": dates.astype("datetime64[s]"),
            "store_id": newest["store_id"].astype("str").to_numpy(),
            "currency": newest["currency"].astype("str").to_numpy(),
            "receipt_id_pos": newest["receipt_id_pos"].to_numpy(),
            "owed": owed.reindex(keys, fill_value=0).to_numpy() * is_final,
            "paid": paid.reindex(keys, fill_value=0).to_numpy() * is_final,
        }
    )


def _expected(receipts: pd.DataFrame) -> dict[_Key, _Figures]:
    sums = receipts.groupby(_DAY, sort=False).agg(
        count=("owed", "size"), owed=("owed", "sum"), paid=("paid", "sum")
    )
    figures = map(_Figures, sums["count"].to_list(), sums["owed"].to_list(), sums["paid"].to_list())
    return dict(zip(_keys(sums.reset_index()), figures, strict=True))


def _unbalanced(receipts: pd.DataFrame) -> dict[_Key, list[str]]:
    """The receipts whose tenders are not what they cost, by store-day."""
    odd = receipts[receipts["owed"] != receipts["paid"]].sort_values("receipt_id_pos")
    found: dict[_Key, list[str]] = {}
    for key, receipt_id_pos in zip(_keys(odd), odd["receipt_id_pos"], strict=True):
        found.setdefault(key, []).append(receipt_id_pos)
    return found


def _keys(rows: pd.DataFrame) -> list[_Key]:
    return list(
        zip(
            rows["business_date"].dt.date,
            rows["store_id"].to_list(),
            rows["currency"].to_list(),
            strict=True,
        )
    )


def _found(total: DailyTotal) -> _Figures:
    return _Figures(
        receipts=total.receipt_count + total.voided_count,
        lines=total.total_minor,
        tenders=total.tender_minor,
    )


def _differences(key: _Key, expected: _Figures, found: _Figures) -> list[ControlFailure]:
    """What was lost or gained between the receipts and the total."""
    date, store_id, currency = key
    compared: tuple[tuple[Control, int, int], ...] = (
        ("receipts", expected.receipts, found.receipts),
        ("lines", expected.lines, found.lines),
        ("tenders", expected.tenders, found.tenders),
    )
    return [
        ControlFailure(StoreDay(date, store_id), currency, control, wanted, there)
        for control, wanted, there in compared
        if wanted != there
    ]


def _imbalance(key: _Key, found: _Figures, receipt_ids: list[str]) -> list[ControlFailure]:
    """What customers owed against what they paid, with the receipts that make the difference."""
    if not receipt_ids and found.lines == found.tenders:
        return []
    date, store_id, currency = key
    return [
        ControlFailure(
            StoreDay(date, store_id),
            currency,
            "receipt" if found.lines == found.tenders else "balance",
            found.lines,
            found.tenders,
            tuple(receipt_ids[:_NAMED_RECEIPTS_MAX]),
            len(receipt_ids),
        )
    ]
