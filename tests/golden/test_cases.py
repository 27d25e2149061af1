"""Whole days from receipts to documents, each trap by hand; the cases are the files beside this."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from golden_day import case_files, outcome, read_case

if TYPE_CHECKING:
    from pathlib import Path

FILES = case_files()


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_day_comes_to_what_was_worked_out_by_hand(file: Path) -> None:
    """Receipts, daily totals, documents and payments, or the holds, table by table."""
    case = read_case(file.read_text(encoding="utf-8"))
    assert case.expected == outcome(case)
