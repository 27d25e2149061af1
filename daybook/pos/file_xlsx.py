"""One table of the files source out of a workbook: every cell as the text that it shows in full.

Workbooks keep numbers as binary fractions. The shortest decimal text that means the same fraction
is taken, which is what was typed: 12.3 is `12.3`. The result of a formula that was not rounded, as
0.30000000000000004, has too many decimals and is refused with its row, like any other amount.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from daybook.errors import InputError
from daybook.pos.cells import plain
from daybook.pos.file_form import KEY_COLUMNS, MalformedRow, TableFile, chosen_columns
from daybook.xlsx_safe import opened_workbook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from python_calamine import CalamineSheet, CalamineWorkbook

# Spreadsheets keep 15 digits of a number.
_EXACT_MAX: Final = 10**15
_BLOCK_ROWS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Sheet:
    """The chosen columns under the header, as text, with row numbers; and the rows left out."""

    columns: list[str]
    blocks: list[pa.Table]
    malformed: list[MalformedRow]


def read_sheet(file: TableFile, row_number: str) -> Sheet:
    """The sheet of this table: the one of its name, or the only one.

    Raises:
        InputError: the workbook cannot be read, is too large, or has no such sheet or columns.
    """
    with (
        tempfile.TemporaryDirectory(prefix="daybook-") as folder,
        file.file_system.open(file.path, "rb") as stream,
        opened_workbook(stream, file.url, Path(folder)) as workbook,
    ):
        rows = _sheet_of(workbook, file).iter_rows()
        header = [str(cell).strip() for cell in next(rows, [])]
        columns = chosen_columns(file, header)
        places = [header.index(name) for name in columns]
        schema = pa.schema([(name, pa.string()) for name in columns] + [(row_number, pa.int64())])
        malformed: list[MalformedRow] = []
        cells = ([row[place] for place in places] for row in rows)
        blocks = [
            pa.table([*map(list, zip(*texts, strict=True)), numbers], schema=schema)
            for numbers, texts in _blocks(cells, columns, malformed)
        ]
    return Sheet(columns, blocks, malformed)


def _sheet_of(workbook: CalamineWorkbook, file: TableFile) -> CalamineSheet:
    names = workbook.sheet_names
    named = [name for name in names if name.strip().casefold() == file.table]
    if len(named) == 1:
        return workbook.get_sheet_by_name(named[0])
    if len(names) == 1 and not file.is_shared:
        return workbook.get_sheet_by_index(0)
    raise InputError(
        f"{file.url} has no sheet called {file.table}; its sheets are {', '.join(names)}. "
        "Rename the one with the table, or put the table into a file of its own."
    )


def _blocks(
    rows: Iterator[Sequence[Any]], columns: list[str], malformed: list[MalformedRow]
) -> Iterator[tuple[list[int], list[list[str]]]]:
    numbers: list[int] = []
    texts: list[list[str]] = []
    for number, row in enumerate(rows, start=2):
        if odd := next((cell for cell in row if _is_cut(cell)), None):
            malformed.append(_malformed(number, odd, row, columns))
            continue
        numbers.append(number)
        texts.append([_text(cell) for cell in row])
        if len(numbers) == _BLOCK_ROWS:
            yield numbers, texts
            numbers, texts = [], []
    if numbers:
        yield numbers, texts


def _is_cut(cell: object) -> bool:
    """Whether it is a number with more digits than a spreadsheet keeps."""
    return isinstance(cell, float) and not -_EXACT_MAX < cell < _EXACT_MAX


def _malformed(
    number: int, odd: object, row: Sequence[Any], columns: Sequence[str]
) -> MalformedRow:
    key = [row[columns.index(name)] for name in KEY_COLUMNS]
    return MalformedRow(
        row_number=number,
        reason=f"It holds the number {odd}, of which a spreadsheet keeps 15 digits only; "
        "export that column as text.",
        key=None if any(map(_is_cut, key)) else (_text(key[0]).strip(), _text(key[1]).strip()),
    )


def _text(cell: object) -> str:
    match cell:
        case str():
            return cell
        case bool():
            return str(cell).upper()
        case float():
            return plain(Decimal(repr(cell)))
        case _:
            return str(cell)
