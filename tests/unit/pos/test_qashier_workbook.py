"""Workbooks nobody vouches for."""

from __future__ import annotations

import datetime as dt
import io
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
    with pytest.raises(Misfit, match="The file is not a workbook that can be read"):
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
    with pytest.raises(Misfit, match=r"The file unpacks to more than .* Export a shorter range"):
        rows(bomb)


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
    with pytest.raises(Misfit, match=r"spans more than 8,000,000 cells.* Export a shorter range"):
        rows(repacked({SHEET: sheet_of(cells)}))


def test_a_file_with_a_piece_missing_is_damaged() -> None:
    """Its directory then points in front of its beginning."""
    content = workbook(["a"])
    with pytest.raises(Misfit, match="not a workbook that can be read"):
        rows(content[:400] + content[420:])
