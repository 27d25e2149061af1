"""The first sheet of a workbook of expenses: every cell as the text that was typed.

Workbooks keep numbers as binary fractions; the shortest decimal text that means the same fraction
is taken, which is what was typed. A formula's result that was not rounded has too many decimals,
and its row is refused like any other amount that has.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from daybook.errors import InputError
from daybook.xlsx_safe import opened_workbook

if TYPE_CHECKING:
    from typing import IO


def sheet_rows(stream: IO[bytes], url: str) -> list[list[str]]:
    """Header and rows of the first sheet; raises `InputError` when it is no workbook."""
    with (
        tempfile.TemporaryDirectory(prefix="daybook-") as folder,
        opened_workbook(stream, url, Path(folder)) as workbook,
    ):
        if not workbook.sheet_names:
            raise InputError(f"{url} has no sheet. Put the expenses on its first sheet.")
        rows = workbook.get_sheet_by_index(0).iter_rows()
        return [[_text(cell) for cell in row] for row in rows]


def _text(cell: object) -> str:
    match cell:
        case dt.datetime():
            midnight = cell.time() == dt.time()
            return cell.date().isoformat() if midnight else cell.isoformat(" ")
        case float():
            text = f"{Decimal(repr(cell)):f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case _:
            return str(cell)
