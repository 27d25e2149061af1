"""How documents are packed into calls: as few calls as Xero's sizes allow. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from daybook.posting.documents import DocumentKind, SalesDocument
from daybook.xero.wire import ZERO_ID, credit_note_body, invoice_body, payment_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from daybook.xero.wire import PaymentToSend

ELEMENT_COUNT_MAX: Final = 50
BYTES_MAX: Final = 3_500_000
NUMBER_COUNT_MAX: Final = 40

_ENVELOPE_BYTES: Final = 64
# A chunk of lookup values goes into the address of the call, whose length servers bound.
_ADDRESS_CHARACTERS_MAX: Final = 4000
_SEPARATOR_CHARACTERS: Final = 4

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_Item = TypeVar("_Item", "SalesDocument", "PaymentToSend")


def batches(
    items: Sequence[_Item],
    *,
    element_count_max: int = ELEMENT_COUNT_MAX,
    bytes_max: int = BYTES_MAX,
) -> Iterator[tuple[_Item, ...]]:
    """Split documents of one kind, in order, into batches that fit one call each.

    A single document above the size is a batch of its own: Xero then says what is wrong with it.
    """
    batch: list[_Item] = []
    batch_bytes = _ENVELOPE_BYTES
    for item in items:
        item_bytes = size_of(item) + 1
        is_full = len(batch) == element_count_max or batch_bytes + item_bytes > bytes_max
        if batch and is_full:
            yield tuple(batch)
            batch, batch_bytes = [], _ENVELOPE_BYTES
        batch.append(item)
        batch_bytes += item_bytes
    if batch:
        yield tuple(batch)


def size_of(item: SalesDocument | PaymentToSend) -> int:
    """Return the bytes that a document takes on the wire."""
    if not isinstance(item, SalesDocument):
        return len(_ENCODER.encode(payment_body(item)))
    body = invoice_body if item.kind is DocumentKind.INVOICE else credit_note_body
    return len(_ENCODER.encode(body(item, ZERO_ID)))


def lookup_chunks(
    values: Sequence[str], written: Callable[[str], str] = str
) -> Iterator[tuple[str, ...]]:
    """Split lookup values, each once and in order, into groups that one call's address can hold.

    `written` is how a value stands in the address; Xero recommends at most 40 values a call.
    """
    chunk: list[str] = []
    characters = 0
    for value in dict.fromkeys(values):
        length = len(written(value)) + _SEPARATOR_CHARACTERS
        is_full = len(chunk) == NUMBER_COUNT_MAX or characters + length > _ADDRESS_CHARACTERS_MAX
        if chunk and is_full:
            yield tuple(chunk)
            chunk, characters = [], 0
        chunk.append(value)
        characters += length
    if chunk:
        yield tuple(chunk)
