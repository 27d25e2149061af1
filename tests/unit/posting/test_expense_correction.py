"""Correcting entries: original and entries together come to what is wanted, whatever changed."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from daybook.posting.documents import DocumentKind, DocumentLine, SpendMoney, Tracking
from daybook.posting.expense_correction import plan_corrections
from daybook.posting.spend_money import tax_within

DATE, TODAY = dt.date(2026, 3, 5), dt.date(2026, 4, 2)
RATES = {"INPUT2": Decimal(15), "NONE": Decimal(0)}


@dataclass(frozen=True)
class Rate:
    """A tax type in use on expenses."""

    rate_percent: Decimal
    is_active: bool = True
    account_classes: frozenset[str] = frozenset(("EXPENSE",))


CHART_RATES = {name: Rate(percent) for name, percent in RATES.items()}


def document(*lines: tuple[str, str, str], bank: str = "092", is_in: bool = False) -> SpendMoney:
    """A bank transaction of (account, tax type, amount with tax)."""
    return SpendMoney(
        kind=DocumentKind.RECEIVE_MONEY if is_in else DocumentKind.SPEND_MONEY,
        natural_key="expense:x",
        reference="DB-EXP-x",
        contact_name="Grab",
        bank_account_code=bank,
        date=DATE,
        currency="SGD",
        lines=tuple(line(*one) for one in lines),
    )


def line(account: str, tax_type: str, amount: str) -> DocumentLine:
    """One line whose tax is as Xero computes it."""
    gross = Decimal(amount)
    tax = tax_within(gross, RATES[tax_type])
    return DocumentLine("ride", account, tax_type, gross - tax, tax, (Tracking("Region", "North"),))


def planned(filed: list[SpendMoney], wanted: SpendMoney) -> tuple[SpendMoney, ...]:
    """The entries, dated today."""
    return plan_corrections(filed, wanted, CHART_RATES, entry_date=TODAY)


def totals(documents: list[SpendMoney]) -> Counter[tuple[str, str, str]]:
    """Cents per bank account, account and tax type; money in is negative."""
    found: Counter[tuple[str, str, str]] = Counter()
    for one in documents:
        sign = -1 if one.kind is DocumentKind.RECEIVE_MONEY else 1
        for each in one.lines:
            cents = int((each.net_amount + each.tax_amount) * 100)
            found[one.bank_account_code, each.account_code, each.tax_type] += sign * cents
    return Counter({place: cents for place, cents in found.items() if cents})


def test_more_is_spend_money_for_the_difference() -> None:
    """12.50 became 23.00: 10.50 is missing, 9.13 and 1.37 tax, with a number of its own."""
    filed, wanted = document(("449", "INPUT2", "12.50")), document(("449", "INPUT2", "23.00"))
    [entry] = planned([filed], wanted)
    assert ("DB-EXP-x-C1", "expense:x:correction:1") == (entry.reference, entry.natural_key)
    assert (DocumentKind.SPEND_MONEY, TODAY) == (entry.kind, entry.date)
    assert (Decimal("9.13"), Decimal("1.37")) == (
        entry.lines[0].net_amount,
        entry.lines[0].tax_amount,
    )


def test_equal_amounts_need_no_entry() -> None:
    """Another contact or text is nothing that an entry could correct."""
    assert () == planned([document(("449", "NONE", "5.00"))], document(("449", "NONE", "5.00")))


def test_entries_count_what_was_corrected_before() -> None:
    """Original and first entry come to 23.00; for 30.00 the second entry is 7.00 and number 2."""
    first = document(("449", "NONE", "10.50"))
    first = replace(first, natural_key="expense:x:correction:1")
    wanted = document(("449", "NONE", "30.00"))
    [entry] = planned([document(("449", "NONE", "12.50")), first], wanted)
    assert (Decimal("7.00"), "DB-EXP-x-C2") == (entry.total_amount, entry.reference)


def test_number_of_an_entry_is_never_taken_twice() -> None:
    """Xero took the second of two entries alone: the one that is missing becomes the third."""
    second = replace(document(("463", "NONE", "5.00")), natural_key="expense:x:correction:2")
    wanted = document(("463", "NONE", "5.00"))
    [entry] = planned([document(("449", "NONE", "5.00")), second], wanted)
    assert "expense:x:correction:3" == entry.natural_key


def test_another_bank_account_is_corrected_on_both() -> None:
    """Money back into the wrong account, money out of the right one."""
    filed = document(("449", "NONE", "12.50"), bank="092")
    entries = planned([filed], document(("449", "NONE", "12.50"), bank="093"))
    assert [("092", DocumentKind.RECEIVE_MONEY), ("093", DocumentKind.SPEND_MONEY)] == [
        (one.bank_account_code, one.kind) for one in entries
    ]


LINES = st.lists(
    st.tuples(
        st.sampled_from(("420", "449", "463")),
        st.sampled_from(("INPUT2", "NONE")),
        st.integers(1, 99_999).map(lambda cents: f"{cents // 100}.{cents % 100:02}"),
    ),
    min_size=1,
    max_size=4,
)
DOCUMENTS = st.builds(
    lambda lines, bank, is_in: document(*lines, bank=bank, is_in=is_in),
    LINES,
    st.sampled_from(("092", "093")),
    st.booleans(),
)


@given(st.lists(DOCUMENTS, min_size=1, max_size=3), DOCUMENTS)
def test_filed_and_entries_come_to_what_is_wanted(
    filed: list[SpendMoney], wanted: SpendMoney
) -> None:
    """To the cent, on every bank account and account; asked again, nothing is missing."""
    entries = planned(filed, wanted)
    assert totals([wanted]) == totals([*filed, *entries])
    assert () == planned([*filed, *entries], wanted)
    assert all(each.net_amount + each.tax_amount > 0 for one in entries for each in one.lines)
