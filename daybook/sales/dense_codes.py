"""Values to small dense integers, so that grouping is array indexing and sums stay int64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd

from daybook.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Positions = NDArray[np.int32] | NDArray[np.int64] | NDArray[np.intp]
    Locator = Callable[[NDArray[np.int64]], Positions]

_LOOKUP_SLACK: Final = 1_000_000
_LOOKUP_FACTOR: Final = 8
_INT64_MAX: Final = 2**63 - 1


def sorted_codes(values: pd.Series[Any]) -> tuple[NDArray[np.int64], list[str]]:
    """Each value's position among the distinct values, and these in sorted order."""
    codes, names = _codes(values)
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    return rank[codes], [names[index] for index in order]


def compress(codes: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Codes in [0, size) renumbered without gaps in the same order, and the codes that occur."""
    if size > _LOOKUP_FACTOR * len(codes) + _LOOKUP_SLACK:
        present, renumbered = np.unique(codes, return_inverse=True)
        return renumbered.astype(np.int64, copy=False), present
    is_present = np.zeros(size, dtype=bool)
    is_present[codes] = True
    rank = np.cumsum(is_present) - 1
    return rank[codes], np.flatnonzero(is_present)


def locator(keys: NDArray[np.int64]) -> Locator:
    """A function that tells where keys stand among these distinct ones; all must be there."""
    low, high = (int(keys.min()), int(keys.max())) if len(keys) else (0, -1)
    if high - low > _LOOKUP_FACTOR * len(keys) + _LOOKUP_SLACK:
        index = pd.Index(keys)
        return lambda wanted: _all_found(index.get_indexer(pd.Index(wanted)))
    # One entry on either side stands for every key that is outside.
    table = np.full(high - low + 3, -1, dtype=np.int32)
    table[keys - (low - 1)] = np.arange(len(keys), dtype=np.int32)
    return lambda wanted: _all_found(table.take(wanted - (low - 1), mode="clip"))


def _all_found(found: Positions) -> Positions:
    assert not len(found) or int(found.min()) >= 0, "a line or tender without its receipt"
    return found


def check_magnitude(values: NDArray[np.int64]) -> None:
    """See to it that no sum of any of these values leaves int64.

    Raises:
        InputError: a sum might not fit.
    """
    if not len(values):
        return
    largest = max(int(values.max()), -int(values.min()))
    if largest * len(values) <= _INT64_MAX:
        return
    # In two halves, neither of which can overflow.
    magnitudes = np.abs(values)
    total = (int((magnitudes >> 32).sum()) << 32) + int((magnitudes & 0xFFFF_FFFF).sum())
    if total > _INT64_MAX:
        raise InputError(
            "The amounts add up to more than a ledger can hold; "
            "check the amounts and the currency of the source."
        )


def _codes(values: pd.Series[Any]) -> tuple[NDArray[np.int64], list[str]]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = values.cat.codes.to_numpy()
        names = values.cat.categories.to_list()
    else:
        codes, uniques = pd.factorize(values)
        names = list(uniques)
    assert not len(codes) or codes.min() >= 0, f"{values.name} has a missing value"
    return codes.astype(np.int64, copy=False), cast("list[str]", names)
