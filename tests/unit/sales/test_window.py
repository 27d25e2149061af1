"""The part of a batch that was asked for."""

from __future__ import annotations

import datetime as dt

from till import DATE, NOON, SINGAPORE, Receipt, batch

from daybook.sales.window import within

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
