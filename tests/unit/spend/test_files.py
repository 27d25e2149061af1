"""Expenses from a CSV file or a workbook."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from workbooks import write_xlsx

from daybook.errors import InputError
from daybook.expenses.expense import SourceStatus
from daybook.spend.files import ExpenseFiles

if TYPE_CHECKING:
    from pathlib import Path

    from daybook.spend.source import SpendPage

HEADER = "id,account,date,amount,currency,merchant,category,status,note\n"


def page(folder: Path, content: str) -> SpendPage:
    """Read March 2026 of a file with this content."""
    file = folder / "expenses.csv"
    file.write_text(content, encoding="utf-8-sig")
    [found] = ExpenseFiles(str(file)).expenses(dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    return found


def test_rows_become_expenses(tmp_path: Path) -> None:
    """Money out is positive, money back negative; rows outside the window are left out."""
    rows = (
        "E-1,a1,2026-03-14,12.50,SGD,Grab,Transport,,taxi\n"
        "E-2,a1,2026-03-15,-3.00,SGD,Grab,Transport,pending,\n"
        "E-3,a1,2026-04-01,1.00,SGD,Grab,Transport,,\n"
    )
    found = page(tmp_path, HEADER + rows)
    assert [("files-E-1", 1250), ("files-E-2", -300)] == [
        (one.expense_id, one.amount_minor) for one in found.expenses
    ]
    assert SourceStatus.PENDING is found.expenses[1].status
    assert () == found.rejects


def test_rows_that_cannot_be_read_are_rejects(tmp_path: Path) -> None:
    """Row and reason; the others are read."""
    rows = (
        "E-1,a1,14/03/2026,12.50,SGD,Grab,Transport,,\n"
        "E-2,a1,2026-03-14,12.505,SGD,Grab,Transport,,\n"
        "E-3,a1,2026-03-14,12.50,SGD,Grab,Transport,done,\n"
        "E-4,,2026-03-14,12.50,SGD,Grab,Transport,,\n"
        "E-5,a1,2026-03-14,12.50,SGD,Grab,Transport,,\n"
        "E-5,a1,2026-03-14,13.50,SGD,Grab,Transport,,\n"
    )
    found = page(tmp_path, HEADER + rows)
    assert ["files-E-5"] == [one.expense_id for one in found.expenses]
    assert ["2", "3", "4", "5", "7"] == [one.where.rpartition(" ")[2] for one in found.rejects]


def test_missing_column_and_missing_file_are_refused(tmp_path: Path) -> None:
    """The sentence names what is missing."""
    with pytest.raises(InputError, match="no column category"):
        page(tmp_path, "id,account,date,amount,currency,merchant\n")
    with pytest.raises(InputError, match="There is no file"):
        list(ExpenseFiles(str(tmp_path / "x.csv")).expenses(dt.date.min, dt.date.max))


def test_workbook_is_read_like_a_csv_file(tmp_path: Path) -> None:
    """Numbers, dates and texts as they were typed; empty rows are nothing."""
    file = tmp_path / "Expenses.XLSX"
    header = HEADER.strip().split(",")
    rows: list[list[object]] = [
        ["E-1", "a1", dt.date(2026, 3, 14), 12.3, "SGD", "Grab", "Transport", None, "taxi"],
        [""] * 9,
        [1002, "a1", "2026-03-15", -1000, "SGD", "Grab", "Transport", "pending"],
        ["E-3", "a1", dt.date(2026, 3, 16), 12.505, "SGD", "Grab", "Transport"],
    ]
    write_xlsx(file, {"Any name": [header, *rows]})
    [found] = ExpenseFiles(str(file)).expenses(dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    assert [("files-E-1", 1230, "taxi"), ("files-1002", -100_000, "")] == [
        (one.expense_id, one.amount_minor, one.note) for one in found.expenses
    ]
    assert [dt.date(2026, 3, 14), dt.date(2026, 3, 15)] == [
        one.spent_date for one in found.expenses
    ]
    assert ["5"] == [one.where.rpartition(" ")[2] for one in found.rejects]


def test_file_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    """Whatever its name says."""
    file = tmp_path / "expenses.xlsx"
    file.write_text(HEADER)
    with pytest.raises(InputError, match="not a workbook that can be read"):
        list(ExpenseFiles(str(file)).expenses(dt.date.min, dt.date.max))


@pytest.mark.parametrize("key", ["t1-C1", "t1-c12", "t1:correction:1"])
def test_id_like_a_correction_is_refused(tmp_path: Path, key: str) -> None:
    """Its reference in Xero would be that of the entry that corrects another expense."""
    found = page(tmp_path, f"{HEADER}{key},a1,2026-03-14,12.50,SGD,Grab,Transport,,\n")
    assert () == found.expenses
    assert "ends like the entry that corrects" in found.rejects[0].sentence
