"""The content hash, which says that an expense was updated."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from daybook.expenses.expense import (
    AttachmentRef,
    Expense,
    Override,
    SourceStatus,
    content_hash,
    decode,
    encode,
)

EXPENSE = Expense(
    source="aspire",
    id_source="x1",
    account_id_source="a1",
    status=SourceStatus.SETTLED,
    spent_date=dt.date(2026, 3, 14),
    amount_minor=1000,
    currency="SGD",
    merchant="Grab",
    category="Meals",
)
FILES = (AttachmentRef("k1", "a.jpg", 5), AttachmentRef("k2", "b.jpg", 6))


def test_every_change_that_a_review_looks_at_changes_the_hash() -> None:
    """Category, amount, note, decisions and receipts each count; the order of receipts does not."""
    before = content_hash(EXPENSE, Override(), FILES)
    assert before == content_hash(EXPENSE, Override(), FILES[::-1])
    changed = {
        content_hash(replace(EXPENSE, category="Travel"), Override(), FILES),
        content_hash(replace(EXPENSE, amount_minor=1001), Override(), FILES),
        content_hash(replace(EXPENSE, note="n"), Override(), FILES),
        content_hash(EXPENSE, Override(account="420"), FILES),
        content_hash(EXPENSE, Override(), FILES[:1]),
        content_hash(EXPENSE, Override(), (FILES[0], replace(FILES[1], version="2"))),
    }
    assert 6 == len(changed - {before})


def test_stored_form_comes_back() -> None:
    """What is encoded is decoded."""
    assert EXPENSE == decode(encode(EXPENSE))
