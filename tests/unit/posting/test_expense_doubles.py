"""Payments in Xero that may be an expense already."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from daybook.expenses.problems import ProblemCode
from daybook.posting.documents import DocumentKind, DocumentLine, SpendMoney
from daybook.posting.expense_doubles import BILL, OtherPayment, OtherPayments

DATE = dt.date(2026, 3, 5)
OURS = SpendMoney(
    kind=DocumentKind.SPEND_MONEY,
    natural_key="expense:x",
    reference="DB-EXP-x",
    contact_name="Grab",
    bank_account_code="092",
    date=DATE,
    currency="SGD",
    lines=(DocumentLine("ride", "449", "NONE", Decimal("12.50"), Decimal(0)),),
)
BANK = OtherPayment(
    DocumentKind.SPEND_MONEY, "092", "id-1", "Aspire 7", "Grab", Decimal("12.5000"), (DATE,)
)
PAID = dt.date(2026, 2, 1)


def code(other: OtherPayment, ours: SpendMoney = OURS, says: str = "") -> ProblemCode | None:
    """What stands in the way of ours beside this one payment."""
    others = OtherPayments()
    others.add(other)
    found = others.double_of(ours, says)
    return found.code if found else None


def test_same_bank_account_amount_and_date_is_held() -> None:
    """However many decimals Xero writes."""
    assert ProblemCode.POSSIBLE_DOUBLE is code(BANK)


@pytest.mark.parametrize(
    "other",
    [
        replace(BANK, place="090"),
        replace(BANK, total_amount=Decimal("12.51")),
        replace(BANK, dates=(dt.date(2026, 3, 4),)),
        replace(BANK, what=DocumentKind.RECEIVE_MONEY),
        replace(BANK, reference="DB-EXP-x"),
        replace(BANK, what=BILL, place="USD"),
    ],
)
def test_what_differs_in_one_of_them_is_not(other: OtherPayment) -> None:
    """Another account, amount, date, direction or currency; and our own document."""
    assert code(other) is None


def test_reference_of_the_source_stands_for_the_date() -> None:
    """The vendor dated it two days later, and wrote the source's reference."""
    later = replace(BANK, dates=(dt.date(2026, 3, 7),), reference="Aspire CARD 7")
    assert ProblemCode.POSSIBLE_DOUBLE is code(later, says="CARD 7")
    assert code(later, says="CARD 8") is None


def test_bill_is_compared_by_its_own_date_and_that_of_its_payment() -> None:
    """Entered in February, paid on the day of the expense."""
    bill = replace(BANK, what=BILL, place="SGD", dates=(PAID, DATE))
    assert ProblemCode.POSSIBLE_DOUBLE is code(bill)
    assert code(replace(bill, dates=(PAID,))) is None


def test_money_in_is_no_bill() -> None:
    """A refund is not compared with what suppliers were paid."""
    bill = replace(BANK, what=BILL, place="SGD")
    assert code(bill, replace(OURS, kind=DocumentKind.RECEIVE_MONEY)) is None
