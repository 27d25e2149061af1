"""Expenses as spend money: what is posted, and what stands in the way."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.expenses.expense import Expense, Override, SourceStatus, SplitLine
from daybook.expenses.problems import ProblemCode
from daybook.posting.documents import DocumentKind, SpendMoney, decode, encode
from daybook.posting.expense_mapping import parse_expense_mapping
from daybook.posting.spend_money import (
    ExpensePlan,
    override_problems,
    plan_spend_money,
    tax_within,
)

MAPPING = parse_expense_mapping(
    """
organisation = "Kopi"
effective_date = 2026-01-01
contact = "Card expenses"
[accounts."aspire:a1"]
bank_account = "090"
country = "SG"
start_date = 2026-01-01
[categories.Meals]
account = "420"
tax_type = "INPUT2"
tracking = { Region = "North" }
[[merchants]]
contains = "GRAB"
contact = "Grab"
""",
    "test",
)


@dataclass(frozen=True)
class Account:
    """An account of the chart."""

    name: str = "Meals"
    type: str = "EXPENSE"
    account_class: str = "EXPENSE"
    is_active: bool = True
    system_account: str = ""
    currency: str = ""


@dataclass(frozen=True)
class TaxRate:
    """A tax type of 9 %."""

    is_active: bool = True
    rate_percent: Decimal = Decimal(9)
    account_classes: frozenset[str] = frozenset(("EXPENSE",))


@dataclass(frozen=True)
class Region:
    """The tracking category."""

    is_active: bool = True
    active_options: frozenset[str] = frozenset(("North",))


@dataclass(frozen=True)
class Chart:
    """A chart in which the mapping is right."""

    accounts: dict[str, Account]
    tax_rates: dict[str, TaxRate]
    tracking: dict[str, Region]


CHART = Chart(
    {
        "090": Account("Bank", "BANK", "ASSET", currency="SGD"),
        "420": Account(),
        "421": Account("Travel"),
        "610": Account("Receivable", "CURRENT", "ASSET", system_account="DEBTORS"),
    },
    {"INPUT2": TaxRate(), "NONE": TaxRate(rate_percent=Decimal(0))},
    {"Region": Region()},
)
EXPENSE = Expense(
    source="aspire",
    id_source="x1",
    account_id_source="a1",
    status=SourceStatus.SETTLED,
    spent_date=dt.date(2026, 3, 14),
    amount_minor=1000,
    currency="SGD",
    merchant="Grab Singapore",
    category="Meals",
    card="4417",
    merchant_amount="USD 7.50",
)


def planned(
    expense: Expense = EXPENSE, override: Override | None = None, chart: Chart = CHART
) -> ExpensePlan:
    """Plan it."""
    return plan_spend_money(expense, override or Override(), MAPPING, chart, prefix="DB")


def document(expense: Expense = EXPENSE, override: Override | None = None) -> SpendMoney:
    """Plan it, expecting no problem."""
    found = planned(expense, override).document
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("charged", "told"),
    [
        ("USD 7.50", "USD 7.50 at 1 USD = 1.3333 SGD"),
        ("1,250 JPY", "1,250 JPY at 1 SGD = 125 JPY"),
        ("USD 0.00", "USD 0.00"),
        ("SGD 10.00", "SGD 10.00"),
        ("7,50 EUR", "7,50 EUR"),
        ("7.50", "7.50"),
    ],
)
def test_rate_of_the_merchants_currency_is_told(charged: str, told: str) -> None:
    """Ten dollars were booked; without an amount in another currency there is no rate."""
    [line] = document(replace(EXPENSE, merchant_amount=charged, card="")).lines
    assert f"Grab Singapore, Meals, {told}" == line.description


@pytest.mark.parametrize(
    ("decided", "codes"),
    [
        (Override(category="Nowhere", contact="Grab", note="taxi"), []),
        (Override(account="420", tax_type="INPUT2", tracking={"Region": "North"}), []),
        (Override(account="999"), [ProblemCode.ACCOUNT]),
        (Override(account="610", tax_type="INPUT9"), [ProblemCode.ACCOUNT, ProblemCode.TAX_TYPE]),
        (Override(tracking={"Region": "Nowhere"}), [ProblemCode.TRACKING]),
        (Override(lines=(SplitLine(1000, account="999"),)), [ProblemCode.ACCOUNT]),
    ],
)
def test_a_decision_is_checked_by_itself(decided: Override, codes: list[ProblemCode]) -> None:
    """Against the chart alone: the mapping may change before the expense is posted."""
    assert codes == [one.code for one in override_problems(decided, CHART)]


def test_expense_becomes_spend_money_with_tax_inside() -> None:
    """10.00 at 9 % is 9.17 and 0.83; contact, tracking and reference follow from the mapping."""
    one = document()
    assert (DocumentKind.SPEND_MONEY, "DB-EXP-aspire-x1", "Grab", "090") == (
        one.kind,
        one.reference,
        one.contact_name,
        one.bank_account_code,
    )
    [line] = one.lines
    assert (Decimal("9.17"), Decimal("0.83")) == (line.net_amount, line.tax_amount)
    assert [("Region", "North")] == [(each.category, each.option) for each in line.tracking]
    told = "Grab Singapore, Meals, card 4417, USD 7.50 at 1 USD = 1.3333 SGD"
    assert told == line.description
    assert one == decode(one.kind, encode(one))


def test_money_back_is_received() -> None:
    """A refund has the same amounts, received."""
    one = document(replace(EXPENSE, amount_minor=-1000))
    assert (DocumentKind.RECEIVE_MONEY, Decimal("10.00")) == (one.kind, one.total_amount)


def test_decisions_win_over_the_mapping() -> None:
    """Account, tax type, contact, tracking and note of one expense."""
    one = document(
        override=Override(account="421", tax_type="NONE", contact="Lim", tracking={}, note="taxi")
    )
    [line] = one.lines
    assert ("Lim", "421", "NONE", Decimal(0), ()) == (
        one.contact_name,
        line.account_code,
        line.tax_type,
        line.tax_amount,
        line.tracking,
    )
    assert line.description.endswith(": taxi")


def test_split_lines_are_taxed_one_by_one() -> None:
    """Each line has its own account and its own rounding of the tax."""
    lines = (SplitLine(333), SplitLine(667, account="421", description="train"))
    one = document(override=Override(lines=lines))
    assert [Decimal("0.27"), Decimal("0.55")] == [line.tax_amount for line in one.lines]
    assert Decimal("10.00") == one.total_amount


def test_split_that_does_not_come_to_the_amount_is_held() -> None:
    """Also when the amount changed after the split."""
    found = planned(override=Override(lines=(SplitLine(333), SplitLine(600))))
    assert [ProblemCode.SPLIT] == [one.code for one in found.problems]
    assert "come to 9.33 and the expense to 10.00" in found.problems[0].sentence


@pytest.mark.parametrize(
    ("override", "code"),
    [
        (Override(category="Gifts"), ProblemCode.UNMAPPED_CATEGORY),
        (Override(account="999"), ProblemCode.ACCOUNT),
        (Override(account="090"), ProblemCode.ACCOUNT),
        (Override(account="610"), ProblemCode.ACCOUNT),
        (Override(tax_type="OUTPUT9"), ProblemCode.TAX_TYPE),
        (Override(tracking={"Region": "West"}), ProblemCode.TRACKING),
        (Override(tracking={"Region": "North", "A": "a", "B": "b"}), ProblemCode.TRACKING),
    ],
)
def test_what_xero_would_refuse_is_held_before_it_is_sent(
    override: Override, code: ProblemCode
) -> None:
    """Every rule of the chart has its own problem."""
    found = planned(override=override)
    assert found.document is None
    assert code in {one.code for one in found.problems}


def test_archived_account_tax_type_and_class_are_held() -> None:
    """Archived, not in use, or not for this class of account."""
    accounts = {**CHART.accounts, "420": Account(is_active=False)}
    rates = {"INPUT2": TaxRate(account_classes=frozenset(("REVENUE",)))}
    found = planned(chart=replace(CHART, accounts=accounts, tax_rates=rates))
    assert [ProblemCode.ACCOUNT, ProblemCode.TAX_TYPE] == [one.code for one in found.problems]


def test_bank_account_must_be_there_and_in_the_currency() -> None:
    """A dollar expense does not leave a Singapore dollar account."""
    found = planned(replace(EXPENSE, currency="USD"))
    assert [ProblemCode.CURRENCY] == [one.code for one in found.problems]
    missing = {key: one for key, one in CHART.accounts.items() if key != "090"}
    found = planned(chart=replace(CHART, accounts=missing))
    assert [ProblemCode.BANK_ACCOUNT] == [one.code for one in found.problems]


@given(st.integers(1, 10_000_000), st.decimals(0, 30, places=2))
def test_tax_and_net_come_to_the_amount(minor: int, rate: Decimal) -> None:
    """Whatever the rate, the net amount is within half a cent of exact and nothing is lost."""
    gross = Decimal(minor) / 100
    tax = tax_within(gross, rate)
    exact = gross / (1 + rate / 100)
    assert abs(gross - tax - exact) <= Decimal("0.005")
    assert tax == tax.quantize(Decimal("0.01"))
