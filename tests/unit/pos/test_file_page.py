"""Rows of the three tables to a page."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow.csv
import pytest
from till import NOON, Receipt, write_csv

from daybook.pos.file_blocks import open_reader
from daybook.pos.file_page import Rows, Window, page_of
from daybook.pos.file_parts import find_parts
from daybook.pos.source import Reach, Reject

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from daybook.pos.source import Page

ALWAYS = Window(0, 2**62)
DAY, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)
ANY = Reach()
AT_NOON = Reach(frozenset(["S01"]), NOON, NOON)
NOON_US = int(NOON.timestamp()) * 1_000_000


def page(
    folder: Path,
    receipts: Sequence[Receipt],
    *,
    window: Window = ALWAYS,
    damaged: Mapping[tuple[str, str], Collection[Reject]] | None = None,
    extent: Reach = ANY,
) -> Page:
    """The page that these receipts become by way of files."""
    write_csv(folder, receipts)
    return page_of_files(folder, window=window, damaged=damaged, extent=extent)


def page_of_files(
    folder: Path,
    *,
    window: Window = ALWAYS,
    damaged: Mapping[tuple[str, str], Collection[Reject]] | None = None,
    extent: Reach = ANY,
) -> Page:
    """The page of the files in a folder."""
    (part,) = find_parts(str(folder))
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
            damaged or {},
            lambda: extent,
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
    """What was said of the row is said with the receipt's store and time."""
    torn = Reject("lines.csv", 2, "", "It is torn.")
    found = page(tmp_path, [Receipt(), Receipt("R2")], damaged={("S01", "R1"): [torn]})
    assert ["R2"] == found.batch.receipts["receipt_id_pos"].tolist()
    assert [replace(torn, reach=AT_NOON)] == list(found.rejects)
    assert () == page(tmp_path, [Receipt("R2")], damaged={("S01", "R1"): [torn]}).rejects


@pytest.mark.parametrize(
    "bad",
    [
        Receipt(currency="dollars"),
        Receipt(lines=(("", "GST", 1000, 90),)),
        Receipt(tenders=(("", 1090),)),
        Receipt(lines=()),
        Receipt(tenders=()),
        Receipt(is_refund=True),
    ],
)
def test_a_reject_says_whose_sale_it_was_and_when(tmp_path: Path, bad: Receipt) -> None:
    """Wherever the bad cell stands, the receipt's own store and time are known."""
    found = page(tmp_path, [bad, Receipt("R2")])
    assert {AT_NOON} == {one.reach for one in found.rejects}


def test_a_sale_without_a_time_may_be_of_any_day_of_its_file(tmp_path: Path) -> None:
    """Its store is known, and no other store's days are held for it."""
    year = Reach(frozenset(["S01", "S02"]), NOON, NOON + 300 * DAY)
    write_csv(tmp_path, [Receipt(), Receipt("R2", store_id="S02")])
    text = (tmp_path / "receipts.csv").read_text()
    (tmp_path / "receipts.csv").write_text(text.replace("R1,2026-03-14", "R1,14 March 2026"))
    (reject,) = page_of_files(tmp_path, extent=year).rejects
    assert replace(year, store_ids=frozenset(["S01"])) == reject.reach


def test_a_line_without_its_receipt_may_be_of_any_day_of_its_file(tmp_path: Path) -> None:
    """Where even its store is missing, of any store of the file too."""
    year = Reach(frozenset(["S01", "S02"]), NOON, NOON + 300 * DAY)
    write_csv(tmp_path, [Receipt()])
    with (tmp_path / "lines.csv").open("a") as file:
        file.write("S02,R9,1,Tea,GST,1.00,0.09\n,R9,1,Tea,GST,1.00,0.09\n")
    found = page_of_files(tmp_path, extent=year).rejects
    assert [replace(year, store_ids=frozenset(["S02"])), year] == [one.reach for one in found]


def test_of_very_many_bad_rows_the_last_one_counts_their_days(tmp_path: Path) -> None:
    """What is said of the rest reaches from the first to the last of their sales."""
    bad = [
        Receipt(f"R{number}", sold_at=NOON + number * SECOND, lines=(("", "GST", 1000, 90),))
        for number in range(1005)
    ]
    found = page(tmp_path, bad).rejects
    rest = Reach(frozenset(["S01"]), NOON + 1000 * SECOND, NOON + 1004 * SECOND)
    assert (1001, rest) == (len(found), found[-1].reach)


def test_an_empty_part_is_an_empty_page(tmp_path: Path) -> None:
    """Three headers and nothing below them."""
    found = page(tmp_path, [])
    assert (0, ()) == (len(found.batch.receipts), found.rejects)
