"""How many values one lookup takes."""

from __future__ import annotations

from daybook.xero.batches import lookup_chunks


def test_lookups_take_forty_values_each_once() -> None:
    """Forty is what Xero recommends; a value asked for twice is looked up once."""
    values = [str(number) for number in range(100)]
    assert [40, 40, 20] == [len(chunk) for chunk in lookup_chunks(values + values)]


def test_long_lookup_values_make_smaller_groups() -> None:
    """The address of a call may not grow without bound."""
    chunks = list(lookup_chunks([f"{number:0255}" for number in range(40)]))
    assert [15, 15, 10] == [len(chunk) for chunk in chunks]
