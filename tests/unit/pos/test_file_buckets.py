"""Rows split by receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from daybook.errors import InputError
from daybook.pos.file_buckets import split

if TYPE_CHECKING:
    from pathlib import Path

IDS = [f"R{number % 40}" for number in range(200)]
ROWS = pa.table({"receipt_id_pos": IDS, "row": list(range(200))})
BLOCKS = [ROWS.slice(start, 30) for start in range(0, 200, 30)]


@pytest.mark.parametrize("bucket_count", [1, 2, 7, 100])
def test_every_row_is_in_one_bucket_and_receipts_stay_whole(
    tmp_path: Path, bucket_count: int
) -> None:
    """Nothing is lost, nothing is doubled, no receipt is torn apart."""
    bucket = split(BLOCKS, tmp_path / "lines", bucket_count, BLOCKS[0].slice(0, 0))
    tables = [bucket(number) for number in range(bucket_count)]
    assert list(range(200)) == sorted(row for table in tables for row in table["row"].to_pylist())
    ids = [set(table["receipt_id_pos"].to_pylist()) for table in tables]
    assert 40 == sum(map(len, ids))


def test_the_same_receipt_falls_into_the_same_bucket_in_every_table(tmp_path: Path) -> None:
    """Lines meet their receipt, whatever else is in either table."""
    receipts = pa.table({"receipt_id_pos": sorted(set(IDS)), "kind": ["sale"] * 40})
    lines = split(BLOCKS, tmp_path / "lines", 5, BLOCKS[0].slice(0, 0))
    heads = split([receipts], tmp_path / "receipts", 5, receipts.slice(0, 0))
    for number in range(5):
        assert set(lines(number)["receipt_id_pos"].to_pylist()) == set(
            heads(number)["receipt_id_pos"].to_pylist()
        )


def test_no_rows_make_empty_buckets(tmp_path: Path) -> None:
    """The columns are there all the same."""
    empty = BLOCKS[0].slice(0, 0)
    assert empty == split([], tmp_path / "lines", 3, empty)(2)


@pytest.mark.parametrize("bucket_count", [1, 3])
def test_more_rows_of_a_receipt_than_fit_are_refused(tmp_path: Path, bucket_count: int) -> None:
    """An id that is repeated on every row would fill the memory, however many buckets there are."""
    block = pa.table({"receipt_id_pos": ["R1"] * 500_000})
    with pytest.raises(InputError, match=r"^More than 2,000,000 lines of one part belong"):
        split([block] * 5, tmp_path / "lines", bucket_count, block.slice(0, 0))
