"""Which files become one PDF."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from daybook.expenses.attachment_merging import (
    FILE_BYTES,
    PAGE_BYTES,
    Part,
    plan_merges,
    share_of_each,
)


def _parts(*sizes: int) -> list[Part]:
    return [Part(size * 100_000, has_pages=True) for size in sizes]


def test_nothing_is_merged_when_all_fit() -> None:
    """Ten files in ten places."""
    assert () == plan_merges(_parts(*range(1, 11)), 10, 3_000_000)


def test_the_smallest_neighbours_are_merged() -> None:
    """One too many costs one merge of two, where it moves the fewest bytes."""
    assert ((2, 3),) == plan_merges(_parts(9, 9, 1, 2, 9), 4, 3_000_000)


def test_one_larger_pdf_is_better_than_two_small_ones() -> None:
    """Fewest merged PDFs first."""
    assert ((2, 3, 4),) == plan_merges(_parts(1, 9, 9, 1, 1), 3, 3_000_000)


def test_two_pdfs_when_one_would_be_too_large() -> None:
    """The limit decides."""
    assert ((0, 1), (2, 3)) == plan_merges(_parts(14, 14, 14, 14), 2, 3_000_000)


def test_files_without_pages_keep_their_place_and_are_stepped_over() -> None:
    """A spreadsheet between two pictures stays a file of its own."""
    parts = [Part(1_000, has_pages=True), Part(1_000, has_pages=False), Part(1_000, has_pages=True)]
    assert ((0, 2),) == plan_merges(parts, 2, 3_000_000)


def test_there_is_no_plan_when_nothing_fits() -> None:
    """Files without pages alone are too many, or all together too large."""
    assert None is plan_merges([Part(1, has_pages=False)] * 3, 2, 3_000_000)
    assert None is plan_merges(_parts(20, 20, 20), 2, 3_000_000)


def test_shares_fill_the_places_evenly() -> None:
    """Thirty files in ten places get a third of a file each, less what pages cost."""
    share = share_of_each(_parts(*[20] * 30), 10, 3_000_000)
    assert share is not None
    assert 3 * (share + PAGE_BYTES) + FILE_BYTES < 3_000_000 < 3.1 * (share + PAGE_BYTES)
    assert None is share_of_each([Part(1, has_pages=False)] * 3, 2, 3_000_000)


@given(st.lists(st.integers(1, 14), max_size=8), st.integers(1, 4))
def test_no_better_plan_exists(sizes: list[int], count_max: int) -> None:
    """Compared with every way to cut the row, by number of PDFs and then of files touched."""
    found = plan_merges(_parts(*sizes), count_max, 3_000_000)
    possible = [
        runs
        for cuts in itertools.product((False, True), repeat=max(0, len(sizes) - 1))
        if len(runs := _cut(len(sizes), cuts)) <= count_max
        and all(len(run) == 1 or _size(sizes, run) < 3_000_000 for run in runs)
    ]
    if found is None:
        assert [] == possible
    else:
        assert min(map(_cost, possible), default=(0, 0)) == _cost(found)


def _cut(count: int, cuts: tuple[bool, ...]) -> list[tuple[int, ...]]:
    runs: list[tuple[int, ...]] = []
    for index in range(count):
        if index and not cuts[index - 1]:
            runs[-1] = (*runs[-1], index)
        else:
            runs.append((index,))
    return runs


def _size(sizes: list[int], run: tuple[int, ...]) -> int:
    return FILE_BYTES + sum(sizes[at] * 100_000 + PAGE_BYTES for at in run)


def _cost(runs: list[tuple[int, ...]] | tuple[tuple[int, ...], ...]) -> tuple[int, int]:
    merged = [run for run in runs if len(run) > 1]
    return len(merged), sum(map(len, merged))
