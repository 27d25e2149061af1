"""How counts are spoken."""

from __future__ import annotations

import pytest

from daybook.wording import counted


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 receipts"), (1, "1 receipt"), (2, "2 receipts")]
)
def test_one_is_not_many(count: int, said: str) -> None:
    """Only one is spoken of as one."""
    assert said == counted(count, "receipt")


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    """Not every plural is the noun and an s."""
    assert ["1 entry", "2 entries"] == [counted(one, "entry", "entries") for one in (1, 2)]
