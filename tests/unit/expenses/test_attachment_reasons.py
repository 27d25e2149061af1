"""Refusals in words."""

from __future__ import annotations

import pytest

from daybook.expenses.attachment_limits import FitLimits, SafetyLimits
from daybook.expenses.attachment_reasons import sentence, shown_name
from daybook.expenses.attachment_verdicts import RefusalCode


def _said(code: RefusalCode, name: str = "taxi.pdf", byte_count: int = 5_260_000) -> str:
    return sentence(code, name, byte_count, limits=FitLimits(), safety=SafetyLimits())


@pytest.mark.parametrize("code", RefusalCode)
def test_every_refusal_has_a_sentence_with_a_next_step(code: RefusalCode) -> None:
    """It names the file, and says what to do after a semicolon."""
    said = _said(code)
    assert said.startswith("'taxi.pdf' ")
    assert (1, True, False) == (said.count(";"), said.endswith("."), "{" in said)


def test_sizes_are_told_in_megabytes() -> None:
    """As file managers show them."""
    said = _said(RefusalCode.CANNOT_SHRINK)
    assert "has 5.2 MB, not below 3 MB" in said


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b[2Jb", "'a?[2Jb'"),
        ("gpj.\u202egnp", "'gpj.?gnp'"),
        (" ", "A file without a name"),
        ("x" * 61, "'" + "x" * 48 + "..." + "x" * 9 + "'"),
    ],
)
def test_names_cannot_act_on_the_reader(name: str, shown: str) -> None:
    """Control and direction characters are not shown, long names are cut."""
    assert shown == shown_name(name)
