"""Receipts to daily totals: one vectorised pass over all stores, in int64 minor units.

The rule: of each receipt (store, id) only the newest version counts, the later row if two are
equally new; voided receipts are counted and not summed; the business date comes from the store's
time zone and cut-off. Lines are summed by category, tax code and direction, tenders by tender and
direction. The order of the rows does not matter, except between equally new versions.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import pandas as pd

from daybook.sales.business_date import business_dates
from daybook.sales.daily_total import CategoryTotal, DailyTotal, TenderTotal
from daybook.sales.dense_codes import check_magnitude, compress, locator, sorted_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from daybook.sales.dense_codes import Locator
    from daybook.sales.frames import ReceiptBatch
    from daybook.sales.store import Store

_BLOCK_ROWS: Final = 1 << 18
_DENSE_SIZE_MAX: Final = 1 << 24

_Part = TypeVar("_Part", CategoryTotal, TenderTotal)


@dataclass(frozen=True, slots=True)
class TotalFrames:
    """Daily totals as frames, each sorted.

    days: store_id, business_date (datetime64[D] array), currency, receipt_count (sales and
    refunds), refund_count, voided_count. categories and tenders: `day_no` is the row in `days`,
    then the fields of CategoryTotal and TenderTotal.
    """

    days: pd.DataFrame
    categories: pd.DataFrame
    tenders: pd.DataFrame


@dataclass(frozen=True, slots=True)
class StoreDays:
    """The distinct store-days, and per receipt the bucket (day x direction) it sums into."""

    frame: pd.DataFrame
    bucket: NDArray[np.int64]
    trash_bucket: int


def daily_totals(batch: ReceiptBatch, stores: Sequence[Store]) -> list[DailyTotal]:
    """The daily totals of the receipts, by business date, store and currency."""
    frames = total_frames(batch, stores)
    days = frames.days
    categories = _grouped(frames.categories, CategoryTotal, len(days))
    tenders = _grouped(frames.tenders, TenderTotal, len(days))
    columns = (
        days["store_id"].to_list(),
        days["business_date"].dt.date,
        days["currency"].to_list(),
        days["receipt_count"].to_list(),
        days["refund_count"].to_list(),
        days["voided_count"].to_list(),
    )
    return list(map(DailyTotal, *columns, categories, tenders))


def total_frames(batch: ReceiptBatch, stores: Sequence[Store]) -> TotalFrames:
    """The full rule over frames; what `daily_totals` wraps into values."""
    days = days_of(batch.receipts, stores)
    locate = locator(batch.receipts["receipt_key"].to_numpy())
    return TotalFrames(
        days=days.frame,
        categories=category_sums(batch.lines, days, locate),
        tenders=_sums(
            batch.tenders, days, locate, names=("tender",), amounts=("amount_minor",)
        ).rename(columns={"row_count": "tender_count"}),
    )


def category_sums(lines: pd.DataFrame, days: StoreDays, locate: Locator) -> pd.DataFrame:
    """The lines by day, category, tax code and direction: the categories of `TotalFrames`."""
    return _sums(
        lines,
        days,
        locate,
        names=("category", "tax_code"),
        amounts=("net_minor", "tax_minor"),
    ).rename(columns={"row_count": "line_count"})


def newest_rows(receipts: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows hold the newest version of their receipt; the later row wins a tie."""
    id_codes, ids = pd.factorize(receipts["receipt_id_pos"])
    if len(ids) == len(receipts):
        return np.ones(len(receipts), dtype=bool)
    store_codes, store_ids = sorted_codes(receipts["store_id"])
    versions = pd.DataFrame(
        {
            "receipt": id_codes.astype(np.int64) * len(store_ids) + store_codes,
            "updated_at": receipts["updated_at"].to_numpy(dtype="datetime64[us]"),
        }
    )
    repeated = versions[versions.duplicated("receipt", keep=False)]
    newest = repeated.sort_values("updated_at", kind="stable").drop_duplicates(
        "receipt", keep="last"
    )
    is_newest = np.ones(len(receipts), dtype=bool)
    is_newest[repeated.index.to_numpy()] = False
    is_newest[newest.index.to_numpy()] = True
    return is_newest


def days_of(receipts: pd.DataFrame, stores: Sequence[Store]) -> StoreDays:
    """Dates the newest version of each receipt, and counts them by day."""
    is_newest = newest_rows(receipts)
    store_codes, store_ids = sorted_codes(receipts["store_id"])
    currency_codes, currencies = sorted_codes(receipts["currency"])
    dates = receipt_dates(receipts["sold_at"], store_codes, store_ids, stores=stores).view(np.int64)
    first_date = int(dates.min()) if len(dates) else 0
    date_count = int(dates.max()) - first_date + 1 if len(dates) else 0
    code = (dates - first_date) * len(store_ids) + store_codes
    code = code * len(currencies) + currency_codes
    day_no, present = compress(code[is_newest], date_count * len(store_ids) * len(currencies))

    is_refund = receipts["is_refund"].to_numpy(dtype=bool)[is_newest]
    is_voided = receipts["is_voided"].to_numpy(dtype=bool)[is_newest]
    trash_bucket = 2 * len(present)
    bucket = np.full(len(receipts), trash_bucket, dtype=np.int64)
    bucket[is_newest] = np.where(is_voided, trash_bucket, 2 * day_no + is_refund)
    rest, currency_code = np.divmod(present, max(len(currencies), 1))
    date_code, store_code = np.divmod(rest, max(len(store_ids), 1))
    frame = pd.DataFrame(
        {
            "store_id": np.array(store_ids, dtype=object)[store_code],
            "business_date": (date_code + first_date)
            .astype("datetime64[D]")
            .astype("datetime64[s]"),
            "currency": np.array(currencies, dtype=object)[currency_code],
            "receipt_count": np.bincount(day_no[~is_voided], minlength=len(present)),
            "refund_count": np.bincount(day_no[is_refund & ~is_voided], minlength=len(present)),
            "voided_count": np.bincount(day_no[is_voided], minlength=len(present)),
        }
    )
    return StoreDays(frame=frame, bucket=bucket, trash_bucket=trash_bucket)


def receipt_dates(
    sold_at: pd.Series[pd.Timestamp],
    store_codes: NDArray[np.int64],
    store_ids: Sequence[str],
    *,
    stores: Sequence[Store],
) -> NDArray[np.datetime64]:
    """The business date (datetime64[D]) of each receipt, by its own store's clock."""
    clock_of = {store.store_id: (store.time_zone, store.cutoff) for store in stores}
    clocks = [clock_of[store_id] for store_id in store_ids]
    distinct = sorted(set(clocks))
    if len(distinct) == 1:
        return business_dates(sold_at, *distinct[0])
    clock_codes = np.array([distinct.index(clock) for clock in clocks], dtype=np.int64)[store_codes]
    dates = np.empty(len(sold_at), dtype="datetime64[D]")
    for number, (time_zone, cutoff) in enumerate(distinct):
        is_here = clock_codes == number
        dates[is_here] = business_dates(sold_at[is_here], time_zone, cutoff)
    return dates


def _sums(
    rows: pd.DataFrame,
    days: StoreDays,
    locate: Locator,
    *,
    names: tuple[str, ...],
    amounts: tuple[str, ...],
) -> pd.DataFrame:
    """Sums of the amounts by day, direction and names, in that order; voids left out."""
    name_code, combinations = _joint_codes(rows, names)
    keys = rows["receipt_key"].to_numpy()
    columns = {amount: rows[amount].to_numpy() for amount in amounts}
    for column in columns.values():
        check_magnitude(column)

    def row_codes(block: slice) -> NDArray[np.int64]:
        return days.bucket.take(locate(keys[block])) * len(combinations) + name_code[block]

    size = (days.trash_bucket + 1) * len(combinations)
    codes: Callable[[slice], NDArray[np.int64]] = row_codes
    occurring = None
    if size > _DENSE_SIZE_MAX:
        renumbered, occurring = compress(codes(slice(None)), size)
        codes = renumbered.__getitem__
        size = len(occurring)
    row_count, sums = _block_sums(codes, columns, size, len(rows))

    present = np.flatnonzero(row_count)
    code = present if occurring is None else occurring[present]
    is_summed = code < days.trash_bucket * len(combinations)
    present, code = present[is_summed], code[is_summed]
    bucket, name_no = np.divmod(code, max(len(combinations), 1))
    return pd.DataFrame(
        {"day_no": bucket // 2}
        | {name: combinations[name].to_numpy()[name_no] for name in names}
        | {"is_refund": bucket % 2 == 1}
        | {amount: column[present] for amount, column in sums.items()}
        | {"row_count": row_count[present]}
    )


def _block_sums(
    codes: Callable[[slice], NDArray[np.int64]],
    columns: dict[str, NDArray[np.int64]],
    size: int,
    row_count: int,
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.int64]]]:
    """Per code in [0, size) the number of rows and the sum of each column."""
    counted = np.zeros(size, dtype=np.int64)
    sums = {name: np.zeros(size, dtype=np.int64) for name in columns}
    # Blocks keep the temporary arrays in the processor's cache and the memory flat.
    for start in range(0, row_count, _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        code = codes(block)
        np.add.at(counted, code, 1)
        for name, column in columns.items():
            np.add.at(sums[name], code, column[block])
    return counted, sums


def _joint_codes(
    rows: pd.DataFrame, names: tuple[str, ...]
) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """One code per row for its combination of names, and the combinations in sorted order."""
    code, size = np.zeros(len(rows), dtype=np.int64), 1
    values: list[list[str]] = []
    for name in names:
        name_code, name_values = sorted_codes(rows[name])
        code = code * len(name_values) + name_code if values else name_code
        size *= len(name_values)
        values.append(name_values)
    joint, present = compress(code, size)
    combinations = {}
    for name, name_values in zip(reversed(names), reversed(values), strict=True):
        present, index = np.divmod(present, max(len(name_values), 1))
        combinations[name] = np.array(name_values, dtype=object)[index]
    return joint, pd.DataFrame(combinations)


def _grouped(frame: pd.DataFrame, part: type[_Part], day_count: int) -> list[tuple[_Part, ...]]:
    """The frame's rows as values, one tuple per day."""
    day_no = frame["day_no"].to_numpy()
    columns = [frame[field.name].to_list() for field in fields(part)]
    parts = list(map(part, *columns))
    ends: list[int] = np.searchsorted(day_no, np.arange(day_count), side="right").tolist()
    return [tuple(parts[start:end]) for start, end in pairwise([0, *ends])]
