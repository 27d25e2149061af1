"""Whole columns to values: each distinct cell is read once, bad ones are remembered by row."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import InputError
from daybook.money import parse_minor
from daybook.pos import cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_Value = TypeVar("_Value", int, bool, str)
_TIME: Final = pa.timestamp("us", tz="UTC")
# 90,000 such amounts still add up in 64 bits, and no till has one of them.
_MINOR_MAX: Final = 10**14
_EMPTY: Final = "It is empty; fill it in."


@dataclass(slots=True)
class Problems:
    """What is wrong in some rows of a table: row position -> (column, reason); the first counts."""

    by_row: dict[int, tuple[str, str]] = field(default_factory=dict)

    def note(self, rows: NDArray[np.int64], column: str, reason: str) -> None:
        """Remember the reason for these rows, unless they have one already."""
        for row in rows.tolist():
            self.by_row.setdefault(row, (column, reason))

    def rows(self) -> NDArray[np.int64]:
        """The rows with a problem."""
        return np.fromiter(self.by_row, dtype=np.int64, count=len(self.by_row))


def names(table: pa.Table, column: str, problems: Problems) -> pd.Categorical[Any]:
    """A column of few distinct names, as categories."""
    return _names(table, column, problems, cells.name)


def currencies(table: pa.Table, problems: Problems) -> pd.Categorical[Any]:
    """The column of currency codes, as categories."""
    return _names(table, "currency", problems, cells.currency)


def flags(
    table: pa.Table, column: str, problems: Problems, parse: Callable[[str], bool]
) -> NDArray[np.bool_]:
    """A column of words that say yes or no."""
    values, codes = _parsed(_text(table[column]), column, problems, parse)
    return np.array([*values, False], dtype=bool)[codes]


def ids(table: pa.Table, column: str, problems: Problems) -> pd.Series[str]:
    """A column of mostly distinct ids, which are trimmed text already."""
    text = table[column].combine_chunks()
    is_odd = pc.or_(
        pc.or_(pc.equal(text, ""), pc.match_substring(text, "\0")),
        pc.greater(pc.utf8_length(text), cells.NAME_LENGTH_MAX),
    )
    for row in np.flatnonzero(is_odd.to_numpy(zero_copy_only=False)).tolist():
        try:
            cells.name(text[row].as_py())
        except InputError as error:
            problems.by_row.setdefault(row, (column, str(error)))
    return pd.Series(text.to_pandas(), dtype="str")


def instants(table: pa.Table, column: str, problems: Problems) -> NDArray[np.int64]:
    """A column of times as microseconds since 1970."""
    values = table[column]
    if not pa.types.is_timestamp(values.type):
        parsed, codes = _parsed(_text(values), column, problems, cells.instant_us)
        return np.array([*parsed, 0], dtype=np.int64)[codes]
    microseconds = pc.cast(values, _TIME, safe=False).combine_chunks().cast(pa.int64())
    problems.note(_nulls(microseconds), column, _EMPTY)
    result: NDArray[np.int64] = pc.fill_null(microseconds, 0).to_numpy(zero_copy_only=False)
    for odd in np.unique(result[(result < 0) | (result > cells.instant_us("2199-12-31 00:00Z"))]):
        try:
            cells.instant_in_range(int(odd))
        except InputError as error:
            problems.note(np.flatnonzero(result == odd), column, str(error))
    return result


def positions(table: pa.Table, column: str, problems: Problems) -> NDArray[np.int32]:
    """A column of places on a receipt."""
    parsed, codes = _parsed(_text(table[column]), column, problems, cells.position)
    return np.array([*parsed, 0], dtype=np.int32)[codes]


def amounts(
    table: pa.Table, column: str, currency: pd.Categorical[Any], problems: Problems
) -> NDArray[np.int64]:
    """An amount column in minor units, given as text, decimals or minor units; absent means 0."""
    minor = f"{column.removesuffix('_amount')}_minor"
    if minor in table.column_names and pa.types.is_integer(table[minor].type):
        return _whole_amounts(table, minor, problems)
    if minor not in table.column_names and column not in table.column_names:
        return np.zeros(table.num_rows, dtype=np.int64)
    is_minor = minor in table.column_names
    name = minor if is_minor else column
    result = np.zeros(table.num_rows, dtype=np.int64)
    for code, one in enumerate(currency.categories.to_list()):
        rows = np.flatnonzero(currency.codes == code)
        # Minor units as text are amounts of a currency without decimals.
        parse = partial(parse_minor, currency="JPY" if is_minor else one)
        parsed, codes = _parsed_rows(_text(table[name]), rows, name, problems, parse)
        result[rows] = np.array([*parsed, 0], dtype=np.int64)[codes]
    return _bounded(result, np.abs(result) > _MINOR_MAX, name, problems)


def _whole_amounts(table: pa.Table, name: str, problems: Problems) -> NDArray[np.int64]:
    """A column of integers, which may be unsigned and larger than any other column can hold."""
    values = table[name].combine_chunks()
    problems.note(_nulls(values), name, _EMPTY)
    filled: NDArray[Any] = pc.fill_null(values, 0).to_numpy(zero_copy_only=False)
    is_over = (filled > _MINOR_MAX) | (filled < (0 if filled.dtype.kind == "u" else -_MINOR_MAX))
    return _bounded(filled.astype(np.int64), is_over, name, problems)


def _bounded(
    minor: NDArray[np.int64], is_over: NDArray[np.bool_], name: str, problems: Problems
) -> NDArray[np.int64]:
    """The amounts, of which those that a day's sum could not hold are problems."""
    rows = np.flatnonzero(is_over)
    problems.note(rows, name, f"It is more than {_MINOR_MAX:,} minor units; correct the amount.")
    minor[rows] = 0
    return minor


def _names(
    table: pa.Table, column: str, problems: Problems, parse: Callable[[str], str]
) -> pd.Categorical[Any]:
    values, codes = _parsed(_text(table[column]), column, problems, parse)
    return pd.Categorical.from_codes(codes, categories=pd.Index(values, dtype="str"))


def _parsed(
    column: pa.Array, name: str, problems: Problems, parse: Callable[[str], _Value]
) -> tuple[list[_Value], NDArray[np.int64]]:
    return _parsed_rows(column, np.arange(len(column)), name, problems, parse)


def _parsed_rows(
    column: pa.Array,
    rows: NDArray[np.int64],
    name: str,
    problems: Problems,
    parse: Callable[[str], _Value],
) -> tuple[list[_Value], NDArray[np.int64]]:
    """The distinct values of these rows, and which one each row has; -1 where it is bad."""
    chosen = column if len(rows) == len(column) else column.take(pa.array(rows))
    encoded = chosen.dictionary_encode()
    codes = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    problems.note(rows[codes < 0], name, _EMPTY)
    values: list[_Value] = []
    place = np.full(len(encoded.dictionary) + 1, -1, dtype=np.int64)
    for code, text in enumerate(encoded.dictionary.to_pylist()):
        try:
            value = parse(text)
        except InputError as error:
            problems.note(rows[codes == code], name, str(error))
            continue
        place[code] = len(values)
        values.append(value)
    return values, place[codes]


def _text(column: pa.ChunkedArray) -> pa.Array:
    """The column as trimmed text; decimals are written out in full."""
    array = column.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_decimal(array.type):
        encoded = array.dictionary_encode()
        written = pa.array([cells.plain(value) for value in encoded.dictionary.to_pylist()])
        return pa.DictionaryArray.from_arrays(encoded.indices, written).cast(pa.string())
    return pc.utf8_trim_whitespace(array.cast(pa.string()))


def _nulls(column: Any) -> NDArray[np.int64]:  # noqa: ANN401 - pyarrow has no types
    nulls: NDArray[np.int64] = np.flatnonzero(pc.is_null(column).to_numpy(zero_copy_only=False))
    return nulls
