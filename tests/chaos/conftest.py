"""What the chaos tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kopi_night import night, night_totals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kopi_night import Night


@pytest.fixture
def small_night(database_url: str, tmp_path: Path) -> Iterator[Night]:
    """Four store-days with every kind of document, in batches small enough to be several."""
    with night(database_url, tmp_path, night_totals(2, 2), batch_documents=9) as small:
        yield small
