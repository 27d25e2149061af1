"""How much one call may hold: elements of a write, values of a lookup. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ELEMENT_COUNT_MAX: Final = 50
NUMBER_COUNT_MAX: Final = 40

# A chunk of lookup values goes into the address of the call, whose length servers bound.
_ADDRESS_CHARACTERS_MAX: Final = 4000
_SEPARATOR_CHARACTERS: Final = 4


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
