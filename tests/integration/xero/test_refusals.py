"""The messages that the reference beside the repository lists are all explained."""

from __future__ import annotations

import re

import pytest
from xero_place import REFERENCE

from daybook.xero.refusals import refusal_of

SECTION = re.compile(r"^### 6\.2 .*?(?=^### 6\.3 )", re.MULTILINE | re.DOTALL)


def listed() -> list[str]:
    """Every message of the catalogue, as Xero spells it."""
    section = SECTION.search((REFERENCE / "xero.md").read_text(encoding="utf-8"))
    assert section is not None
    return re.findall(r"`([^`]+)`", section[0])


def test_catalogue_is_a_long_one() -> None:
    """The section is there and was understood."""
    assert len(listed()) > 45


@pytest.mark.parametrize("message", listed())
def test_listed_message_has_its_row(message: str) -> None:
    """One row with an explanation and a next step."""
    assert refusal_of(message) is not None
