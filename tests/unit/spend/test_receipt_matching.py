"""Receipts and the expenses they belong to."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from daybook.expenses.expense import AttachmentRef, Expense, SourceStatus
from daybook.spend.receipt_matching import match

ONE = Expense(
    source="files",
    id_source="E-1",
    account_id_source="a1",
    status=SourceStatus.SETTLED,
    spent_date=dt.date(2026, 3, 14),
    amount_minor=1250,
    currency="SGD",
    merchant="Grab",
    category="Transport",
)
TWO = replace(ONE, id_source="E-2", merchant="Ya Kun Kaya Toast")
OTHER = replace(ONE, id_source="E-3", amount_minor=9900)


def test_receipts_are_matched_by_id() -> None:
    """File name, numbered file name, folder."""
    files = [AttachmentRef(key, key) for key in ("e-1.pdf", "E-1_2.jpg", "E-3/hotel.jpg", "x.pdf")]
    found = match([ONE, TWO, OTHER], files)
    assert {"files-E-1": ["E-1_2.jpg", "e-1.pdf"], "files-E-3": ["E-3/hotel.jpg"]} == {
        key: [one.key for one in refs] for key, refs in found.by_expense.items()
    }
    assert () == found.unmatched


def test_receipts_are_matched_by_facts_and_ambiguous_ones_are_held() -> None:
    """Date and amount, then the merchant; what still fits two is held with both named."""
    files = [
        AttachmentRef(key, key)
        for key in ("2026-03-14 99.00.jpg", "20260314 12.50 kaya.jpg", "2026-03-14 12.50.jpg")
    ]
    found = match([ONE, TWO, OTHER], files)
    assert {"files-E-3", "files-E-2"} == set(found.by_expense)
    [held] = found.unmatched
    assert "files-E-1, files-E-2" in held.sentence
