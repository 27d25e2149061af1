"""Amounts between text, minor units and Decimal."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import InputError
from daybook.money import amount_from_minor, minor_from_amount, parse_minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.30", "SGD", 1230), ("-0.05", "SGD", -5), ("1200", "JPY", 1200), ("1.005", "KWD", 1005)],
)
def test_text_becomes_minor_units(text: str, currency: str, minor: int) -> None:
    """Each currency has its own number of decimals."""
    assert minor == parse_minor(text, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,234.00",
        "$5",
        "1e3",
        "NaN",
        "0.005",
        "1.",
        ".5",
        "\u0661\u0662",
        " 1",
        "--1",
        "1" * 16,
    ],
)
def test_what_is_not_an_exact_amount_is_refused(text: str) -> None:
    """No guessing: a separator, a symbol or half a cent is a sentence, not a number."""
    with pytest.raises(InputError, match=r"amount|decimals"):
        parse_minor(text, "SGD")


@pytest.mark.parametrize("currency", ["sgd", "S", "", "SG1", "SGDX"])
def test_currency_code_must_be_three_capitals(currency: str) -> None:
    """Anything else is refused before it can mean two decimals by accident."""
    with pytest.raises(InputError, match="currency code"):
        parse_minor("1", currency)


@given(st.integers(-(10**14), 10**14), st.sampled_from(["SGD", "JPY", "KWD"]))
def test_minor_units_survive_the_round_trip(minor: int, currency: str) -> None:
    """To Decimal, to text and back."""
    amount = amount_from_minor(minor, currency)
    assert minor == minor_from_amount(amount, currency)
    assert minor == parse_minor(str(amount), currency)


def test_fraction_of_a_minor_unit_stops_the_program() -> None:
    """A half cent in a document is a broken invariant."""
    with pytest.raises(AssertionError, match="whole number"):
        minor_from_amount(Decimal("0.005"), "SGD")
