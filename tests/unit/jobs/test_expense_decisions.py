"""Decisions as people write them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from daybook.errors import InputError
from daybook.expenses.expense import Expense, Override, SourceStatus
from daybook.jobs.expense_decisions import (
    as_mapped,
    cleared,
    decisions_in_csv,
    split_lines_of,
    told_lines,
    tracking_of,
)
from daybook.ledger.expense_mappings import DatedExpenseMappings
from daybook.posting.expense_mapping import AccountLink, ExpenseMapping, MerchantRule

WHOLE = Expense(
    "files", "1", "a", SourceStatus.SETTLED, dt.date(2026, 3, 5), 2050, "SGD", "Grab", "Transport"
)


def test_empty_cells_of_a_file_change_nothing() -> None:
    """Whatever wrote the file, a spreadsheet's byte order mark included."""
    text = "\ufeffexpense,account,note\nE-1,420,\nE-2,,taxi\n"
    assert {"E-1": {"account": "420"}, "E-2": {"note": "taxi"}} == decisions_in_csv(text, "d.csv")


@pytest.mark.parametrize("header", ["id,account", "expense,amount"])
def test_odd_columns_are_refused_with_those_there_are(header: str) -> None:
    """A misspelt column would change nothing and say nothing."""
    with pytest.raises(InputError, match="must have the column expense and any of account"):
        decisions_in_csv(f"{header}\n", "d.csv")


def test_tracking_is_category_and_option() -> None:
    """One without the other is refused."""
    assert {"Region": "North", "Team": "A=B"} == tracking_of(["Region=North", "Team=A=B"])
    with pytest.raises(InputError, match="write it as Region=North"):
        tracking_of(["North"])


def test_lines_come_to_the_whole() -> None:
    """Amount, category and text; none takes a split back; another sum is refused."""
    assert [
        {"amount_minor": 1200, "category": "Meals"},
        {"amount_minor": 850, "category": "Transport", "description": "taxi: home"},
    ] == split_lines_of(["12.00:Meals", "8.50:Transport:taxi: home"], WHOLE, Override())
    assert [] == split_lines_of([], WHOLE, Override())
    with pytest.raises(InputError, match=r"come to 12.00 SGD and the expense to 20.50"):
        split_lines_of(["12.00"], WHOLE, Override())
    with pytest.raises(InputError, match=r"'Meals' is no line; write .* like 12.00:Meals"):
        split_lines_of(["20.50:Transport", "Meals"], WHOLE, Override())
    with pytest.raises(InputError, match=r"'0.00:Meals' is a line of nothing"):
        split_lines_of(["20.50:Transport", "0.00:Meals"], WHOLE, Override())


@pytest.mark.parametrize("part", ["20.50", "20.50:", "20.50: :taxi"])
def test_a_line_that_would_go_nowhere_is_refused(part: str) -> None:
    """It has no category, and neither has the expense; where that goes, the line follows."""
    bare = replace(WHOLE, category="")
    with pytest.raises(InputError, match=r"no category, and .* --account CODE") as refused:
        split_lines_of([part], bare, Override())
    assert "Write 20.50:Meals, or decide first: daybook expenses set files-1" in str(refused.value)
    for whole, decided in (
        (WHOLE, Override()),
        (bare, Override(category="Meals")),
        (bare, Override(account="420")),
    ):
        assert [2050] == [one["amount_minor"] for one in split_lines_of([part], whole, decided)]


def test_a_merchant_rule_places_a_line_of_an_expense_without_category() -> None:
    """That of the mapping in force for its account; another account's says nothing."""
    bare = replace(WHOLE, category="")
    rule = MerchantRule("grab", category="Transport")
    link = AccountLink("090", "SG", dt.date(2026, 1, 1))
    later = dt.date(2026, 3, 6)

    def mapped(account: str, date: dt.date) -> Expense:
        mapping = ExpenseMapping("Kopi", date, "Card", {account: link}, {}, (rule,))
        return as_mapped(bare, [DatedExpenseMappings([mapping])])

    mine = mapped("files:a", WHOLE.spent_date)
    assert [{"amount_minor": 2050}] == split_lines_of(["20.50"], mine, Override())
    assert [bare, bare] == [mapped("files:b", WHOLE.spent_date), mapped("files:a", later)]


@pytest.mark.parametrize(
    ("decided", "said"),
    [
        (Override(), "12.00 SGD to category Meals, 8.50 SGD as the whole expense."),
        (Override(category="Gifts"), "12.00 SGD to category Meals, 8.50 SGD to category Gifts."),
        (
            Override(account="420"),
            "12.00 SGD to account 420, 8.50 SGD to account 420. The account that is set for the ex",
        ),
    ],
)
def test_where_each_line_goes_is_told(decided: Override, said: str) -> None:
    """By its category, or as the whole expense."""
    lines = split_lines_of(["12.00:Meals", "8.50"], WHOLE, decided)
    told = told_lines(lines, WHOLE, decided)
    assert told.startswith(said)
    assert ("daybook expenses set files-1 --clear account" in told) is bool(decided.account)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("E-1,420\nE-1,453\n", "row 3 names E-1, which another row names too"),
        ("E-1,420,extra\n", "row 2 has more cells than the first row has columns"),
        ("E-1,420\n,453\n", "row 3 names no expense"),
    ],
)
def test_rows_that_cannot_be_meant_are_refused(rows: str, said: str) -> None:
    """With their number, and nothing of the file counts."""
    with pytest.raises(InputError, match=f"d.csv {said}.*nothing was changed"):
        decisions_in_csv(f"expense,account\n{rows}", "d.csv")


def test_tracking_is_decided_in_a_file_too() -> None:
    """Choices with `;` between, or none."""
    rows = "expense,tracking\nE-1,Region=North; Team=Bar\nE-2,none\nE-3,\n"
    assert {
        "E-1": {"tracking": {"Region": "North", "Team": "Bar"}},
        "E-2": {"tracking": {}},
        "E-3": {},
    } == decisions_in_csv(rows, "d.csv")


def test_decisions_are_taken_back_by_name() -> None:
    """What is no decision, or is made at the same time, is refused."""
    assert {"account": None, "tracking": None} == cleared(["account", "tracking"], {"note": "x"})
    with pytest.raises(InputError, match="'colour' is no decision; there are account, category"):
        cleared(["colour"], {})
    with pytest.raises(InputError, match="Decide about account or clear it; not both"):
        cleared(["account"], {"account": "420"})


def test_rows_that_say_nothing_are_left_out() -> None:
    """Spreadsheets write them at the end."""
    assert {"E-1": {"account": "420"}} == decisions_in_csv("expense,account\nE-1,420\n,\n", "d.csv")
