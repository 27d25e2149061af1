"""What the jobs' tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kopi_corner import connected_chain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopi_corner import Chain


@pytest.fixture
def chain(database_url: str) -> Iterator[Chain]:
    """Three stores, connected to an organisation in a sandbox of their own."""
    with connected_chain(database_url) as connected:
        yield connected
