"""How documents are cut into batches."""

from __future__ import annotations

from daybook.jobs.post_round import batches
from daybook.ledger.documents import WaitingDocument


def payments(*group_sizes: int, byte_count: int = 100) -> list[WaitingDocument]:
    """Payments of some documents, so many of each."""
    groups = [group for group, size in enumerate(group_sizes) for _ in range(size)]
    return [
        WaitingDocument(document_id, group, byte_count, "")
        for document_id, group in enumerate(groups)
    ]


def test_payments_of_one_document_travel_together() -> None:
    """A document whose payments do not fit any more opens the next batch."""
    assert [48, 4] == [len(batch) for batch in batches(payments(*[4] * 13))]
    assert [49, 5] == [len(batch) for batch in batches(payments(49, 5))]


def test_document_with_more_payments_than_a_call_takes_is_cut() -> None:
    """There is no other way."""
    assert [50, 10] == [len(batch) for batch in batches(payments(60))]


def test_batch_holds_no_more_bytes_than_xero_takes() -> None:
    """Long documents make short batches."""
    assert [1, 1, 1] == [len(batch) for batch in batches(payments(1, 1, 1, byte_count=900_000))]


def test_parts_of_a_refused_batch_go_out_by_themselves() -> None:
    """Each by itself, and what was in no such batch is not mixed with them."""
    parts = {0: 1, 1: 1, 2: 2}
    sent = [[one.document_id for one in batch] for batch in batches(payments(2, 1, 2), parts)]
    assert [[0, 1], [2], [3, 4]] == sent
