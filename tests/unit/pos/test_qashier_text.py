"""Cells and bytes of Qashier's files."""

from __future__ import annotations

import pytest

from daybook.errors import InputError
from daybook.pos.qashier_text import Misfit, amount_minor, decoded, label, mended, name


@pytest.mark.parametrize(
    ("cell", "minor"),
    [
        ("12.30", 1230),
        ("-0.05", -5),
        (" 1,234,567.80 ", 123456780),
        ("$5.00", 500),
        ("-$5.00", -500),
        ("$-5.00", -500),
        ("S$1,000", 100000),
        ("RM 7.5", 750),
        ("฿80.00", 8000),
        ("(3.20)", -320),
        ("\N{MINUS SIGN}1.00", -100),
        ("4.500", 450),
    ],
)
def test_amounts_are_read_as_people_write_them(cell: str, minor: int) -> None:
    """Currency signs, thousands in threes, brackets and both minus signs are understood."""
    assert minor == amount_minor(cell, "SGD")


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "-",
        "$",
        "12,30",
        "1,23,4.00",
        "1.005",
        "abc",
        "=1+1",
        "--5",
        "1e3",
        "NaN",
        "1" * 40,
        "(",
    ],
)
def test_what_is_no_exact_amount_is_refused(cell: str) -> None:
    """A comma for a decimal point, a formula, a fraction of a cent: none is guessed at."""
    with pytest.raises(InputError):
        amount_minor(cell, "SGD")


def test_a_currency_without_decimals_takes_none() -> None:
    """1,500.00 yen are 1500, and half a yen is refused."""
    assert 1500 == amount_minor("1,500.00", "JPY")
    with pytest.raises(InputError, match="decimals"):
        amount_minor("0.50", "JPY")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_any_usual_encoding_is_read(encoding: str) -> None:
    """Nobody promised one, and spreadsheets change it when they save."""
    assert "Café" == decoded("Café".encode(encoding))


def test_bytes_of_no_encoding_still_become_text() -> None:
    """The text is wrong then, and the cells that matter will say so."""
    assert "a\x81b" == decoded(b"a\x81b")


def test_twice_encoded_names_are_mended() -> None:
    """UTF-8 taken for Latin-1 on the way is undone; a true accent stays."""
    assert ("Café", "Café", "茶") == (mended("CafÃ©"), mended(" Café "), mended("茶"))


def test_headings_compare_without_case_blanks_and_points() -> None:
    """`Receipt  No.` is `receipt no`."""
    assert "receipt no" == label("Receipt\N{NO-BREAK SPACE} No. ")


def test_a_name_that_cannot_be_a_key_says_its_row() -> None:
    """An empty payment method is found by its row number."""
    with pytest.raises(Misfit, match="payment method") as caught:
        name("", "payment method", 7)
    assert 7 == caught.value.row_number
