"""Which expenses may be synced at all."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from daybook.expenses.eligibility import LinkedAccount, eligibility_problems
from daybook.expenses.expense import Expense, SourceStatus
from daybook.expenses.problems import ProblemCode

LINK = LinkedAccount("aspire", "a1", "090", "SG", dt.date(2026, 1, 1))
EXPENSE = Expense(
    source="aspire",
    id_source="x1",
    account_id_source="a1",
    status=SourceStatus.SETTLED,
    spent_date=dt.date(2026, 3, 14),
    amount_minor=1000,
    currency="SGD",
    merchant="Grab",
    category="Meals",
)


def codes(expense: Expense = EXPENSE, link: LinkedAccount | None = LINK) -> list[ProblemCode]:
    """Why not."""
    return [one.code for one in eligibility_problems(expense, link, {"HK"})]


def test_settled_expense_of_a_linked_account_is_eligible() -> None:
    """Nothing stands in its way."""
    assert [] == codes()


def test_account_that_is_not_linked_is_refused_with_the_way_out() -> None:
    """The sentence says which line of the mapping is missing."""
    [problem] = eligibility_problems(EXPENSE, None, ())
    assert ProblemCode.NOT_LINKED is problem.code
    assert '[accounts."aspire:a1"]' in problem.sentence


def test_excluded_country_and_start_date_are_refused() -> None:
    """Both reasons are said."""
    link = replace(LINK, country="HK", start_date=dt.date(2026, 3, 15))
    assert [ProblemCode.COUNTRY_EXCLUDED, ProblemCode.BEFORE_START] == codes(link=link)
    assert [] == codes(link=replace(LINK, start_date=dt.date(2026, 3, 14)))


def test_only_settled_amounts_are_synced() -> None:
    """Pending, refunded and zero are each named."""
    assert [ProblemCode.NOT_SETTLED] == codes(replace(EXPENSE, status=SourceStatus.PENDING))
    assert [ProblemCode.REFUNDED] == codes(replace(EXPENSE, status=SourceStatus.REFUNDED))
    assert [ProblemCode.ZERO_AMOUNT] == codes(replace(EXPENSE, amount_minor=0))
