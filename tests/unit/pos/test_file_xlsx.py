"""The files source's tables in workbooks."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import fsspec
import pytest
from till import DATE, SINGAPORE, Receipt, batch, write_csv
from workbooks import csv_to_xlsx, write_raw_xlsx, write_xlsx

from daybook.errors import InputError
from daybook.pos.file_blocks import ROW_NUMBER, open_reader
from daybook.pos.file_form import TableFile
from daybook.pos.file_parts import find_parts
from daybook.pos.files import FilesSource
from daybook.sales.daily_totals import daily_totals
from daybook.sales.frames import joined

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from daybook.pos.source import Page

HEADER = ["store_id", "receipt_id_pos", "tender_no", "tender", "amount"]


def pages(folder: Path) -> list[Page]:
    """What the files source gives for the usual day."""
    return list(FilesSource(str(folder)).receipts([SINGAPORE], DATE, DATE))


def tender_amounts(folder: Path, *rows: Sequence[object]) -> list[tuple[int, str]]:
    """Row number and amount, as text, of each row of a workbook of tenders."""
    path = write_xlsx(folder / "tenders.xlsx", {"Tabelle1": [HEADER, *rows]})
    reader = open_reader(
        TableFile("tenders", "", fsspec.filesystem("file"), str(path), "tenders.xlsx")
    )
    return [
        (row[ROW_NUMBER], row["amount"]) for block in reader.blocks() for row in block.to_pylist()
    ]


@pytest.mark.parametrize("is_one_workbook", [True, False])
def test_workbooks_become_the_receipts_that_were_written(
    tmp_path: Path,
    is_one_workbook: bool,  # noqa: FBT001 - two ways to write them
) -> None:
    """Three sheets of one workbook, or a workbook for each table; amounts typed as numbers."""
    receipts = [
        Receipt(lines=(("Food", "GST", 1234, 111), ("Tea, hot", "Zero", 10, 0))),
        Receipt("R2", is_refund=True, lines=(("Food", "GST", -57, -5),), tenders=(("Cash", -62),)),
        Receipt("R3", is_voided=True, lines=(), tenders=()),
    ]
    folder = csv_to_xlsx(write_csv(tmp_path, receipts), is_one_workbook=is_one_workbook)
    found = pages(folder)
    assert [] == [reject for page in found for reject in page.rejects]
    assert daily_totals(batch(receipts), [SINGAPORE]) == daily_totals(
        joined([page.batch for page in found]), [SINGAPORE]
    )


def test_a_reject_names_the_sheet_and_the_row(tmp_path: Path) -> None:
    """So that the person finds it in a workbook of three."""
    folder = write_csv(tmp_path, [Receipt(), Receipt("R2", lines=(("", "GST", 1090, 0),))])
    (page,) = pages(csv_to_xlsx(folder, is_one_workbook=True))
    (reject,) = page.rejects
    assert ("receipts.xlsx#lines", 3, "category") == (
        reject.url.rsplit("/", 1)[-1],
        reject.row_number,
        reject.column,
    )


def test_numbers_become_the_text_that_was_typed(tmp_path: Path) -> None:
    """The shortest decimal that means the same binary fraction; never more digits than it had."""
    typed = [12.3, 12, -0.05, 1234567890.12, 1e-7, 99999999999.99, " 7.10 "]
    rows = [["S01", "R1", 1, "Cash", amount] for amount in typed]
    assert ["12.3", "12", "-0.05", "1234567890.12", "0.0000001", "99999999999.99", " 7.10 "] == [
        text for _, text in tender_amounts(tmp_path, *rows)
    ]


def test_a_sum_that_was_not_rounded_is_a_reject(tmp_path: Path) -> None:
    """A formula's 0.1 + 0.2 is not thirty cents, and nobody but its author may say that it is."""
    folder = write_csv(tmp_path, [Receipt()])
    (folder / "tenders.csv").unlink()
    cells = [
        f'<c r="{column}2"{kind}><v>{value}</v></c>'
        for column, kind, value in (
            ("A", ' t="str"', "S01"),
            ("B", ' t="str"', "R1"),
            ("C", "", "1"),
            ("D", ' t="str"', "Cash"),
            ("E", "", "10.900000000000002"),
        )
    ]
    header = [
        f'<c r="{column}1" t="str"><v>{name}</v></c>'
        for column, name in zip("ABCDE", HEADER, strict=True)
    ]
    write_raw_xlsx(
        folder / "tenders.xlsx",
        f'<row r="1">{"".join(header)}</row><row r="2">{"".join(cells)}</row>',
    )
    (page,) = pages(folder)
    assert 0 == len(page.batch.receipts)
    (reject,) = page.rejects
    assert (2, "amount") == (reject.row_number, reject.column)
    assert "10.900000000000002" in reject.reason


def test_blank_rows_count(tmp_path: Path) -> None:
    """Row numbers are those that the spreadsheet shows."""
    blank: list[object] = [None] * 5
    rows: list[list[object]] = [
        ["S01", "R1", 1, "Cash", 1],
        blank,
        ["S01", "R2", 1, "Cash", 2],
        blank,
    ]
    assert [(2, "1"), (4, "2")] == tender_amounts(tmp_path, *rows)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        ("=SUM(1,2)", ""),
        ("#DIV/0!", ""),
        (True, "TRUE"),
        (dt.datetime(2026, 3, 14, 12, 30, tzinfo=None), "2026-03-14 12:30:00"),  # noqa: DTZ001 - a spreadsheet has no zones
    ],
)
def test_cells_that_are_no_amounts_stay_none(tmp_path: Path, cell: object, text: str) -> None:
    """Formulas without a result, errors, truth values and dates are told by the amount's parser."""
    assert [(2, text)] == tender_amounts(tmp_path, ["S01", "R1", 1, "Cash", cell])


def test_a_number_with_more_digits_than_a_spreadsheet_keeps_is_a_reject(tmp_path: Path) -> None:
    """Two long receipt numbers would become one."""
    folder = csv_to_xlsx(write_csv(tmp_path, [Receipt()]), is_one_workbook=False)
    rows: list[Sequence[object]] = [
        HEADER,
        ["S01", "R1", 1, "Cash", 10.9],
        ["S01", 1234567890123456789, 1, "Visa", 5],
    ]
    write_xlsx(folder / "tenders.xlsx", {"x": rows})
    found = pages(folder)
    reject = next(reject for page in found for reject in page.rejects)
    assert (3, "") == (reject.row_number, reject.column)
    assert "+18, of which a spreadsheet keeps 15 digits only" in reject.reason
    assert 1 == sum(len(page.batch.receipts) for page in found)


def test_an_amount_with_too_many_digits_leaves_its_receipt_out(tmp_path: Path) -> None:
    """Where the row says which receipt it belongs to."""
    folder = csv_to_xlsx(write_csv(tmp_path, [Receipt(), Receipt("R2")]), is_one_workbook=False)
    rows: list[Sequence[object]] = [
        HEADER,
        ["S01", "R1", 1, "Cash", 10.9],
        ["S01", "R2", 1, "Visa", 1e15],
    ]
    write_xlsx(folder / "tenders.xlsx", {"x": rows})
    found = pages(folder)
    assert ["R1"] == [one for page in found for one in page.batch.receipts["receipt_id_pos"]]
    (reject,) = [reject for page in found for reject in page.rejects]
    assert reject.reason.endswith("Receipt R2 of store S01 is left out.")


@pytest.mark.parametrize(
    ("sheets", "said"),
    [
        ({"receipts": []}, "#receipts has no column store_id"),
        ({"Tabelle1": [HEADER], "lines": []}, "#receipts has no sheet called receipts; its sheets"),
        ({"Tabelle1": [HEADER]}, "#receipts has no sheet called receipts; its sheets are Tabelle1"),
        ({"receipts": [["a"]], "RECEIPTS ": [["a"]]}, "has no sheet called receipts"),
    ],
)
def test_a_workbook_without_the_sheet_is_refused(
    tmp_path: Path, sheets: dict[str, list[list[str]]], said: str
) -> None:
    """Which sheet is meant is not for us to guess."""
    write_xlsx(tmp_path / "receipts.xlsx", sheets)
    with pytest.raises(InputError, match=said):
        pages(tmp_path)


def test_the_file_beside_an_open_workbook_is_no_part(tmp_path: Path) -> None:
    """Spreadsheet programs lock a workbook that way."""
    (tmp_path / "receipts").mkdir()
    (tmp_path / "receipts" / "2026-03.xlsx").touch()
    (tmp_path / "receipts" / "~$2026-03.xlsx").touch()
    (part,) = find_parts(str(tmp_path))
    assert "2026-03" == part.tenders.part
    assert part.tenders.url.endswith("/receipts/2026-03.xlsx#tenders")
