"""One cell's text to a value, or the reason why not."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import InputError
from daybook.pos import cells

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14T12:00:00+08:00",
        "2026-03-14 12:00+0800",
        "2026-03-14T04:00:00.000000Z",
        "2026-03-13T23:00:00-05:00",
    ],
)
def test_a_time_with_its_offset_is_an_instant(text: str) -> None:
    """However it is written, it is the same moment."""
    noon = dt.datetime(2026, 3, 14, 4, tzinfo=dt.UTC)
    assert (noon - EPOCH) // dt.timedelta(microseconds=1) == cells.instant_us(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-14T12:00:00",
        "14/03/2026 12:00 +08:00",
        "2026-02-30T12:00:00Z",
        "2026-03-14T25:00:00Z",
        "2026-03-14",
        "1773460800",
        "2026-03-14T12:00:00.1234567Z",
        "٢٠٢٦-03-14T12:00:00Z",
    ],
)
def test_a_time_that_is_not_certain_is_refused(text: str) -> None:
    """Without its offset, or not a time at all."""
    with pytest.raises(InputError, match="write it like 2025-03-15T18:30:00"):
        cells.instant_us(text)


@pytest.mark.parametrize("text", ["1899-12-30T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_a_year_no_till_has_seen_is_refused(text: str) -> None:
    """A clock that stands on another century is named."""
    with pytest.raises(InputError, match="check the clock of the till"):
        cells.instant_us(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.0", "x", "2147483648", "99999999999", "²"])
def test_a_position_is_a_whole_number_from_one(text: str) -> None:
    """Anything else is refused with what to write."""
    assert 2147483647 == cells.position("2147483647")
    with pytest.raises(InputError, match="is not a position; write 1 for the first"):
        cells.position(text)


@pytest.mark.parametrize(("text", "reason"), [("", "is empty"), ("x" * 201, "200"), ("\0", "NUL")])
def test_a_name_that_cannot_be_stored_is_refused(text: str, reason: str) -> None:
    """The ledger could not hold it, or nobody could read it."""
    with pytest.raises(InputError, match=reason):
        cells.name(text)


def test_words_are_taken_literally() -> None:
    """What is neither sale nor refund is not guessed at."""
    assert [False, True, False, True] == [
        cells.is_refund("sale"),
        cells.is_refund("refund"),
        cells.is_voided("final"),
        cells.is_voided("voided"),
    ]
    with pytest.raises(InputError, match="'Refund' is not known; write sale or refund"):
        cells.is_refund("Refund")


def test_a_currency_is_three_capitals() -> None:
    """Its decimals decide what an amount may look like."""
    assert "SGD" == cells.currency("SGD")
    with pytest.raises(InputError, match="use three capital letters"):
        cells.currency("S$")


@given(st.text())
def test_any_text_can_be_quoted_in_a_sentence(text: str) -> None:
    """A reject is one short line, whatever the file held."""
    quoted = cells.shown(text)
    assert quoted.isprintable()
    assert 70 > len(quoted)
