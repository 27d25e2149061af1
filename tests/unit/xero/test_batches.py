"""How documents are packed into calls."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.posting.documents import DocumentKind, DocumentLine, Payment, SalesDocument
from daybook.xero.batches import batches, lookup_chunks, size_of
from daybook.xero.wire import PaymentToSend

if TYPE_CHECKING:
    from collections.abc import Sequence


def _invoice(number: str, description: str = "Sales") -> SalesDocument:
    line = DocumentLine(description, "200", "NONE", Decimal("1.00"), Decimal(0))
    return SalesDocument(
        kind=DocumentKind.INVOICE,
        natural_key=number,
        number=number,
        reference=number,
        contact_name="POS",
        date=dt.date(2026, 7, 14),
        currency="SGD",
        lines=(line,),
    )


def _payment(reference: str) -> PaymentToSend:
    payment = Payment(
        kind=DocumentKind.PAYMENT,
        natural_key=reference,
        document_key="I",
        account_code="090",
        date=dt.date(2026, 7, 14),
        currency="SGD",
        amount=Decimal("1.00"),
        reference=reference,
        tender="Cash",
    )
    return PaymentToSend(payment, DocumentKind.INVOICE, "id-1")


def _counts(items: Sequence[SalesDocument]) -> list[int]:
    return [len(batch) for batch in batches(items)]


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, [1]), (50, [50]), (51, [50, 1]), (120, [50, 50, 20])]
)
def test_a_call_takes_fifty(count: int, expected: list[int]) -> None:
    """Fifty is what Xero advises; the last batch takes the rest."""
    assert expected == _counts([_invoice(str(number)) for number in range(count)])


def test_payments_are_packed_too() -> None:
    """Same sizes, own form."""
    assert [50, 10] == [len(batch) for batch in batches([_payment(str(n)) for n in range(60)])]


def test_large_documents_make_smaller_batches() -> None:
    """A call stays under 3.5 MB."""
    large = [_invoice(str(number), "x" * 1_000_000) for number in range(7)]
    assert [3, 3, 1] == _counts(large)


def test_a_document_above_the_size_goes_alone() -> None:
    """Xero then says what is wrong with it, and it blocks no other."""
    items = [_invoice("1"), _invoice("2", "x" * 4_000_000), _invoice("3")]
    assert [1, 1, 1] == _counts(items)


@given(st.lists(st.integers(0, 900), max_size=40), st.integers(1, 7), st.integers(1_000, 5_000))
def test_batches_keep_order_and_limits(
    lengths: list[int], element_count_max: int, bytes_max: int
) -> None:
    """Nothing is lost, doubled or reordered, and only a lone document may be above the size."""
    items = [_invoice(str(number), "x" * length) for number, length in enumerate(lengths)]
    packed = list(batches(items, element_count_max=element_count_max, bytes_max=bytes_max))
    assert items == [item for batch in packed for item in batch]
    for batch in packed:
        assert len(batch) <= element_count_max
        assert len(batch) == 1 or sum(map(size_of, batch)) <= bytes_max


def test_lookups_take_forty_values_each_once() -> None:
    """Forty is what Xero recommends; a value asked for twice is looked up once."""
    values = [str(number) for number in range(100)]
    assert [40, 40, 20] == [len(chunk) for chunk in lookup_chunks(values + values)]


def test_long_lookup_values_make_smaller_groups() -> None:
    """The address of a call may not grow without bound."""
    chunks = list(lookup_chunks([f"{number:0255}" for number in range(40)]))
    assert [15, 15, 10] == [len(chunk) for chunk in chunks]
