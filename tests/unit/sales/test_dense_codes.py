"""Values to small dense integers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import InputError
from daybook.sales.dense_codes import check_magnitude, compress, locator, sorted_codes


@pytest.mark.parametrize("dtype", ["str", "category", "object"])
def test_codes_follow_the_sorted_names(dtype: str) -> None:
    """A code is the place of the value among the distinct ones in order."""
    codes, names = sorted_codes(pd.Series(["b", "a", "b", "c"], dtype=dtype))
    assert ([1, 0, 1, 2], ["a", "b", "c"]) == (codes.tolist(), names)


def test_a_missing_name_breaks_the_program() -> None:
    """Frames hold no missing names; one that does is a bug of its source."""
    with pytest.raises(AssertionError, match="category has a missing value"):
        sorted_codes(pd.Series(["a", None], dtype="str", name="category"))


@pytest.mark.parametrize("size", [10, 10**12])
def test_compressing_leaves_no_gaps(size: int) -> None:
    """The order stays; a table too large to index gives the same as a small one."""
    renumbered, present = compress(np.array([9, 2, 9, 5]), size)
    assert ([2, 0, 2, 1], [2, 5, 9]) == (renumbered.tolist(), present.tolist())


@pytest.mark.parametrize("spread", [1, 10**12])
def test_keys_are_found_wherever_they_stand(spread: int) -> None:
    """Keys close together and far apart are found alike."""
    locate = locator(np.array([7, 3, 5]) * spread)
    assert [2, 2, 0, 1] == locate(np.array([5, 5, 7, 3]) * spread).tolist()


@pytest.mark.parametrize("spread", [1, 10**12])
@pytest.mark.parametrize("stranger", [-1, 0, 4, 99])
def test_a_line_without_its_receipt_breaks_the_program(spread: int, stranger: int) -> None:
    """A key that is not there is never taken for another."""
    with pytest.raises(AssertionError, match="without its receipt"):
        locator(np.array([7, 3, 5]) * spread)(np.array([stranger * spread]))


def test_no_keys_have_nothing_to_find() -> None:
    """An empty batch is fine."""
    assert [] == locator(np.array([], dtype=np.int64))(np.array([], dtype=np.int64)).tolist()


@given(st.lists(st.integers(-(10**18), 10**18)))
def test_sums_that_might_not_fit_are_refused(amounts: list[int]) -> None:
    """Amounts pass exactly when all of them together stay in 64 bits."""
    column = np.array(amounts, dtype=np.int64)
    if sum(map(abs, amounts)) >= 2**63:
        with pytest.raises(InputError, match="more than a ledger can hold"):
            check_magnitude(column)
    else:
        check_magnitude(column)
