"""What the tests of the Xero adapter against the sandbox share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xero_place import REFERENCE, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xero_place import Place


# The catalogue of Xero's messages is not part of the repository.
collect_ignore = [] if REFERENCE.exists() else ["test_refusals.py"]


@pytest.fixture
def place() -> Iterator[Place]:
    """A sandbox of the test's own and a signed-in client of its first organisation."""
    with signed_in() as place:
        yield place
