"""Rounding and tax of lines, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.sandbox import calculation

CENTS = st.decimals(min_value=-10_000, max_value=10_000, places=2)
RATES = st.sampled_from([Decimal(0), Decimal(8), Decimal(10), Decimal("12.5"), Decimal(15)])


def test_xeros_worked_example_of_tax_per_line() -> None:
    """Tax is rounded line by line: 87.74, where taxing the sum would give 87.75."""
    lines = [
        (Decimal(amount), calculation.line_tax(Decimal(amount), Decimal(15), "Exclusive"))
        for amount in ("25.06", "25.61", "25.63")
    ]
    found = calculation.totals(lines, "Exclusive")
    assert (Decimal("76.30"), Decimal("11.44"), Decimal("87.74")) == (
        found.sub_total,
        found.total_tax,
        found.total,
    )


@pytest.mark.parametrize(
    ("amount", "rate", "types", "tax"),
    [
        ("20.00", "15", "Inclusive", "2.61"),
        ("20.00", "9.5", "Inclusive", "1.74"),
        ("-11.50", "15", "Inclusive", "-1.50"),
        ("14.43", "15", "Exclusive", "2.16"),
        ("14.50", "15", "Exclusive", "2.18"),
        ("-14.50", "15", "Exclusive", "-2.18"),
        ("21.65", "10", "Exclusive", "2.17"),
        ("21.64", "10", "Exclusive", "2.16"),
        ("-21.65", "10", "Exclusive", "-2.17"),
        ("100.00", "15", "NoTax", "0.00"),
    ],
)
def test_tax_of_a_line(amount: str, rate: str, types: str, tax: str) -> None:
    """Half a cent goes away from zero, in both directions."""
    assert Decimal(tax) == calculation.line_tax(Decimal(amount), Decimal(rate), types)


@pytest.mark.parametrize(
    ("quantity", "unit", "line", "places", "expected"),
    [
        ("1", "1.795", None, 2, ("1.0000", "1.80", "1.80")),
        ("1000", "1.795", None, 4, ("1000.0000", "1.7950", "1795.00")),
        (None, None, "20.00", 2, ("1.0000", "20.00", "20.00")),
        ("3", None, "10.00", 4, ("3.0000", "3.3333", "10.00")),
        (None, "5.00", "20.00", 2, ("4.0000", "5.00", "20.00")),
        (None, "5.00", None, 2, ("1.0000", "5.00", "5.00")),
    ],
)
def test_what_is_left_out_is_derived(
    quantity: str | None, unit: str | None, line: str | None, places: int, expected: tuple[str, ...]
) -> None:
    """Any one or two of quantity, unit amount and line amount are enough."""
    sent = [Decimal(value) if value is not None else None for value in (quantity, unit, line)]
    found = calculation.fill_amounts(sent[0], sent[1], sent[2], places)
    assert expected == (str(found.quantity), str(found.unit_amount), str(found.line_amount))


def test_no_amounts_make_a_text_line() -> None:
    """A line of text alone has no quantity and costs nothing."""
    found = calculation.fill_amounts(None, None, None, 2)
    assert (None, Decimal(0)) == (found.quantity, found.line_amount)


def test_discounts_come_off_the_line() -> None:
    """A rate is in percent, an amount is for the whole line."""
    ten, three = Decimal(10), Decimal(3)
    assert Decimal("22.50") == calculation.expected_line_amount(three, ten, Decimal(25))
    assert Decimal("25.00") == calculation.expected_line_amount(three, ten, None, Decimal(5))


@given(st.lists(CENTS, max_size=12), RATES)
def test_inclusive_total_is_the_sum_of_its_lines(amounts: list[Decimal], rate: Decimal) -> None:
    """Whatever the rate, inclusive lines add up to the total and to net plus tax."""
    lines = [(a, calculation.line_tax(a, rate, "Inclusive")) for a in amounts]
    found = calculation.totals(lines, "Inclusive")
    assert sum(amounts, Decimal(0)) == found.total == found.sub_total + found.total_tax


@given(CENTS, RATES)
def test_tax_of_a_refund_is_the_negative_of_the_sale(amount: Decimal, rate: Decimal) -> None:
    """Tax is symmetric about zero, inclusive or not."""
    for types in ("Inclusive", "Exclusive"):
        there = calculation.line_tax(amount, rate, types)
        assert there == -calculation.line_tax(-amount, rate, types)
