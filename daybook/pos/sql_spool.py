"""A query's rows into a Parquet file of the files source's form, block by block."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from daybook.errors import InputError
from daybook.pos.cells import plain
from daybook.pos.file_form import COLUMNS, chosen_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daybook.pos.file_form import ColumnKind, TableFile

_TIME: Final = pa.timestamp("us", tz="UTC")


def spool(file: TableFile, header: Sequence[str], blocks: Iterator[Sequence[Sequence[Any]]]) -> int:
    """Write the rows to the file's path; how many there were.

    Everything becomes text, times that are times stay times.

    Raises:
        InputError: a column is missing, or holds what cannot be read exactly.
    """
    chosen = chosen_columns(file, header)
    places = [header.index(name) for name in chosen]
    kinds = _kinds(file)
    row_count = 0
    first = next(blocks, [])
    types = [
        _TIME if kinds[name] == "time" and _are_times(first, place) else pa.string()
        for name, place in zip(chosen, places, strict=True)
    ]
    schema = pa.schema(list(zip(chosen, types, strict=True)))
    with pq.ParquetWriter(file.path, schema) as writer:
        block: Sequence[Sequence[Any]] | None = first
        while block is not None:
            arrays = [
                _array(file, name, [row[place] for row in block], kind)
                for name, place, kind in zip(chosen, places, types, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            row_count += len(block)
            block = next(blocks, None)
    return row_count


def _kinds(file: TableFile) -> dict[str, ColumnKind]:
    return {name: column.kind for column in COLUMNS[file.table] for name in column.names}


def _are_times(rows: Sequence[Sequence[Any]], place: int) -> bool:
    """Whether the column's first value is a time rather than text."""
    found = next((row[place] for row in rows if row[place] is not None), None)
    return isinstance(found, dt.datetime)


def _array(file: TableFile, name: str, values: list[Any], kind: pa.DataType) -> pa.Array:
    if kind == _TIME:
        if not all(value is None or _is_aware(value) for value in values):
            raise InputError(
                f"The column {name} of {file.url} holds times without a time zone; select it "
                f"AT TIME ZONE the one it was written in, as {name}."
            )
        return pa.array(values, _TIME)
    return pa.array([_text(file, name, value) for value in values], pa.string())


def _is_aware(value: object) -> bool:
    return isinstance(value, dt.datetime) and value.tzinfo is not None


def _text(file: TableFile, name: str, value: object) -> str | None:
    match value:
        case None | str():
            return value
        case Decimal():
            return plain(value)
        case float():
            raise InputError(
                f"The column {name} of {file.url} holds floating-point numbers, which have lost "
                "cents already; read it out of a numeric column, or round it and cast it to text."
            )
        case bytes() | bytearray() | memoryview():
            raise InputError(f"The column {name} of {file.url} holds bytes; cast it to text.")
        case dt.datetime():
            return value.isoformat()
        case _:
            return str(value)
