"""Which expenses may be synced at all; every refusal says what to do. Pure."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of public signatures
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.expenses.expense import SourceStatus
from daybook.expenses.problems import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Collection

    from daybook.expenses.expense import Expense


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """A card or expense account and the one bank account in Xero that stands for it."""

    source: str
    account_id_source: str
    bank_account: str
    country: str
    start_date: dt.date


def eligibility_problems(
    expense: Expense, link: LinkedAccount | None, excluded_countries: Collection[str]
) -> list[Problem]:
    """Why this expense may not be synced; empty when it may."""
    if link is None:
        return [_not_linked(expense)]
    found = []
    if link.country in excluded_countries:
        found.append(
            Problem(
                ProblemCode.COUNTRY_EXCLUDED,
                link.country,
                f"Accounts of {link.country} are not synced. Take {link.country} out of "
                "DAYBOOK_EXPENSE_EXCLUDED_COUNTRIES if they may be, or exclude the expense.",
            )
        )
    if expense.spent_date < link.start_date:
        found.append(
            Problem(
                ProblemCode.BEFORE_START,
                expense.spent_date.isoformat(),
                f"It was spent on {expense.spent_date}, before the sync of this account starts on "
                f"{link.start_date}. Exclude it, or load a mapping with an earlier start_date.",
            )
        )
    return found + _source_problems(expense)


def _not_linked(expense: Expense) -> Problem:
    account = f"{expense.source}:{expense.account_id_source}"
    return Problem(
        ProblemCode.NOT_LINKED,
        account,
        f"The account {account} is linked to no bank account in Xero. Add "
        f'[accounts."{account}"] to the expense mapping and load it.',
    )


def _source_problems(expense: Expense) -> list[Problem]:
    if expense.amount_minor == 0:
        return [
            Problem(
                ProblemCode.ZERO_AMOUNT, "0", "Its amount is zero: nothing to post. Exclude it."
            )
        ]
    if expense.status is SourceStatus.PENDING:
        return [
            Problem(
                ProblemCode.NOT_SETTLED,
                expense.status,
                "The payment is not settled yet and its amount may change; it becomes ready by "
                "itself once the source says settled.",
            )
        ]
    if expense.status is SourceStatus.REFUNDED:
        return [
            Problem(
                ProblemCode.REFUNDED,
                expense.status,
                "The source says that this payment was refunded. Check that the refund is there as "
                "an expense of its own; if so post this one by hand, if not exclude it.",
            )
        ]
    return []
