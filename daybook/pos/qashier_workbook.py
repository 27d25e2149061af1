"""Hands out the rows of one sheet of an export; `daybook.xlsx_safe` opens the workbook."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from daybook.errors import InputError
from daybook.pos.qashier_text import Misfit
from daybook.xlsx_safe import opened_workbook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from python_calamine import CalamineWorkbook

Cell = object  # text, number, truth value, date, time or span, as calamine reads them

_ADVICE: Final = "Export a shorter range of dates, or remove the file."


def sheet_rows(content: bytes, sheet: str) -> Iterator[tuple[int, list[Cell]]]:
    """The sheet's rows with their numbers, from 1; a formula is what it last came to.

    Raises:
        Misfit: it is no workbook, has no such sheet, or is larger than any export.
    """
    try:
        with (
            tempfile.TemporaryDirectory(prefix="daybook-") as folder,
            opened_workbook(
                io.BytesIO(content), "The file", Path(folder), advice=_ADVICE
            ) as workbook,
        ):
            yield from _rows(workbook, sheet)
    except Misfit:
        raise
    except InputError as error:
        raise Misfit(str(error)) from None


def _rows(workbook: CalamineWorkbook, sheet: str) -> Iterator[tuple[int, list[Cell]]]:
    names = workbook.sheet_names
    found = next((name for name in names if name.strip().casefold() == sheet.casefold()), None)
    if found is None:
        raise Misfit(
            f"The workbook has no sheet called {sheet}; export Transaction Details again, or "
            "remove the file."
        )
    yield from enumerate(workbook.get_sheet_by_name(found).iter_rows(), 1)
