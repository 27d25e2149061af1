"""An expense becomes a Spend Money, or a Receive Money where money came back. Pure.

Amounts include tax. Xero computes the tax of each line of a bank transaction by itself and refuses
any other figure, so it is computed here the same way: per line, half away from zero to the cent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from daybook.expenses.expense import SplitLine
from daybook.expenses.problems import Problem, ProblemCode
from daybook.money import amount_from_minor, minor_digits
from daybook.posting.documents import DocumentKind, DocumentLine, SpendMoney, Tracking
from daybook.posting.reference import expense_key, expense_reference

if TYPE_CHECKING:
    from daybook.expenses.expense import Expense, Override
    from daybook.posting.chart import AccountFacts, ChartFacts
    from daybook.posting.expense_mapping import AccountLink, CategoryRule, ExpenseMapping

_CENT: Final = Decimal("0.01")
_RATE: Final = Decimal("0.0001")
# `USD 12.00` or `12.00 USD`.
_FOREIGN: Final = re.compile(
    r"(?:(?P<before>[A-Z]{3})\s*)?"
    r"(?P<amount>(?:\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.\d{1,4})?)"
    r"(?:\s*(?P<after>[A-Z]{3}))?"
)
_HUNDRED: Final = Decimal(100)
_XERO_DECIMALS: Final = 2
_DESCRIPTION_MAX: Final = 4000
_CONTROL_ACCOUNTS: Final = frozenset(("DEBTORS", "CREDITORS"))
TRACKING_COUNT_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class ExpensePlan:
    """The document of an expense, or the problems that stand in its way."""

    document: SpendMoney | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rules:
    """What decides how an expense's lines are posted."""

    expense: Expense
    override: Override
    mapping: ExpenseMapping
    chart: ChartFacts


def plan_spend_money(
    expense: Expense,
    override: Override,
    mapping: ExpenseMapping,
    chart: ChartFacts,
    *,
    prefix: str,
) -> ExpensePlan:
    """The document that stands for this expense, checked against the chart."""
    rules = _Rules(expense, override, mapping, chart)
    link = mapping.accounts.get(f"{expense.source}:{expense.account_id_source}")
    assert link is not None, "an expense of an account that is not linked is not eligible"
    problems = _bank_problems(rules, link)
    lines = []
    for part in _parts(rules):
        line, wrong = _line(rules, part)
        problems += wrong
        if line is not None:
            lines.append(line)
    if problems:
        return ExpensePlan(None, tuple(dict.fromkeys(problems)))
    return ExpensePlan(
        SpendMoney(
            kind=DocumentKind.RECEIVE_MONEY if expense.is_money_in else DocumentKind.SPEND_MONEY,
            natural_key=expense_key(expense.expense_id),
            reference=expense_reference(prefix, expense.expense_id),
            contact_name=override.contact or mapping.contact_of(expense.merchant),
            bank_account_code=link.bank_account,
            date=expense.spent_date,
            currency=expense.currency,
            lines=tuple(lines),
        )
    )


def override_problems(override: Override, chart: ChartFacts) -> list[Problem]:
    """What a person decided that the chart does not have, whatever category and mapping say."""
    decided: tuple[Override | SplitLine, ...] = (override, *override.lines)
    found: list[Problem] = []
    for one in decided:
        account = chart.accounts.get(one.account or "")
        found += _account_problems(one.account, account) if one.account else []
        found += _tax_problems(chart, one.tax_type, account) if one.tax_type else []
        found += _tracking_problems(chart, one.tracking or {})
    return list(dict.fromkeys(found))


def tax_within(gross_amount: Decimal, rate_percent: Decimal) -> Decimal:
    """The tax in an amount that includes it, as Xero computes it for one line.

    >>> tax_within(Decimal("10.00"), Decimal("9"))
    Decimal('0.83')
    """
    net_amount = (gross_amount / (1 + rate_percent / _HUNDRED)).quantize(_CENT, ROUND_HALF_UP)
    return gross_amount - net_amount


def description_of(expense: Expense, override: Override, part: SplitLine) -> str:
    """`Grab, Transport, card 1234, USD 12.00 at 1 USD = 1.35 SGD: to the airport`."""
    facts = [expense.merchant, override.category or expense.category]
    facts += [f"card {expense.card}"] if expense.card else []
    facts += [_foreign(expense)] if expense.merchant_amount else []
    note = part.description or override.note or expense.note
    told = ", ".join(fact for fact in facts if fact) or "Expense"
    return (f"{told}: {note}" if note else told)[:_DESCRIPTION_MAX]


def _foreign(expense: Expense) -> str:
    """What the merchant charged, and the rate where that can be read and is another currency."""
    found = _FOREIGN.fullmatch(expense.merchant_amount.strip())
    if found is None:
        return expense.merchant_amount
    currency = found["before"] or found["after"]
    charged = Decimal(found["amount"].replace(",", ""))
    booked = abs(amount_from_minor(expense.amount_minor, expense.currency))
    if currency is None or currency == expense.currency or not charged or not booked:
        return expense.merchant_amount
    one, other, rate = currency, expense.currency, booked / charged
    if rate < _CENT:
        one, other, rate = expense.currency, currency, charged / booked
    return f"{expense.merchant_amount} at 1 {one} = {_shortest(rate)} {other}"


def _shortest(rate: Decimal) -> str:
    """Four decimals at most: the rate is for a person, the amount is what was booked."""
    text = f"{rate.quantize(_RATE, ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".")


def _parts(rules: _Rules) -> tuple[SplitLine, ...]:
    """The lines that a person made of the expense, or one for all of it."""
    return rules.override.lines or (SplitLine(abs(rules.expense.amount_minor)),)


def _bank_problems(rules: _Rules, link: AccountLink) -> list[Problem]:
    """What is wrong with the bank account, the currency or the split."""
    expense, found = rules.expense, []
    account = rules.chart.accounts.get(link.bank_account)
    if account is None or account.type != "BANK" or not account.is_active:
        found.append(
            Problem(
                ProblemCode.BANK_ACCOUNT,
                link.bank_account,
                f"{link.bank_account} is not an active bank account in Xero. Give the bank account "
                "that code in Xero, or correct the expense mapping.",
            )
        )
    elif account.currency and account.currency != expense.currency:
        found.append(
            Problem(
                ProblemCode.CURRENCY,
                expense.currency,
                f"The expense is in {expense.currency} and bank account {link.bank_account} in "
                f"{account.currency}. Link the account to a bank account in {expense.currency}.",
            )
        )
    if minor_digits(expense.currency) > _XERO_DECIMALS:
        found.append(
            Problem(
                ProblemCode.CURRENCY,
                expense.currency,
                f"Xero keeps two decimals and {expense.currency} has more; post it by hand.",
            )
        )
    split_minor = sum(one.amount_minor for one in rules.override.lines)
    if rules.override.lines and split_minor != abs(expense.amount_minor):
        found.append(_split_differs(expense, split_minor))
    return found


def _split_differs(expense: Expense, split_minor: int) -> Problem:
    whole = amount_from_minor(abs(expense.amount_minor), expense.currency)
    parts = amount_from_minor(split_minor, expense.currency)
    return Problem(
        ProblemCode.SPLIT,
        str(parts),
        f"The lines of the split come to {parts} and the expense to {whole}. Split it anew.",
    )


def _line(rules: _Rules, part: SplitLine) -> tuple[DocumentLine | None, list[Problem]]:
    """One line, or what stands in its way."""
    expense, override, mapping = rules.expense, rules.override, rules.mapping
    category = part.category or override.category
    category = category or mapping.category_of(expense.merchant, expense.category)
    rule = mapping.categories.get(category)
    code = part.account or override.account or (rule.account if rule else None)
    tax_type = part.tax_type or override.tax_type or (rule.tax_type if rule else None)
    if code is None or tax_type is None:
        return None, [_unmapped(category)]
    tracking = _tracking(rules, part, rule)
    account = rules.chart.accounts.get(code)
    problems = _account_problems(code, account)
    problems += _tax_problems(rules.chart, tax_type, account)
    problems += _tracking_problems(rules.chart, tracking)
    if problems:
        return None, problems
    gross = amount_from_minor(part.amount_minor, expense.currency).quantize(_CENT)
    tax = tax_within(gross, rules.chart.tax_rates[tax_type].rate_percent)
    return DocumentLine(
        description=description_of(expense, override, part),
        account_code=code,
        tax_type=tax_type,
        net_amount=gross - tax,
        tax_amount=tax,
        tracking=tuple(Tracking(name, option) for name, option in tracking.items()),
    ), []


def _tracking(rules: _Rules, part: SplitLine, rule: CategoryRule | None) -> dict[str, str]:
    """The line's own tracking, or the expense's, or the category's."""
    if part.tracking is not None:
        return part.tracking
    if rules.override.tracking is not None:
        return rules.override.tracking
    return rule.tracking if rule else {}


def _unmapped(category: str) -> Problem:
    shown = f"the category '{category}'" if category else "an expense without a category"
    return Problem(
        ProblemCode.UNMAPPED_CATEGORY,
        category,
        f"The expense mapping does not say where {shown} goes. Add it to [categories] and load the "
        "mapping, or set account and tax type of this expense.",
    )


def _account_problems(code: str, account: AccountFacts | None) -> list[Problem]:
    if account is None:
        why = f"There is no account {code} in Xero."
    elif not account.is_active:
        why = f"Account {code} {account.name} is archived in Xero."
    elif account.type == "BANK" or account.system_account in _CONTROL_ACCOUNTS:
        why = f"Account {code} {account.name} cannot stand on a line of spend money."
    else:
        return []
    return [
        Problem(
            ProblemCode.ACCOUNT, code, f"{why} Choose another one for this category or expense."
        )
    ]


def _tax_problems(chart: ChartFacts, tax_type: str, account: AccountFacts | None) -> list[Problem]:
    rate = chart.tax_rates.get(tax_type)
    if rate is None or not rate.is_active:
        why = f"{tax_type} is not a tax type in use in Xero."
    elif account is not None and account.account_class not in rate.account_classes:
        allowed = ", ".join(sorted(rate.account_classes)).lower()
        why = (
            f"{tax_type} may not stand on {account.name}, an account of class "
            f"{account.account_class.lower()}; it may on {allowed}."
        )
    else:
        return []
    return [
        Problem(ProblemCode.TAX_TYPE, tax_type, f"{why} Choose another tax type for this category.")
    ]


def _tracking_problems(chart: ChartFacts, tracking: dict[str, str]) -> list[Problem]:
    found = []
    if len(tracking) > TRACKING_COUNT_MAX:
        found.append(
            Problem(
                ProblemCode.TRACKING,
                ", ".join(tracking),
                f"A line takes at most two tracking options, not {len(tracking)}. Take some out.",
            )
        )
    for name, option in tracking.items():
        category = chart.tracking.get(name)
        if category is None or not category.is_active or option not in category.active_options:
            found.append(
                Problem(
                    ProblemCode.TRACKING,
                    f"{name}: {option}",
                    f"The tracking option '{option}' of '{name}' is not in use in Xero. Add or "
                    "restore it there, or choose another one.",
                )
            )
    return found
