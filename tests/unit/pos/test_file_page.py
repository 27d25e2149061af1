"""Rows of the three tables to a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.csv
from till import NOON, Receipt, write_csv

from daybook.pos.file_blocks import open_reader
from daybook.pos.file_page import Rows, Window, page_of
from daybook.pos.file_parts import find_parts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from daybook.pos.source import Page

ALWAYS = Window(0, 2**62)
NOON_US = int(NOON.timestamp()) * 1_000_000


def page(
    folder: Path,
    receipts: Sequence[Receipt],
    *,
    window: Window = ALWAYS,
    damaged: Collection[tuple[str, str]] = (),
) -> Page:
    """The page that these receipts become by way of files."""
    (part,) = find_parts(str(write_csv(folder, receipts)))
    files = {"receipts": part.receipts, "lines": part.lines, "tenders": part.tenders}
    tables = {
        name: pyarrow.concat_tables([open_reader(file).empty, *open_reader(file).blocks()])
        for name, file in files.items()
    }
    return page_of(
        Rows(
            part,
            {
                "receipts": tables["receipts"],
                "lines": tables["lines"],
                "tenders": tables["tenders"],
            },
            damaged,
        ),
        window,
    )


def test_lines_and_tenders_stand_under_their_receipts_key(tmp_path: Path) -> None:
    """Two stores may use the same receipt number."""
    found = page(tmp_path, [Receipt(store_id="S02"), Receipt(lines=(("Tea", "GST", 5, 0),))])
    tea = found.batch.lines.query("category == 'Tea'")["receipt_key"]
    whose = found.batch.receipts.set_index("receipt_key").loc[tea, "store_id"]
    assert ["S01"] == whose.tolist()
    assert 2 == found.batch.tenders["receipt_key"].nunique()


def test_the_window_is_open_at_its_end(tmp_path: Path) -> None:
    """An instant belongs to one window, never to two that meet."""
    assert 0 == len(page(tmp_path, [Receipt()], window=Window(0, NOON_US)).batch.receipts)
    assert 1 == len(page(tmp_path, [Receipt()], window=Window(NOON_US, NOON_US + 1)).batch.receipts)


def test_a_receipt_with_a_damaged_row_is_left_out(tmp_path: Path) -> None:
    """The row's own reject was given where it was read."""
    found = page(tmp_path, [Receipt(), Receipt("R2")], damaged=[("S01", "R1")])
    assert ["R2"] == found.batch.receipts["receipt_id_pos"].tolist()
    assert () == found.rejects


def test_an_empty_part_is_an_empty_page(tmp_path: Path) -> None:
    """Three headers and nothing below them."""
    found = page(tmp_path, [])
    assert (0, ()) == (len(found.batch.receipts), found.rejects)
