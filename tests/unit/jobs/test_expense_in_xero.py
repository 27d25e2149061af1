"""Which version of an expense Xero holds, and what differs."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from daybook.jobs.expense_in_xero import changes, differences, is_same, version_in_xero
from daybook.posting.documents import DocumentKind, DocumentLine, SpendMoney, Tracking
from daybook.xero.bank_transactions import BankLineInXero, BankTransactionInXero

LINE = DocumentLine(
    "Grab", "449", "INPUT2", Decimal("10.87"), Decimal("1.63"), (Tracking("Region", "North"),)
)
OURS = SpendMoney(
    kind=DocumentKind.SPEND_MONEY,
    natural_key="expense:aspire-t1",
    reference="DB-EXP-aspire-t1",
    contact_name="Grab",
    bank_account_code="092",
    date=dt.date(2026, 3, 5),
    currency="SGD",
    lines=(LINE,),
)
THEIR_LINE = BankLineInXero(
    "Grab", "449", "INPUT2", Decimal("12.50"), frozenset({("Region", "North")})
)
THEIRS = BankTransactionInXero(
    kind=DocumentKind.SPEND_MONEY,
    id_xero="x",
    reference="DB-EXP-aspire-t1",
    status="AUTHORISED",
    date=dt.date(2026, 3, 5),
    total_amount=Decimal("12.50"),
    bank_account_code="092",
    contact_name="Grab",
    is_reconciled=False,
    lines=(THEIR_LINE,),
)


def test_what_was_posted_does_not_differ() -> None:
    """The line's amount in Xero includes the tax that is kept apart here."""
    assert [] == differences(OURS, THEIRS)
    assert is_same(OURS, THEIRS)


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (replace(THEIRS, status="DELETED"), "status is DELETED"),
        (replace(THEIRS, kind=DocumentKind.RECEIVE_MONEY), "kind is receive money"),
        (replace(THEIRS, total_amount=Decimal("23.00")), "total is 23.00"),
        (replace(THEIRS, date=dt.date(2026, 3, 6)), "date is 2026-03-06"),
        (replace(THEIRS, bank_account_code="090"), "bank account is 090"),
        (
            replace(THEIRS, lines=(replace(THEIR_LINE, tax_type="NONE"),)),
            "account 449 with tax type INPUT2, Region North has 0.00 in Xero and 12.50 in the",
        ),
        (
            replace(THEIRS, lines=(replace(THEIR_LINE, tracking=frozenset()),)),
            "account 449 with tax type INPUT2 has 12.50 in Xero and 0.00 in the ledger",
        ),
    ],
)
def test_what_somebody_changed_is_said(there: BankTransactionInXero, said: str) -> None:
    """Each part of the money by itself, and its tracking."""
    assert said in differences(OURS, there)[0]
    assert not is_same(OURS, there)


def test_other_lines_of_the_same_sums_are_another_version() -> None:
    """They are no difference of money, but they are not what is wanted."""
    parts = tuple(replace(THEIR_LINE, amount=Decimal(one)) for one in ("5.00", "7.50"))
    there = replace(THEIRS, lines=parts)
    assert [] == differences(OURS, there)
    assert not is_same(OURS, there)


def test_version_is_found_by_money_then_by_text() -> None:
    """The one that equals; of two with the same money the one with Xero's text; or neither."""
    bigger = replace(OURS, lines=(replace(LINE, net_amount=Decimal("21.37")),))
    reworded = replace(OURS, lines=(replace(LINE, description="Grab, Transport"),))
    reworded_there = replace(THEIRS, lines=(replace(THEIR_LINE, description="Grab,  Transport"),))
    assert OURS == version_in_xero(bigger, OURS, THEIRS)
    assert OURS == version_in_xero(OURS, bigger, THEIRS)
    assert reworded == version_in_xero(OURS, reworded, reworded_there)
    assert OURS == version_in_xero(OURS, reworded, THEIRS)
    assert None is version_in_xero(bigger, bigger, THEIRS)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (OURS, []),
        (
            replace(OURS, date=dt.date(2026, 3, 6), contact_name="Gojek"),
            ["date 2026-03-05 -> 2026-03-06", "contact Grab -> Gojek"],
        ),
        (
            replace(OURS, lines=(replace(LINE, net_amount=Decimal("18.37")),)),
            [
                "total 12.50 -> 20.00",
                "account 449 with tax type INPUT2, Region North 12.50 -> 20.00",
            ],
        ),
        (
            replace(OURS, lines=(replace(LINE, account_code="463", description="Taxi"),)),
            [
                "account 449 with tax type INPUT2, Region North 12.50 -> 0.00",
                "account 463 with tax type INPUT2, Region North 0.00 -> 12.50",
                "description 'Grab' -> 'Taxi'",
            ],
        ),
    ],
)
def test_what_an_update_changes_is_said(after: SpendMoney, said: list[str]) -> None:
    """Each part with both values; nothing where nothing changes."""
    assert said == changes(OURS, after)


def test_a_split_that_no_sum_shows_is_a_change() -> None:
    """The same account twice, with other amounts on its lines."""
    one, other = (
        replace(LINE, net_amount=Decimal(net), tax_amount=Decimal(0)) for net in ("4.00", "6.00")
    )
    before, after = (replace(OURS, lines=lines) for lines in ((one, other), (other, one)))
    assert ["how it is split"] == changes(before, after)
