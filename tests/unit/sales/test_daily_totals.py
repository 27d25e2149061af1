"""Receipts to daily totals."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from till import DATE, NOON, SINGAPORE, Receipt, batch

from daybook.errors import InputError
from daybook.sales import daily_totals as module
from daybook.sales.daily_total import CategoryTotal, DailyTotal, TenderTotal
from daybook.sales.daily_totals import daily_totals
from daybook.sales.store import Store

if TYPE_CHECKING:
    import random

STORES = (
    SINGAPORE,
    Store("S02", "Bar", "America/New_York", "USD", cutoff=dt.time(4, 0)),
    Store("S03", "Kiosk", "Australia/Lord_Howe", "AUD", cutoff=dt.time(1, 45)),
)


def category(
    name: str, tax_code: str, net: int, tax: int, *, lines: int = 1, is_refund: bool = False
) -> CategoryTotal:
    """What one category came to."""
    return CategoryTotal(name, tax_code, is_refund, net, tax, lines)


def tender(name: str, amount: int, *, is_refund: bool = False) -> TenderTotal:
    """What one tender came to, once."""
    return TenderTotal(name, is_refund, amount, 1)


def test_lines_and_tenders_are_summed_by_name_and_direction() -> None:
    """Sales and refunds stand apart, and every sum is exact."""
    sale = Receipt(
        lines=(("Food", "GST", 1000, 90), ("Food", "GST", 1, 0), ("Food", "Zero", 500, 0)),
        tenders=(("Cash", 1000), ("Visa", 591)),
    )
    refund = Receipt(
        "R2", is_refund=True, lines=(("Food", "GST", -200, -18),), tenders=(("Cash", -218),)
    )
    assert [
        DailyTotal(
            store_id="S01",
            business_date=DATE,
            currency="SGD",
            receipt_count=2,
            refund_count=1,
            voided_count=0,
            categories=(
                category("Food", "GST", 1001, 90, lines=2),
                category("Food", "Zero", 500, 0),
                category("Food", "GST", -200, -18, is_refund=True),
            ),
            tenders=(
                tender("Cash", 1000),
                tender("Visa", 591),
                tender("Cash", -218, is_refund=True),
            ),
        )
    ] == daily_totals(batch([sale, refund]), [SINGAPORE])


def test_a_voided_receipt_is_counted_and_not_summed() -> None:
    """A day of nothing but a void has a total of zero that says so."""
    (total,) = daily_totals(batch([Receipt(is_voided=True)]), [SINGAPORE])
    assert (0, 1, (), ()) == (
        total.receipt_count,
        total.voided_count,
        total.categories,
        total.tenders,
    )


def test_the_newest_version_of_a_receipt_wins() -> None:
    """An older version counts nowhere, not even on another day."""
    old = Receipt(sold_at=NOON - dt.timedelta(days=1), updated_at=NOON)
    new = Receipt(updated_at=NOON + dt.timedelta(hours=1), lines=(("Food", "GST", 900, 190),))
    (total,) = daily_totals(batch([new, old]), [SINGAPORE])
    assert (DATE, 900, 1) == (total.business_date, total.net_minor, total.receipt_count)


def test_of_two_equally_new_versions_the_later_row_wins() -> None:
    """A source that repeats a receipt is taken at its last word."""
    first, second = Receipt(lines=(("Food", "GST", 1, 0),)), Receipt(lines=(("Tea", "GST", 2, 0),))
    (total,) = daily_totals(batch([first, second]), [SINGAPORE])
    assert [("Tea", 2)] == [(one.category, one.net_minor) for one in total.categories]


def test_the_same_receipt_number_in_two_stores_is_two_receipts() -> None:
    """Numbers are unique per store at best."""
    totals = daily_totals(batch([Receipt(), Receipt(store_id="S02")]), STORES)
    assert {"S01", "S02"} == {one.store_id for one in totals}


def test_a_store_that_trades_in_two_currencies_has_two_totals() -> None:
    """Currencies never mix."""
    totals = daily_totals(batch([Receipt(), Receipt("R2", currency="USD")]), [SINGAPORE])
    assert ["SGD", "USD"] == [one.currency for one in totals]


def test_no_receipts_have_no_totals() -> None:
    """An empty batch is fine."""
    assert [] == daily_totals(batch([]), [SINGAPORE])


def test_a_receipt_without_lines_and_tenders_is_counted() -> None:
    """A zero sale is a receipt all the same."""
    (total,) = daily_totals(batch([Receipt(lines=(), tenders=())]), [SINGAPORE])
    assert (1, 0, 0) == (total.receipt_count, total.total_minor, total.tender_minor)


def test_amounts_too_large_for_a_ledger_are_refused() -> None:
    """A sum that would leave 64 bits is an error, never a wrapped number."""
    lines = (("Food", "GST", 2**62, 0),) * 2
    with pytest.raises(InputError, match="more than a ledger can hold"):
        daily_totals(batch([Receipt(lines=lines)]), [SINGAPORE])


def names(*choices: str) -> st.SearchStrategy[str]:
    """One of these names."""
    return st.sampled_from(choices)


AMOUNTS = st.integers(-(10**9), 10**9)
RECEIPTS = st.builds(
    Receipt,
    receipt_id_pos=names("R1", "R2", "R3", "R4"),
    store_id=names("S01", "S02", "S03"),
    sold_at=st.integers(1_490_000_000, 1_512_000_000).map(
        lambda second: dt.datetime.fromtimestamp(second, dt.UTC)
    ),
    updated_at=st.integers(0, 10**6).map(lambda step: NOON + dt.timedelta(seconds=step)),
    currency=names("SGD", "USD"),
    is_refund=st.booleans(),
    is_voided=st.booleans(),
    lines=st.lists(
        st.tuples(names("Food", "Tea"), names("GST", "Zero"), AMOUNTS, AMOUNTS), max_size=4
    ).map(tuple),
    tenders=st.lists(st.tuples(names("Cash", "Visa"), AMOUNTS), max_size=3).map(tuple),
)
DAYS = st.lists(RECEIPTS, max_size=12, unique_by=lambda one: one.updated_at)
few = settings(max_examples=40, deadline=None)


def figures_by_hand(receipts: list[Receipt]) -> Counter[tuple[object, ...]]:
    """Every figure of the daily totals, added up one receipt at a time in Python's integers."""
    newest: dict[tuple[str, str], Receipt] = {}
    for one in receipts:
        held = newest.setdefault((one.store_id, one.receipt_id_pos), one)
        assert one.updated_at is not None
        assert held.updated_at is not None
        if one.updated_at > held.updated_at:
            newest[one.store_id, one.receipt_id_pos] = one
    clocks = {store.store_id: store for store in STORES}
    figures: Counter[tuple[object, ...]] = Counter()
    for one in newest.values():
        store = clocks[one.store_id]
        local = one.sold_at.astimezone(ZoneInfo(store.time_zone)).replace(tzinfo=None)
        cutoff = dt.timedelta(hours=store.cutoff.hour, minutes=store.cutoff.minute)
        day = ((local - cutoff).date(), one.store_id, one.currency)
        if one.is_voided:
            figures[day, "voided"] += 1
            continue
        figures[day, "receipts"] += 1
        figures[day, "refunds"] += one.is_refund
        for category, tax_code, net, tax in one.lines:
            figures[day, category, tax_code, one.is_refund, "net"] += net
            figures[day, category, tax_code, one.is_refund, "tax"] += tax
            figures[day, category, tax_code, one.is_refund, "lines"] += 1
        for tender, amount in one.tenders:
            figures[day, tender, one.is_refund, "amount"] += amount
            figures[day, tender, one.is_refund, "tenders"] += 1
    return figures


def figures_of(totals: list[DailyTotal]) -> Counter[tuple[object, ...]]:
    """The figures of daily totals, in the same keys."""
    figures: Counter[tuple[object, ...]] = Counter()
    for total in totals:
        day = (total.business_date, total.store_id, total.currency)
        figures[day, "voided"] += total.voided_count
        figures[day, "receipts"] += total.receipt_count
        figures[day, "refunds"] += total.refund_count
        for one in total.categories:
            key = (day, one.category, one.tax_code, one.is_refund)
            figures[*key, "net"] += one.net_minor
            figures[*key, "tax"] += one.tax_minor
            figures[*key, "lines"] += one.line_count
        for paid in total.tenders:
            figures[day, paid.tender, paid.is_refund, "amount"] += paid.amount_minor
            figures[day, paid.tender, paid.is_refund, "tenders"] += paid.tender_count
    return figures


@few
@given(DAYS)
def test_totals_equal_an_exact_sum_over_each_receipt(receipts: list[Receipt]) -> None:
    """Random days with late, changed, voided and refunded receipts add up to the cent."""
    by_hand = figures_by_hand(receipts)
    totals = figures_of(daily_totals(batch(receipts), STORES))
    assert +by_hand == +totals
    assert -by_hand == -totals


@few
@given(DAYS, st.randoms(use_true_random=False))
def test_the_order_of_receipts_does_not_matter(
    receipts: list[Receipt], chance: random.Random
) -> None:
    """Any order of the rows gives the same totals in the same order."""
    shuffled = list(receipts)
    chance.shuffle(shuffled)
    frames = batch(shuffled)
    frames = replace(
        frames,
        receipts=frames.receipts.sample(frac=1, random_state=chance.randrange(2**32)),
        lines=frames.lines.sample(frac=1, random_state=chance.randrange(2**32)),
        tenders=frames.tenders.sample(frac=1, random_state=chance.randrange(2**32)),
    )
    assert daily_totals(batch(receipts), STORES) == daily_totals(frames, STORES)


@few
@given(receipts=DAYS)
def test_many_names_give_the_same_totals_as_few(receipts: list[Receipt]) -> None:
    """The way taken when days and names are too many to index gives the same totals."""
    expected = daily_totals(batch(receipts), STORES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_DENSE_SIZE_MAX", 0)
        patch.setattr(module, "_BLOCK_ROWS", 3)
        assert expected == daily_totals(batch(receipts), STORES)
