"""Hashes that tell changed receipts from unchanged ones."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from till import DATE, NOON, Receipt, batch

from daybook.sales.content_hash import receipt_hashes
from daybook.sales.frames import ReceiptBatch

RECEIPT = Receipt(
    lines=(("Food", "GST", 1000, 90), ("Tea", "GST", 500, 45)), tenders=(("Cash", 1635),)
)


def hash_of(one: Receipt, date: dt.date = DATE) -> int:
    """The hash of a receipt on its own."""
    (found,) = receipt_hashes(batch([one]), np.array([date], dtype="datetime64[D]")).tolist()
    return int(found)


def test_the_hash_is_the_same_for_ever() -> None:
    """A new version of any library must not make every receipt look changed."""
    assert 3825541562965111632 == hash_of(RECEIPT)


def test_the_hash_does_not_depend_on_the_batch() -> None:
    """Order, neighbours and keys have no part in it."""
    frames = batch([Receipt("R9"), RECEIPT])
    turned = ReceiptBatch(
        frames.receipts.assign(receipt_key=[70, 5]),
        frames.lines.assign(receipt_key=frames.lines["receipt_key"].map({0: 70, 1: 5})).iloc[::-1],
        frames.tenders.assign(receipt_key=frames.tenders["receipt_key"].map({0: 70, 1: 5})),
    )
    dates = np.array([DATE, DATE], dtype="datetime64[D]")
    assert hash_of(RECEIPT) == receipt_hashes(turned, dates).tolist()[1]


def test_the_time_of_the_update_is_not_content() -> None:
    """A source may touch a receipt and change nothing."""
    assert hash_of(RECEIPT) == hash_of(replace(RECEIPT, updated_at=NOON + dt.timedelta(days=1)))


@pytest.mark.parametrize(
    "changed",
    [
        replace(RECEIPT, sold_at=NOON + dt.timedelta(microseconds=1)),
        replace(RECEIPT, currency="USD"),
        replace(RECEIPT, is_refund=True),
        replace(RECEIPT, is_voided=True),
        replace(RECEIPT, lines=(("Food", "GST", 1000, 90), ("Tea", "GST", 501, 45))),
        replace(RECEIPT, lines=(("Food", "GST", 1000, 90), ("Tea", "GST", 500, 46))),
        replace(RECEIPT, lines=(("Food", "GST", 1000, 90), ("Tea", "Zero", 500, 45))),
        replace(RECEIPT, lines=(("Food", "GST", 1000, 90), ("Coffee", "GST", 500, 45))),
        replace(RECEIPT, lines=(("Tea", "GST", 500, 45), ("Food", "GST", 1000, 90))),
        replace(RECEIPT, lines=(("Food", "GST", 1000, 90),)),
        replace(RECEIPT, lines=(*RECEIPT.lines, ("Food", "GST", 0, 0))),
        replace(RECEIPT, tenders=(("Visa", 1635),)),
        replace(RECEIPT, tenders=(("Cash", 1634),)),
        replace(RECEIPT, tenders=(("Cash", 1000), ("Cash", 635))),
        replace(RECEIPT, tenders=()),
    ],
)
def test_every_figure_is_part_of_the_hash(changed: Receipt) -> None:
    """Whatever differs, the hash differs."""
    assert hash_of(RECEIPT) != hash_of(changed)


def test_the_business_date_is_part_of_the_hash() -> None:
    """A store's new cut-off moves its receipts at the next extract."""
    assert hash_of(RECEIPT) != hash_of(RECEIPT, dt.date(2026, 3, 13))
