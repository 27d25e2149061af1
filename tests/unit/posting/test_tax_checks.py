"""Taxes against the mapping's dates and rates."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daybook.posting.holds import HoldCode
from daybook.posting.mapping import Mapping, TaxRule
from daybook.posting.tax_checks import unbegun_taxes, wrong_taxes
from daybook.sales.daily_total import CategoryTotal, DailyTotal

BEGAN = dt.date(2024, 1, 1)


def mapping(rate: str | None = "9") -> Mapping:
    """GST at this rate since 2024."""
    return Mapping(
        organisation="Kopi Corner",
        effective_date=dt.date(2020, 1, 1),
        contact="Daily sales",
        categories={},
        taxes={"GST": (TaxRule("OUTPUT", BEGAN, rate),), "ZR": "ZERORATED"},
        tenders={},
    )


def day(
    net: int, tax: int, line_count: int = 1, *, code: str = "GST", date: dt.date = BEGAN
) -> DailyTotal:
    """One category of a day, in cents."""
    part = CategoryTotal(
        "Food", code, is_refund=net < 0, net_minor=net, tax_minor=tax, line_count=line_count
    )
    return DailyTotal(
        store_id="S01",
        business_date=date,
        currency="SGD",
        receipt_count=1,
        refund_count=0,
        voided_count=0,
        categories=(part,),
        tenders=(),
    )


@example([6] * 200, True)  # noqa: FBT003 - tax inside the price: 0.495 of a cent, rounded off each time
@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=200), st.booleans())
def test_tax_rounded_line_by_line_is_never_held(amounts: list[int], is_inclusive: bool) -> None:  # noqa: FBT001 - either price
    """Half up, on prices with or without the tax in them, however many lines there are."""
    taxes = [
        (amount * 9 * 2 + 109) // 218 if is_inclusive else (amount * 9 + 50) // 100
        for amount in amounts
    ]
    net = sum(amounts) - sum(taxes) if is_inclusive else sum(amounts)
    assert [] == list(wrong_taxes(day(net, sum(taxes), len(amounts)), mapping()))


@pytest.mark.parametrize(
    ("net", "tax", "says"),
    [
        (
            10_000,
            800,
            "8.00 SGD for 100.00, which is 8 %, but the mapping says 9 % from 2024-01-01",
        ),
        (-10_000, -800, "-8.00 SGD for -100.00, which is 8 %, but"),
        (10_000, 0, "0.00 SGD for 100.00, which is 0 %, but"),
        (10_000, 1_234, "12.34 SGD for 100.00, which is 12.3 %, but"),
        (0, 5, "0.05 SGD for 0.00, but the mapping says 9 %"),
    ],
)
def test_another_rate_is_held_with_both(net: int, tax: int, says: str) -> None:
    """And with both figures, so that a person sees what the till did."""
    (hold,) = wrong_taxes(day(net, tax), mapping())
    assert (HoldCode.WRONG_TAX, "Food, GST") == (hold.code, hold.key)
    assert says in hold.sentence


def test_a_rate_with_decimals_is_said_in_full() -> None:
    """8.875 per cent, as some cities have it."""
    (hold,) = wrong_taxes(day(10_000, 0), mapping("8.875"))
    assert "the mapping says 8.875 % from" in hold.sentence


@pytest.mark.parametrize(
    ("tax", "is_right"), [(600, True), (700, True), (800, True), (500, False), (900, False)]
)
def test_a_refund_may_give_back_any_rate_there_was(tax: int, is_right: bool) -> None:  # noqa: FBT001 - right or not
    """What was bought under 6 per cent comes back under 8; a day may have some of each."""
    rules = (TaxRule("S6", dt.date(2018, 9, 1), "6"), TaxRule("S8", BEGAN, "8"))
    later = TaxRule("S10", dt.date(2030, 1, 1), "10")
    rates = msgspec.structs.replace(mapping(), taxes={"GST": (later, *rules)})
    assert is_right is not any(wrong_taxes(day(-10_000, -tax), rates))
    assert (tax == 800) is not any(wrong_taxes(day(10_000, tax), rates))
    unsaid = msgspec.structs.replace(
        rates, taxes={"GST": (TaxRule("S6", rules[0].from_date), rules[1])}
    )
    assert not any(wrong_taxes(day(-10_000, -tax), unsaid))


def test_what_the_mapping_does_not_say_is_not_checked() -> None:
    """No rate, no date, or no such tax code: other rules look after that."""
    assert [] == list(wrong_taxes(day(10_000, 800), mapping(None)))
    assert [] == list(wrong_taxes(day(10_000, 800, code="ZR"), mapping()))
    assert [] == list(wrong_taxes(day(10_000, 800, code="VAT"), mapping()))


def test_a_tax_before_it_began_is_held() -> None:
    """Only where something was sold under it."""
    before = BEGAN - dt.timedelta(days=1)
    (hold,) = unbegun_taxes(day(10_000, 900, date=before), mapping())
    assert (HoldCode.UNMAPPED_TAX, "GST") == (hold.code, hold.key)
    assert "no tax type in the mapping of Kopi Corner as early as 2023-12-31" in hold.sentence
    assert [] == list(unbegun_taxes(day(0, 0, date=before), mapping()))
    assert [] == list(unbegun_taxes(day(10_000, 900), mapping()))
