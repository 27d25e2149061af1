"""Batches put together."""

from __future__ import annotations

from till import SINGAPORE, Receipt, batch

from daybook.sales.daily_totals import daily_totals
from daybook.sales.frames import LINE_COLUMNS, ReceiptBatch, joined


def test_joined_batches_keep_lines_with_their_receipts() -> None:
    """Keys are given anew, so that batches numbered alike do not run into each other."""
    receipts = [Receipt(f"R{number}", lines=(("Food", "GST", number, 0),)) for number in range(6)]
    parts = [batch(receipts[:2]), batch([]), batch(receipts[2:])]
    whole = joined(parts)
    assert daily_totals(batch(receipts), [SINGAPORE]) == daily_totals(whole, [SINGAPORE])
    assert list(range(6)) == whole.receipts["receipt_key"].tolist()
    assert list(range(6)) == whole.lines["net_minor"].tolist()


def test_joined_categories_stay_categories() -> None:
    """Batches with different names give one column with all of them."""
    parts = []
    for name in ("Food", "Tea"):
        frames = batch([Receipt(lines=((name, "GST", 1, 0),))])
        lines = frames.lines.astype({"category": "category"})
        parts.append(ReceiptBatch(frames.receipts, lines, frames.tenders))
    column = joined(parts).lines["category"]
    assert ("category", ["Food", "Tea"]) == (str(column.dtype), column.tolist())


def test_no_batches_are_an_empty_batch() -> None:
    """The columns and their types are there all the same."""
    nothing = joined([])
    assert list(LINE_COLUMNS) == list(nothing.lines)
    assert [] == daily_totals(nothing, [SINGAPORE])
