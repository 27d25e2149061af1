"""Whole days from receipts to documents, each trap by hand; the cases are the files beside this."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from golden_day import GOLDEN, CaseError, case_files, outcome, read_case

if TYPE_CHECKING:
    from pathlib import Path

FILES = case_files()
LEAST_CASES = 40
# Trap 20, the vendor's own posting into the same books, is another program's: no receipt shows it.
TRAPS = set(range(1, 20))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_day_comes_to_what_was_worked_out_by_hand(file: Path) -> None:
    """Receipts, daily totals, documents and payments, or the holds, table by table."""
    case = read_case(file.read_text(encoding="utf-8"))
    assert case.expected == outcome(case)


def test_every_trap_has_its_cases() -> None:
    """Nobody takes the last case of a trap away unseen."""
    titles = [read_case(file.read_text(encoding="utf-8")).title for file in FILES]
    named = {
        int(number) for title in titles for number in re.findall(r"\d+", title.split("(trap")[1])
    }
    assert named == TRAPS
    assert len(titles) >= LEAST_CASES
    assert len(set(titles)) == len(titles)


def sound() -> str:
    """A case that can be read, for the tests below to spoil."""
    return (GOLDEN / "plain_day.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("there", "instead", "problem"),
    [
        ("(trap 4)", "", "does not name its trap"),
        (" = ", " is ", "the note works out no figure"),
        ("0.90 + 1.80 = 2.70", "0.90 + 1.80 = 2.71", "the note is wrong"),
        ("= 32.70", "is the sum", "does not work out 32.70"),
        ("## Payments", "## Payment", "section 'Payment' is unknown"),
        ("## Holds\n\nNone.", "", "sections are missing: .*Holds"),
        ("None.", "Nothing.", "neither one table nor"),
        ("sold at", "sold", "has the columns"),
        ("| R1      | 2026", "| R1 | x | 2026", "a row that is not as long as its header"),
        ("| R1      | Cash", "| R7 | Cash", "receipts are listed once"),
        ("10:05+08:00", "10:05", "has no offset"),
    ],
)
def test_careless_case_is_refused(there: str, instead: str, problem: str) -> None:
    """A title without its trap, a note without right sums, a table with a slip: none passes."""
    assert there in sound()
    with pytest.raises(CaseError, match=problem):
        read_case(sound().replace(there, instead))


def test_wrong_figure_in_a_table_is_seen() -> None:
    """A cent more in an expected payment, and the case no longer holds."""
    spoilt = read_case(sound().replace("| 091     | 10.90", "| 091     | 10.91"))
    assert spoilt.expected != outcome(spoilt)
