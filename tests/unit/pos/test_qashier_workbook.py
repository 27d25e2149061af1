"""Workbooks nobody vouches for."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile

import openpyxl  # type: ignore[import-untyped]  # ships no types
import pytest
from qashier_files import SoldItem, details

from daybook.pos.qashier_text import Misfit
from daybook.pos.qashier_workbook import sheet_rows

SHEET = "xl/worksheets/sheet1.xml"


def rows(content: bytes, sheet: str = "Transactions") -> list[tuple[int, list[object]]]:
    """All rows of the sheet."""
    return list(sheet_rows(content, sheet))


def workbook(*cells: list[object]) -> bytes:
    """A workbook whose only sheet has these rows."""
    book = openpyxl.Workbook()
    book.active.title = "Transactions"
    for row in cells:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(parts: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A good workbook with some parts put in the place of its own."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(["a"]))) as good,
        zipfile.ZipFile(out, "w", packing) as made,
    ):
        for name in good.namelist():
            if name not in parts:
                made.writestr(name, good.read(name))
        for name, part in parts.items():
            made.writestr(name, part)
    return out.getvalue()


def sheet_of(cells: str) -> bytes:
    """The XML of a sheet."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}"><sheetData>{cells}</sheetData></worksheet>'.encode()


def test_rows_keep_their_numbers_and_types() -> None:
    """Text, numbers, times and formulas, which are what they last came to."""
    at = dt.datetime(2026, 5, 2, 9, 30, 10)  # noqa: DTZ001 - a workbook knows no zones
    content = workbook(["=1+1", "-x", 3.5, at], [], ["end"])
    assert [(1, ["", "-x", 3.5, at]), (2, [""] * 4), (3, ["end", "", "", ""])] == rows(content)


def test_text_that_looks_like_a_formula_stays_text() -> None:
    """Nothing in a workbook is ever run."""
    cells = '<row r="1"><c r="A1" t="inlineStr"><is><t>=cmd|calc!A0</t></is></c></row>'
    assert [(1, ["=cmd|calc!A0"])] == rows(repacked({SHEET: sheet_of(cells)}))


def test_the_sheet_is_found_by_its_name() -> None:
    """Another one says what is missing."""
    with pytest.raises(Misfit, match="no sheet called Transactions"):
        rows(details([], sheet="Summary"))


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"a,b\n1,2\n", b"\xd0\xcf\x11\xe0" * 200, b"PK\x03\x04" + b"\0" * 400],
)
def test_what_is_no_workbook_is_a_sentence(content: bytes) -> None:
    """Empty, torn, CSV, an old .xls: export it again."""
    with pytest.raises(Misfit, match="not an xlsx workbook"):
        rows(content)


def test_a_workbook_cut_anywhere_is_a_sentence() -> None:
    """No prefix of one opens."""
    content = details([SoldItem()])
    for end in range(0, len(content), 97):
        with pytest.raises(Misfit):
            rows(content[:end])


def test_a_workbook_with_any_byte_broken_is_a_sentence_or_readable() -> None:
    """Neither a crash nor a panic of the reader."""
    content = details([SoldItem()])
    refused_count = 0
    for place in range(0, len(content), 41):
        broken = bytearray(content)
        broken[place] ^= 0xFF
        try:
            rows(bytes(broken))
        except Misfit:
            refused_count += 1
    assert refused_count > 0


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    """100 MB of blanks pack to 100 KB."""
    bomb = repacked({SHEET: b" " * (100 << 20)})
    assert len(bomb) < 1 << 20
    with pytest.raises(Misfit, match="far more than an export"):
        rows(bomb)


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    """The directory says 100 bytes; what comes out is counted."""
    content = bytearray(repacked({SHEET: b" " * (30 << 20)}))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        true_size = archive.getinfo(SHEET).file_size
    for place in range(len(content) - 4):
        if content[place : place + 4] == struct.pack("<L", true_size):
            content[place : place + 4] = struct.pack("<L", 100)
    with pytest.raises(Misfit, match="far more than an export"):
        rows(bytes(content))


def test_a_part_may_not_hold_less_than_it_says() -> None:
    """Two readers might see two files."""
    content = bytearray(workbook(["a"]))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        true_size = archive.getinfo(SHEET).file_size
    for place in range(len(content) - 4):
        if content[place : place + 4] == struct.pack("<L", true_size):
            content[place : place + 4] = struct.pack("<L", true_size + 1)
    with pytest.raises(Misfit, match="not an xlsx workbook"):
        rows(bytes(content))


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="9"><c r="XFD1048576"><v>1</v></c></row>',
        "<row r='1048576'><c r = 'XFD1'><v>1</v></c></row>",
        '<row r="1"><c\nr="ZZZZZ1"><v>1</v></c></row><row r="9999999"><c r="A2"/></row>',
    ],
)
def test_a_cell_far_away_is_refused(cells: str) -> None:
    """A reader would make room for every cell in between."""
    with pytest.raises(Misfit, match="larger than"):
        rows(repacked({SHEET: sheet_of(cells)}))


def test_endless_small_cells_are_refused() -> None:
    """Cells without a place count as well."""
    cells = '<row r="1">' + "<c/>" * 8_000_001 + "</row>"
    with pytest.raises(Misfit, match=r"larger than|far more"):
        rows(repacked({SHEET: sheet_of(cells)}))


def test_a_long_text_in_many_cells_is_refused() -> None:
    """Ten thousand cells share a text of 1 MB, which a reader would copy ten thousand times."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    shared = "".join(
        f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(1, 10_001)
    )
    parts = {
        SHEET: sheet_of(shared),
        "xl/sharedStrings.xml": (
            f'<sst xmlns="{space}"><si><t>{"ab" * (1 << 19)}</t></si></sst>'.encode()
        ),
    }
    with pytest.raises(Misfit, match="repeats long texts too often"):
        rows(repacked(parts))


def test_too_many_parts_are_refused() -> None:
    """An export has about ten."""
    with pytest.raises(Misfit, match="more than 500 parts"):
        rows(repacked({f"xl/part{number}.xml": b"" for number in range(501)}))


def test_another_packing_is_refused() -> None:
    """What is counted must be what a reader unpacks."""
    with pytest.raises(Misfit, match="packed in a way of its own"):
        rows(repacked({SHEET: sheet_of("")}, zipfile.ZIP_BZIP2))


@pytest.mark.parametrize("extra", [b"more", b"PK\x05\x06" + b"\0" * 18])
def test_something_behind_the_archive_is_refused(extra: bytes) -> None:
    """Two readers might find two directories."""
    with pytest.raises(Misfit, match="not an xlsx workbook"):
        rows(workbook(["a"]) + extra)


def test_something_before_the_archive_is_refused() -> None:
    """Its places would be counted from somewhere else."""
    content = workbook(["a"])
    with pytest.raises(Misfit, match="not an xlsx workbook"):
        rows(b"PK\x03\x04" + content)
