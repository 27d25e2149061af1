"""One pair of workers for all tests, and the odd files, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fit_place import Place

from daybook.spend.fit.fitter import Fitter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def fitter() -> Iterator[Fitter]:
    """The usual limits."""
    with Fitter() as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, fitter: Fitter) -> Place:
    """A folder for originals, and the fitter for what lies in it."""
    return Place(tmp_path, fitter)
