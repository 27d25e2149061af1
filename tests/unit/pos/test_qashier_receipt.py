"""Receipts of Qashier's files as frames, and the sharing out of one amount."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from daybook.pos.qashier_receipt import (
    DayReceipts,
    Paid,
    SoldLine,
    SoldReceipt,
    receipt_batch,
    shares,
)
from daybook.sales.frames import LINE_COLUMNS, RECEIPT_COLUMNS, TENDER_COLUMNS, empty, joined
from daybook.sales.store import Store, StoreDay

KATONG = Store("K1", "Teh House Katong", "Asia/Singapore", "SGD")
DAY = StoreDay(dt.date(2026, 5, 2), "K1")
AT = dt.datetime(2026, 5, 2, 4, tzinfo=dt.UTC)


def test_leftover_cents_go_to_the_largest_remainders() -> None:
    """10.00 in three is 3.34, 3.33 and 3.33: the first of equals first."""
    assert [334, 333, 333] == shares(1000, [1, 1, 1])


def test_shares_of_tax_by_hand() -> None:
    """86.11 over 300, 570 and 87: 26.9937, 51.2881 and 7.8282, so cents go to the last two."""
    assert [2699, 5129, 783] == shares(8611, [30000, 57000, 8700])


def test_weights_may_be_negative() -> None:
    """A line below zero takes tax back: 9.00 over 120 and -20."""
    assert [1080, -180] == shares(900, [12000, -2000])


def test_nothing_is_shared_over_nothing() -> None:
    """Weights that cancel out take shares of nothing only."""
    assert [0, 0] == shares(0, [5, -5])


@given(
    st.integers(-(10**9), 10**9),
    st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=20).filter(lambda w: sum(w) != 0),
)
def test_shares_always_come_to_the_amount(amount: int, weights: list[int]) -> None:
    """To the last unit, and each within one unit of its exact share."""
    parts = shares(amount, weights)
    whole = sum(weights)
    assert amount == sum(parts)
    assert all(
        abs(part * whole - amount * weight) <= abs(whole)
        for part, weight in zip(parts, weights, strict=True)
    )


def test_frames_have_the_shape_every_source_has() -> None:
    """Columns and types are those of an empty batch, so that batches can be joined."""
    receipt = SoldReceipt("R1", AT, (SoldLine("Tea", "GST", 100, 9),), (Paid("Cash", 109),))
    batch = receipt_batch([DayReceipts(DAY, KATONG, AT, (receipt,))])
    wanted = empty()
    assert [*RECEIPT_COLUMNS] == batch.receipts.columns.to_list()
    assert [*LINE_COLUMNS] == batch.lines.columns.to_list()
    assert [*TENDER_COLUMNS] == batch.tenders.columns.to_list()
    for frame, like in (
        (batch.receipts, wanted.receipts),
        (batch.lines, wanted.lines),
        (batch.tenders, wanted.tenders),
    ):
        assert like.dtypes.to_dict() == frame.dtypes.to_dict()
    assert 2 == len(joined([batch, batch]).receipts)


def test_no_days_are_an_empty_batch() -> None:
    """A page may carry rejects alone."""
    assert 0 == len(receipt_batch([]).receipts)


def test_a_receipt_below_zero_is_a_refund() -> None:
    """Money went back to the customer."""
    receipt = SoldReceipt("R1", AT, (SoldLine("Tea", "GST", -100, -9),), (Paid("Cash", -109),))
    batch = receipt_batch([DayReceipts(DAY, KATONG, AT, (receipt,))])
    assert [True] == batch.receipts["is_refund"].to_list()
