"""A 64-bit hash of each receipt with its lines and tenders, to tell changed from unchanged.

It depends on nothing but the content: not on the order of rows, the batch, the library's version
or the process. `updated_at` is not part of it: a source may touch a receipt and change nothing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from daybook.sales.dense_codes import locator, sorted_codes

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from daybook.sales.dense_codes import Locator
    from daybook.sales.frames import ReceiptBatch

# Odd constants of the splitmix64 generator, which spread every input bit over the word.
_FACTOR_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_FACTOR_2: Final = np.uint64(0x94D049BB133111EB)
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)

_NAMES: Final = frozenset({"category", "tax_code", "tender", "currency"})
_RECEIPT_FIELDS: Final = ("sold_at", "currency", "is_refund", "is_voided")
_LINE_FIELDS: Final = (
    "line_no",
    "category",
    "tax_code",
    "net_minor",
    "tax_minor",
    "discount_minor",
)
_TENDER_FIELDS: Final = ("tender_no", "tender", "amount_minor")


def receipt_hashes(batch: ReceiptBatch, dates: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """One hash per row of `batch.receipts`; its business date (datetime64[D]) is part of it."""
    locate = locator(batch.receipts["receipt_key"].to_numpy())
    state = _row_hashes(batch.receipts, _RECEIPT_FIELDS)
    state = _mixed(state, dates.astype("datetime64[D]").view(np.uint64))
    state = _mixed(state, _child_hashes(batch.lines, _LINE_FIELDS, locate, len(state)))
    state = _mixed(state, _child_hashes(batch.tenders, _TENDER_FIELDS, locate, len(state)))
    return state.view(np.int64)


def _child_hashes(
    rows: pd.DataFrame, names: tuple[str, ...], locate: Locator, size: int
) -> NDArray[np.uint64]:
    """The sum of the rows' hashes per receipt: their order does not matter, their number does."""
    sums = np.zeros(size, dtype=np.uint64)
    np.add.at(sums, locate(rows["receipt_key"].to_numpy()), _row_hashes(rows, names))
    return sums


def _row_hashes(rows: pd.DataFrame, names: tuple[str, ...]) -> NDArray[np.uint64]:
    state = np.full(len(rows), _STEP, dtype=np.uint64)
    for name in names:
        state = _mixed(state, _words(rows[name], is_name=name in _NAMES))
    return state


def _words(values: pd.Series[Any], *, is_name: bool) -> NDArray[np.uint64]:
    if is_name:
        codes, names = sorted_codes(values)
        digests = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names]
        return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)[codes]
    if values.dtype.kind == "M":
        return values.to_numpy(dtype="datetime64[us]").view(np.uint64)
    return values.to_numpy().astype(np.int64, copy=False).view(np.uint64)


def _mixed(state: NDArray[np.uint64], words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Stir the words into the state; unsigned arithmetic wraps around, as it should."""
    state = (state + _STEP) ^ words
    state = (state ^ (state >> np.uint64(30))) * _FACTOR_1
    state = (state ^ (state >> np.uint64(27))) * _FACTOR_2
    mixed: NDArray[np.uint64] = state ^ (state >> np.uint64(31))
    return mixed
