"""What an attachment may be."""

from __future__ import annotations

import pytest

from daybook.expenses.attachment_limits import FitLimits, Legibility


def test_three_megabytes_exactly_are_too_many() -> None:
    """The article says below 3 MB."""
    found = [FitLimits().takes(count) for count in (0, 1, 2_999_999, 3_000_000)]
    assert [False, True, True, False] == found


@pytest.mark.parametrize(
    "wrong",
    [
        {"bytes_max": 49_999},
        {"count_max": 0},
        {"name_chars_max": 19},
        {"extensions": frozenset({"jpg", "png"})},
        {"extensions": frozenset({"jpg", "png", "pdf", "exe"})},
    ],
)
def test_limits_that_no_receipt_can_meet_are_refused(wrong: dict[str, int]) -> None:
    """With a sentence that says what is possible."""
    with pytest.raises(ValueError, match=r"must include|too small"):
        FitLimits(**wrong)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("width", "height", "short_side"),
    [(2480, 3508, 1240), (4032, 3024, 1240), (1600, 8000, 800), (600, 900, 600), (90, 9000, 90)],
)
def test_short_sides_are_kept(width: int, height: int, short_side: int) -> None:
    """1240 pixels of a page, 800 of a till receipt, all of what came smaller."""
    assert short_side == Legibility().short_side_min(width, height)
