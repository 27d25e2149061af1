"""Reads a table file block by block as text or typed Arrow columns, with row numbers."""

from __future__ import annotations

import csv as python_csv
import io
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from daybook.errors import InputError
from daybook.pos.file_form import COLUMNS, KEY_COLUMNS, MalformedRow, chosen_columns
from daybook.pos.file_xlsx import read_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daybook.pos.file_form import ColumnKind, TableFile
    from daybook.pos.file_xlsx import Sheet

ROW_NUMBER: Final = "row_number"
_BLOCK_BYTES: Final = 4 << 20
_BLOCK_ROWS: Final = 1 << 16
_HEADER_BYTES_MAX: Final = 1 << 16
# A file with more rows of a wrong width is no table of ours.
_MALFORMED_MAX: Final = 10_000
_TEXT: Final = pa.string()


@dataclass(slots=True)
class FileReader:
    """One file, its header checked; `malformed` grows while the blocks are read."""

    file: TableFile
    columns: list[str]
    # No rows, in the types that the blocks will have.
    empty: pa.Table
    malformed: list[MalformedRow] = field(default_factory=list)
    # A workbook is read once, and bounded; the others are streamed.
    sheet: Sheet | None = None

    @property
    def is_child(self) -> bool:
        """Whether its rows belong to receipts in another file."""
        return self.file.table != "receipts"

    def blocks(self) -> Iterator[pa.Table]:
        """The rows in bounded blocks: the chosen columns and `row_number`; the header is row 1."""
        read = _parquet_blocks if self.file.is_parquet else _csv_blocks
        with _readable(self.file):
            for block in _sheet_blocks(self, self.sheet) if self.sheet else read(self):
                yield _tidied(block)


def open_reader(file: TableFile) -> FileReader:
    """A reader for the file.

    Raises:
        InputError: the file cannot be read, or its columns are not those of the form.
    """
    sheet = None
    with _readable(file):
        if file.is_parquet:
            with file.file_system.open(file.path, "rb") as stream:
                schema = pq.read_schema(stream)
        elif file.is_xlsx:
            sheet = read_sheet(file, ROW_NUMBER)
            schema = pa.schema([(name, _TEXT) for name in sheet.columns])
        else:
            schema = pa.schema([(name, _TEXT) for name in _csv_header(file)])
    columns = chosen_columns(file, schema.names)
    _check_types(file, schema, columns)
    types = {name: schema.field(name).type for name in columns} | {ROW_NUMBER: pa.int64()}
    empty = pa.schema(list(types.items())).empty_table()
    return FileReader(file, columns, _tidied(empty), sheet=sheet)


def sold_between(file: TableFile) -> tuple[Any, Any] | None:
    """The first and last `sold_at` that a Parquet file's statistics promise, if they do."""
    with _readable(file), file.file_system.open(file.path, "rb") as stream:
        metadata = pq.read_metadata(stream)
    names = [metadata.schema.column(index).name for index in range(metadata.num_columns)]
    column = names.index("sold_at")
    lows, highs = [], []
    for group in range(metadata.num_row_groups):
        statistics = metadata.row_group(group).column(column).statistics
        if statistics is None or not statistics.has_min_max:
            return None
        lows.append(statistics.min)
        highs.append(statistics.max)
    return (min(lows), max(highs)) if lows else None


@contextmanager
def _readable(file: TableFile) -> Iterator[None]:
    """Turn what reading can run into into a sentence that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{file.url} is not there any more; put it back and run again.") from None
    except (OSError, EOFError, zlib.error, python_csv.Error, pa.ArrowException) as error:
        cause = str(error).splitlines()[0] if isinstance(error, pa.ArrowException) else ""
        what = cause or type(error).__name__
        raise InputError(
            f"{file.url} cannot be read: {what}. "
            "Export it again as UTF-8 text or Parquet, and check that Daybook may read it."
        ) from None


def _csv_header(file: TableFile) -> list[str]:
    with file.file_system.open(file.path, "rb", compression="infer") as stream:
        first = stream.read(_HEADER_BYTES_MAX)
    try:
        # A long first read may end inside a character, which says nothing about the header.
        is_whole = len(first) < _HEADER_BYTES_MAX
        text = first.decode("utf-8-sig", errors="strict" if is_whole else "ignore")
    except UnicodeDecodeError:
        raise InputError(f"{file.url} is not UTF-8 text; export it again as CSV UTF-8.") from None
    return next(python_csv.reader(io.StringIO(text)), [])


def _csv_blocks(reader: FileReader) -> Iterator[pa.Table]:
    header = _csv_header(reader.file)

    def keep_malformed(row: csv.InvalidRow) -> str:
        if len(reader.malformed) == _MALFORMED_MAX:
            return "error"
        reader.malformed.append(_malformed(row, header))
        return "skip"

    with reader.file.file_system.open(reader.file.path, "rb", compression="infer") as stream:
        batches = csv.open_csv(
            stream,
            read_options=csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
            parse_options=csv.ParseOptions(
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=keep_malformed,
            ),
            convert_options=csv.ConvertOptions(
                include_columns=reader.columns,
                column_types=dict.fromkeys(header, _TEXT),
                strings_can_be_null=False,
            ),
        )
        next_row = 2
        for batch in batches:
            numbers = _numbers(next_row, batch.num_rows, reader.malformed)
            next_row = int(numbers[-1]) + 1 if len(numbers) else next_row
            table = pa.Table.from_batches([batch])
            yield _without_blank_rows(table.append_column(ROW_NUMBER, pa.array(numbers)))


def _numbers(first: int, count: int, malformed: list[MalformedRow]) -> np.ndarray[Any, Any]:
    """The row numbers of `count` good rows from `first` on, with gaps for the malformed ones."""
    skipped = [row.row_number for row in malformed if row.row_number >= first]
    return np.setdiff1d(np.arange(first, first + count + len(skipped)), skipped)[:count]


def _malformed(row: csv.InvalidRow, header: list[str]) -> MalformedRow:
    try:
        cells = next(python_csv.reader([row.text]), [])
    except python_csv.Error:
        cells = []
    places = [header.index(name) for name in KEY_COLUMNS if name in header]
    is_there = len(places) == len(KEY_COLUMNS) and max(places) < len(cells)
    key = (cells[places[0]].strip(), cells[places[1]].strip()) if is_there else None
    return MalformedRow(
        row_number=row.number,
        reason=f"It has {row.actual_columns} cells where the header has {row.expected_columns}.",
        key=key,
    )


def _without_blank_rows(table: pa.Table) -> pa.Table:
    is_blank = pc.equal(table["store_id"], "")
    if not pc.any(is_blank).as_py():
        return table
    for name in table.column_names:
        if name != ROW_NUMBER:
            is_blank = pc.and_(is_blank, pc.equal(table[name], ""))
    return table.filter(pc.invert(is_blank))


def _parquet_blocks(reader: FileReader) -> Iterator[pa.Table]:
    with reader.file.file_system.open(reader.file.path, "rb") as stream:
        next_row = 2
        for batch in pq.ParquetFile(stream).iter_batches(_BLOCK_ROWS, columns=reader.columns):
            numbers = np.arange(next_row, next_row + batch.num_rows)
            next_row += batch.num_rows
            yield pa.Table.from_batches([batch]).append_column(ROW_NUMBER, pa.array(numbers))


def _sheet_blocks(reader: FileReader, sheet: Sheet) -> Iterator[pa.Table]:
    reader.malformed.extend(sheet.malformed)
    for block in sheet.blocks:
        yield _without_blank_rows(block)


def _tidied(block: pa.Table) -> pa.Table:
    """Ids as text without blanks around them, so that they compare alike in all three tables."""
    for name in KEY_COLUMNS:
        place = block.column_names.index(name)
        column = pc.utf8_trim_whitespace(block[name].cast(_TEXT))
        block = block.set_column(place, name, pc.fill_null(column, ""))
    return block


_TYPES_SAID: Final[dict[ColumnKind, str]] = {
    "name": "text or whole numbers",
    "time": "timestamps with a time zone, or text",
    "position": "whole numbers or text",
    "amount": "decimals or text, or whole minor units in a column that ends in _minor",
}


def _check_types(file: TableFile, schema: pa.Schema, columns: list[str]) -> None:
    for column in COLUMNS[file.table]:
        for name in set(columns).intersection(column.names):
            if not _is_fit(schema.field(name).type, column.kind, name):
                raise InputError(
                    f"The column {name} of {file.url} holds {schema.field(name).type}; "
                    f"it must hold {_TYPES_SAID[column.kind]}."
                )


def _is_fit(kind: pa.DataType, wanted: ColumnKind, name: str) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return True
    if wanted == "time":
        return bool(pa.types.is_timestamp(kind) and kind.tz is not None)
    if wanted == "amount":
        return bool(
            pa.types.is_integer(kind) if name.endswith("_minor") else pa.types.is_decimal(kind)
        )
    is_category = name in {"category", "tax_code", "tender", "currency", "kind", "status"}
    return bool(pa.types.is_integer(kind)) and not is_category
