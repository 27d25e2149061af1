"""The part of a batch that was asked for."""

from __future__ import annotations

import datetime as dt

from till import DATE, NOON, SINGAPORE, Receipt, batch

from daybook.sales.store import Store, StoreDay
from daybook.sales.window import store_days_of, within

DAY = dt.timedelta(days=1)


def test_receipts_of_other_dates_and_stores_are_left_out() -> None:
    """What a page carries beside the window never reaches the ledger."""
    frames = batch(
        [
            Receipt("before", sold_at=NOON - DAY),
            Receipt("asked"),
            Receipt("after", sold_at=NOON + DAY),
            Receipt("elsewhere", store_id="S99"),
        ]
    )
    kept = within(frames, [SINGAPORE], DATE, DATE)
    assert ["asked"] == kept.receipts["receipt_id_pos"].tolist()
    assert ([1], [1]) == (
        kept.lines["receipt_key"].tolist(),
        kept.tenders["receipt_key"].tolist(),
    )


def test_a_batch_that_was_asked_for_whole_is_not_copied() -> None:
    """The usual page passes as it is."""
    frames = batch([Receipt()])
    assert frames is within(frames, [SINGAPORE], DATE, DATE)


def test_an_empty_batch_stays_empty() -> None:
    """Nothing in, nothing out."""
    assert 0 == len(within(batch([]), [SINGAPORE], DATE, DATE).receipts)


def test_store_days_are_dated_by_each_store_s_own_clock() -> None:
    """At noon in Singapore it is still the day before in New York; a batch may have none."""
    bar = Store("S02", "Bar", "America/New_York", "USD", cutoff=dt.time(4, 0))
    frames = batch([Receipt("R1"), Receipt("R2"), Receipt("R3", "S02", sold_at=NOON)])
    days = {StoreDay(DATE, "S01"), StoreDay(DATE - DAY, "S02")}
    assert days == store_days_of(frames, [SINGAPORE, bar])
    assert set() == store_days_of(batch([]), [SINGAPORE])
