"""The first look at a part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from till import NOON, Receipt, write_csv

from daybook.pos.file_blocks import open_reader
from daybook.pos.file_page import Window
from daybook.pos.file_parts import Part, find_parts
from daybook.pos.file_survey import Survey, may_hold, survey

if TYPE_CHECKING:
    from pathlib import Path

NOON_US = int(NOON.timestamp()) * 1_000_000
INSIDE = Window(NOON_US, NOON_US + 1)


def looked_at(folder: Path, window: Window = INSIDE) -> Survey:
    """What the survey says for one store."""
    (part,) = find_parts(str(folder))
    return survey(open_reader(part.receipts), frozenset(["S01"]), window, None)


def test_only_the_stores_receipts_are_counted(tmp_path: Path) -> None:
    """The count decides into how many pages the part is split."""
    write_csv(tmp_path, [Receipt(), Receipt("R2"), Receipt(store_id="S02")])
    assert Survey(2, has_any_inside=True, rejects=()) == looked_at(tmp_path)


def test_a_part_without_any_receipt_inside_need_not_be_read(tmp_path: Path) -> None:
    """Neither its lines nor its tenders."""
    write_csv(tmp_path, [Receipt()])
    assert not looked_at(tmp_path, Window(0, NOON_US)).has_any_inside


@pytest.mark.parametrize("row", ["S01,R2,yesterday,x,SGD,sale,final", "S01,R2"])
def test_a_row_that_cannot_be_placed_counts_as_inside(tmp_path: Path, row: str) -> None:
    """Whether it belongs to the window, only reading it whole can tell."""
    write_csv(tmp_path, [Receipt()])
    with (tmp_path / "receipts.csv").open("a") as file:
        file.write(f"{row}\n")
    assert looked_at(tmp_path, Window(0, NOON_US)).has_any_inside


@pytest.mark.parametrize(
    ("window", "is_possible"),
    [
        (Window(0, 10), False),
        (Window(0, 11), True),
        (Window(20, 99), True),
        (Window(21, 99), False),
    ],
)
def test_statistics_rule_a_parquet_part_out(
    tmp_path: Path,
    window: Window,
    is_possible: bool,  # noqa: FBT001 - the expected answer
) -> None:
    """Sold from 10 to 20: the ends belong to it."""
    write_csv(tmp_path, [])
    (tmp_path / "receipts.csv").unlink()
    at = pa.array([10, 20], pa.timestamp("us", tz="UTC"))
    pq.write_table(pa.table({"sold_at": at}), tmp_path / "receipts.parquet")
    (part,) = find_parts(str(tmp_path))
    assert is_possible == may_hold(part, window)


def test_a_csv_part_can_always_hold_something(tmp_path: Path) -> None:
    """It has no statistics."""
    (part,) = find_parts(str(write_csv(tmp_path, [])))
    assert isinstance(part, Part)
    assert may_hold(part, Window(0, 1))
