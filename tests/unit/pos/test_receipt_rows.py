"""Rows on their way into a page: keys, positions, the window, and what no frame can hold."""

from __future__ import annotations

import datetime as dt

from answered_pos import DAY, SHOP

from daybook.pos.receipt_rows import Head, Instants, ReceiptRows
from daybook.sales.frames import LINE_COLUMNS, RECEIPT_COLUMNS, TENDER_COLUMNS, empty
from daybook.sales.store import Store

WINDOW = Instants.of([SHOP], DAY, DAY)


def _head(receipt_id: str, sold_at: str = "2025-03-15T05:00:00Z", currency: str = "SGD") -> Head:
    return Head(
        store_id="BUGIS",
        receipt_id_pos=receipt_id,
        sold_at=sold_at,
        updated_at="2025-03-15T06:00:00.5Z",
        currency=currency,
        is_refund=False,
        is_voided=False,
    )


def _rows(*heads: Head) -> ReceiptRows:
    rows = ReceiptRows("https://till.example/receipts", WINDOW)
    for head in heads:
        lines = [("Sales", "GST 9%", 100, 9, 0), ("Tips", "No tax", 50, 0, 0)]
        rows.add(head, lines, [("CASH", 159)])
    return rows


def test_the_window_covers_the_days_of_all_stores() -> None:
    """It begins with the store where the day begins first, and ends where it ends last."""
    other = Store("NYC", "", "America/New_York", "USD")
    both = Instants.of([SHOP, other], DAY, DAY)
    assert dt.datetime(2025, 3, 14, 20, tzinfo=dt.UTC) == both.start_at
    assert dt.datetime(2025, 3, 16, 4, tzinfo=dt.UTC) == both.end_at


def test_lines_and_tenders_know_their_receipt_and_position() -> None:
    """Keys count receipts from 0, positions count from 1 on each; a receipt may have neither."""
    rows = _rows(_head("A"))
    rows.add(_head("B"), [], [])
    rows.add(_head("C"), [("Sales", "No tax", 1, 0, 0)], [("CASH", 1), ("CARD", 0)])
    batch = rows.page().batch
    assert [(0, 1), (0, 2), (2, 1)] == list(
        zip(batch.lines["receipt_key"], batch.lines["line_no"], strict=True)
    )
    assert [(0, 1), (2, 1), (2, 2)] == list(
        zip(batch.tenders["receipt_key"], batch.tenders["tender_no"], strict=True)
    )


def test_the_frames_have_the_form_of_all_frames() -> None:
    """Columns and their types are those of `daybook.sales.frames`; names may be categories."""
    batch = _rows(_head("A")).page().batch
    for frame, columns, like in (
        (batch.receipts, RECEIPT_COLUMNS, empty().receipts),
        (batch.lines, LINE_COLUMNS, empty().lines),
        (batch.tenders, TENDER_COLUMNS, empty().tenders),
    ):
        assert list(columns) == list(frame.columns)
        types = frame.dtypes.astype("str")
        assert [] == [
            name for name in columns if types[name] not in {str(like[name].dtype), "category"}
        ]


def test_nothing_is_an_empty_page() -> None:
    """Rejects alone make a page without receipts."""
    rows = _rows()
    rows.reject("A", "state", "It is odd.")
    page = rows.page()
    assert 0 == len(page.batch.receipts)
    (reject,) = page.rejects
    assert ("https://till.example/receipts/A", "It is odd. The receipt is left out.") == (
        reject.url,
        reject.reason,
    )


def test_receipts_outside_the_window_are_left_out_whole() -> None:
    """The day begins and ends at 04:00 in Singapore, 20:00 UTC."""
    rows = _rows(
        _head("before", "2025-03-14T19:59:59.999999Z"),
        _head("first", "2025-03-14T20:00:00Z"),
        _head("last", "2025-03-15T19:59:59.999999Z"),
        _head("after", "2025-03-15T20:00:00Z"),
    )
    batch = rows.page().batch
    assert ["first", "last"] == batch.receipts["receipt_id_pos"].to_list()
    assert {1, 2} == set(batch.lines["receipt_key"]) == set(batch.tenders["receipt_key"])


def test_what_no_frame_can_hold_is_a_reject() -> None:
    """A bad time, id or currency takes its receipt with it, and no other."""
    rows = _rows(
        _head("good"),
        _head("noon", "noon"),
        _head("nul\0"),
        _head("money", currency="dollars"),
        _head("past", "0999-01-01T00:00:00Z"),
    )
    page = rows.page()
    assert ["good"] == page.batch.receipts["receipt_id_pos"].to_list()
    assert {0} == set(page.batch.lines["receipt_key"])
    found = {(one.url.rpartition("/")[2], one.column) for one in page.rejects}
    assert {("noon", "sold_at"), ("nul\\x00", "receipt_id_pos"), ("money", "currency")} <= found


def test_a_time_that_cannot_be_read_may_be_of_the_window() -> None:
    """So that its reject is not lost."""
    assert [True, True, False] == [
        WINDOW.may_hold(text) for text in ("noon", "2025-03-15T05:00:00Z", "2025-03-17T05:00:00Z")
    ]
