"""Cells of a workbook as text."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from workbooks import write_xlsx

from daybook.spend.expense_sheet import sheet_rows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (12.3, "12.3"),
        (100, "100"),
        (-0.05, "-0.05"),
        (4096.01, "4096.01"),
        (12.505, "12.505"),
        ("0012", "0012"),
        (dt.date(2026, 3, 14), "2026-03-14"),
        (dt.datetime(2026, 3, 14, 10, 30), "2026-03-14 10:30:00"),  # noqa: DTZ001 - workbooks know no zone
    ],
)
def test_cell_is_the_text_that_was_typed(tmp_path: Path, cell: object, text: str) -> None:
    """No digit more, no digit less; only the first sheet counts."""
    path = write_xlsx(tmp_path / "a.xlsx", {"One": [["head"], [cell]], "Two": [["other"]]})
    with path.open("rb") as stream:
        assert [["head"], [text]] == sheet_rows(stream, "a.xlsx")
