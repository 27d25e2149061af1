"""Whole columns to values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from daybook.pos import cells, columns
from daybook.pos.columns import Problems

SGD = pd.Categorical(["SGD"] * 3)
LONG = pa.array([Decimal("12.3"), Decimal("-0.05"), Decimal(7)], pa.decimal128(38, 12))


def table(**arrays: Any) -> pa.Table:  # noqa: ANN401 - whatever pyarrow takes
    """A table of these columns."""
    return pa.table(arrays)


@pytest.mark.parametrize(
    "given",
    [
        table(net_amount=["12.30", " -0.05", "7"]),
        table(net_amount=pa.array(["12.30", "-0.05", "7"]).dictionary_encode()),
        table(net_amount=[Decimal("12.300"), Decimal("-0.050"), Decimal("7.000")]),
        table(
            net_amount=pa.array(
                [Decimal("12.3"), Decimal("-0.05"), Decimal(7)], pa.decimal128(38, 12)
            )
        ),
        table(net_minor=["1230", "-5", "700"]),
        table(net_minor=pa.array([1230, -5, 700], pa.int32())),
    ],
)
def test_amounts_come_in_many_forms_and_are_the_same(given: pa.Table) -> None:
    """Text, decimals and minor units; never a float."""
    problems = Problems()
    assert [1230, -5, 700] == columns.amounts(given, "net_amount", SGD, problems).tolist()
    assert {} == problems.by_row


def test_each_amount_has_the_decimals_of_its_own_currency() -> None:
    """Yen have none, dinars three."""
    currency = pd.Categorical(["JPY", "KWD", "SGD"])
    given = table(net_amount=["1230", "1.230", "12.30"])
    problems = Problems()
    assert [1230, 1230, 1230] == columns.amounts(given, "net_amount", currency, problems).tolist()
    columns.amounts(table(net_amount=["1.5", "1.5", "1.555"]), "net_amount", currency, problems)
    assert [0, 2] == sorted(problems.by_row)


@pytest.mark.parametrize("bad", ["1,5", "", None, "1.234", "$5", "NaN", "1e3", "=1+1", "- 5"])
def test_a_bad_amount_is_remembered_by_row(bad: str | None) -> None:
    """The others are read all the same."""
    problems = Problems()
    values = columns.amounts(table(net_amount=["1.00", bad, "2.00"]), "net_amount", SGD, problems)
    assert [100, 200] == values[[0, 2]].tolist()
    assert [1] == list(problems.by_row)


def test_a_fraction_of_a_cent_in_decimals_is_refused() -> None:
    """It is not rounded away."""
    problems = Problems()
    columns.amounts(table(net_amount=[Decimal("1.005")] * 3), "net_amount", SGD, problems)
    assert "'1.005' has more decimals than SGD has (2)." == problems.by_row[0][1]


@pytest.mark.parametrize(
    "given",
    [
        pa.table({"net_minor": pa.array([100, 2**63, 200], pa.uint64())}),
        pa.table({"net_minor": pa.array([100, 2**63 - 1, 200], pa.int64())}),
        pa.table({"net_minor": pa.array([100, -(2**63), 200], pa.int64())}),
        pa.table({"net_minor": ["100", "999999999999999", "200"]}),
        pa.table({"net_amount": ["1.00", "-9999999999999.99", "2.00"]}),
    ],
)
def test_an_amount_that_sums_cannot_hold_is_a_problem(given: pa.Table) -> None:
    """64 bits would wrap around in lines and tenders alike, and nothing would differ."""
    problems = Problems()
    values = columns.amounts(given, "net_amount", SGD, problems)
    assert ([100, 0, 200], [1]) == (values.tolist(), list(problems.by_row))
    assert "more than 100,000,000,000,000 minor units" in problems.by_row[1][1]


@pytest.mark.parametrize("kind", [pa.uint8(), pa.int8(), pa.uint64(), pa.int64()])
def test_whole_minor_units_of_any_width_are_read(kind: pa.DataType) -> None:
    """The largest amount there may be is read, whatever the column could hold."""
    largest = 100 if kind.bit_width == 8 else 10**14
    given = pa.table({"net_minor": pa.array([largest, 0, 1], kind)})
    problems = Problems()
    assert [largest, 0, 1] == columns.amounts(given, "net_amount", SGD, problems).tolist()
    assert {} == problems.by_row


def test_an_absent_optional_amount_is_zero() -> None:
    """A till that knows no discounts needs no column for them."""
    given = table(line_no=["1", "2", "3"])
    assert [0, 0, 0] == columns.amounts(given, "discount_amount", SGD, Problems()).tolist()


def test_minor_units_must_be_whole() -> None:
    """A missing or broken number in a minor column is a problem of that row."""
    problems = Problems()
    columns.amounts(table(net_minor=["1.5", "2", None]), "net_amount", SGD, problems)
    columns.amounts(table(net_minor=[1, None, 3]), "net_amount", SGD, problems)
    assert [0, 1, 2] == sorted(problems.by_row)


@pytest.mark.parametrize(
    "at",
    [
        pa.array(["1970-01-01T08:00:01+08:00", "1970-01-01T00:00:02Z", "x"]),
        pa.array([1000, 2000, None], pa.timestamp("ms", tz="Asia/Singapore")),
        pa.array([1_000_000_000, 2_000_000_999, None], pa.timestamp("ns", tz="UTC")),
        pa.array([1, 2, -(10**11)], pa.timestamp("s", tz="UTC")),
    ],
)
def test_times_come_as_text_or_timestamps(at: pa.Array) -> None:
    """Microseconds since 1970 either way; a bad one is remembered."""
    problems = Problems()
    assert [1_000_000, 2_000_000] == columns.instants(table(at=at), "at", problems)[:2].tolist()
    assert [2] == list(problems.by_row)


def test_names_become_categories() -> None:
    """Blanks around them go, empty ones are problems."""
    problems = Problems()
    names = columns.names(table(category=[" Food", "Food ", ""]), "category", problems)
    assert (["Food"], [0, 0, -1]) == (names.categories.tolist(), names.codes.tolist())
    assert {2: ("category", "It is empty; fill it in.")} == problems.by_row


def test_the_first_problem_of_a_row_is_the_one_that_is_told() -> None:
    """One reason per row is enough to look at it."""
    problems = Problems()
    rows = table(kind=["return", "sale"], currency=["dollars", "SGD"])
    columns.currencies(rows, problems)
    flags = columns.flags(rows, "kind", problems, cells.is_refund)
    assert not flags[1]
    assert ["currency"] == [column for column, _ in problems.by_row.values()]


def test_odd_ids_are_problems() -> None:
    """Empty, endless, or with a character the ledger cannot hold."""
    problems = Problems()
    given = table(receipt_id_pos=["R1", "", "x" * 201, "a\0b"])
    assert "R1" == columns.ids(given, "receipt_id_pos", problems)[0]
    assert [1, 2, 3] == sorted(problems.by_row)


def test_whole_numbers_may_be_ids_and_positions() -> None:
    """Parquet keeps numbers as numbers."""
    problems = Problems()
    assert [1, 2, 3] == columns.positions(table(line_no=[1, 2, 3]), "line_no", problems).tolist()
    assert {} == problems.by_row
