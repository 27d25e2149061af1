"""How counts are spoken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from daybook import wording
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


def test_every_count_of_these_is_spoken_so() -> None:
    """No sentence puts a number before a plural by itself: it may be one."""
    nouns = "calls|days|documents|expenses|payments|receipts|rows|store-days|stores|times|totals"
    alone = re.compile(rf"\{{(?:[\w.]*count|len\([^{{}}]*\)|more)\}} (?:more )?(?:{nouns})\b")
    library = Path(wording.__file__).parent
    # More than a thousand expenses, and documents of one batch after the other.
    many = {library / "expenses" / "batching.py", library / "jobs" / "post.py"}
    found = {
        f"{path.relative_to(library)}: {said}"
        for path in sorted(library.rglob("*.py"))
        if "sandbox" not in path.parts and path not in many
        for said in alone.findall(path.read_text())
    }
    assert set() == found
