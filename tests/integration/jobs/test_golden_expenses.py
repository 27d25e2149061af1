"""The rules of expenses, each worked out by hand; the cases are the files beside this."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from expense_place import connected_expenses
from golden_expense import CASES, CaseError, case_files, outcome, read_case

from daybook.expenses.problems import ProblemCode
from daybook.expenses.states import ExpenseState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from expense_place import ExpensePlace

FILES = case_files()
LEAST_CASES = {"eligibility": 8, "mapping": 12, "states": 12}


@pytest.fixture
def place(database_url: str) -> Iterator[ExpensePlace]:
    """An organisation, a card account and a ledger of the case's own."""
    with connected_expenses(database_url) as connected:
        yield connected


@pytest.mark.postgres
@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_expenses_come_to_what_was_worked_out_by_hand(file: Path, place: ExpensePlace) -> None:
    """States, problems, bank transactions and history, table by table."""
    case = read_case(file.read_text(encoding="utf-8"))
    assert case.expected == outcome(case, place)


def test_every_rule_has_its_cases() -> None:
    """Nobody takes cases of a rule away unseen."""
    titles = [read_case(file.read_text(encoding="utf-8")).title for file in FILES]
    counted = Counter(title.rpartition("(")[2].rstrip(")") for title in titles)
    assert not {rule for rule, least in LEAST_CASES.items() if counted[rule] < least}
    assert len(set(titles)) == len(titles)


def test_every_problem_and_state_has_a_case() -> None:
    """What can be stored with an expense, and what finance sees, each at least once."""
    rows = [
        row
        for file in FILES
        for row in read_case(file.read_text(encoding="utf-8")).expected["Expenses"]
    ]
    codes = {code for row in rows for code in row.get("problem", "").split(", ")}
    # Said by `correct`, and never stored.
    assert {ProblemCode.NOT_CORRECTABLE} == set(ProblemCode) - codes
    assert set(ExpenseState) == {row["state"] for row in rows}


@pytest.mark.parametrize(
    ("there", "instead", "problem"),
    [
        ("(mapping)", "", "does not name its rule"),
        (" = 12.50", " = 12.51", "the note is wrong"),
        ("10.87 + 1.63 = 12.50", "12.50 is the sum", "does not work out 1.63"),
        ("## In Xero", "## Xero", "section 'Xero' is unknown"),
        ("| reference | kind", "| reference | sort", "has the columns"),
    ],
)
def test_careless_case_is_refused(there: str, instead: str, problem: str) -> None:
    """A title without its rule, a note without right sums, a table with a slip: none passes."""
    sound = (CASES / "category_decides_account_and_tax.md").read_text(encoding="utf-8")
    assert there in sound
    with pytest.raises(CaseError, match=problem):
        read_case(sound.replace(there, instead))
