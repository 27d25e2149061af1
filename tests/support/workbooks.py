"""Receipts as workbooks, and workbooks out of hand-written XML."""

from __future__ import annotations

import csv
import zipfile
from typing import TYPE_CHECKING

import openpyxl  # type: ignore[import-untyped]  # ships no types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TABLES = ("receipts", "lines", "tenders")
_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_SHEET_END = "</sheetData></worksheet>"
_TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"""
_ROOT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="{root}/{kind}" Target="{target}"/>{more}</Relationships>'
)
_BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    f'xmlns:r="{_ROOT}"><sheets><sheet name="receipts" sheetId="1" r:id="rId1"/></sheets>'
    "</workbook>"
)


def write_xlsx(path: Path, sheets: Mapping[str, Sequence[Sequence[object]]]) -> Path:
    """A workbook of these sheets, cell by cell."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    workbook.save(path)
    return path


def csv_to_xlsx(folder: Path, *, is_one_workbook: bool) -> Path:
    """Turn the folder's three CSV files into receipts.xlsx, or into a workbook for each."""
    sheets: dict[str, list[Sequence[object]]] = {}
    for table in TABLES:
        path = folder / f"{table}.csv"
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        places = [n for n, name in enumerate(header) if "amount" in name or name.endswith("_no")]
        sheets[table] = [header, *(_numbers(row, places) for row in rows)]
        path.unlink()
    if is_one_workbook:
        write_xlsx(folder / "receipts.xlsx", sheets)
    else:
        for name, cells in sheets.items():
            write_xlsx(folder / f"{name}.xlsx", {"Sheet1": cells})
    return folder


def write_raw_xlsx(path: Path, rows: str, shared: str = "") -> Path:
    """A workbook whose only sheet has this XML as its rows, and these shared texts."""
    more = f'<Relationship Id="rId2" Type="{_ROOT}/sharedStrings" Target="sharedStrings.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr(
            "_rels/.rels",
            _RELATIONS.format(root=_ROOT, kind="officeDocument", target="xl/workbook.xml", more=""),
        )
        archive.writestr("xl/workbook.xml", _BOOK)
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            _RELATIONS.format(
                root=_ROOT, kind="worksheet", target="worksheets/sheet1.xml", more=more
            ),
        )
        archive.writestr("xl/sharedStrings.xml", f"<sst>{shared}</sst>")
        archive.writestr("xl/worksheets/sheet1.xml", f"{_SHEET}{rows}{_SHEET_END}")
    return path


def _numbers(row: list[str], places: Sequence[int]) -> list[object]:
    """The row with numbers for amounts and positions, as a person types them."""
    return [
        (float(cell) if "." in cell else int(cell)) if place in places else cell
        for place, cell in enumerate(row)
    ]
