"""One running sandbox for all points of sale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """One sandbox and one client for all tests of this folder."""
    with (
        serve(SandboxConfig(seed=7, limits=False)) as sandbox,
        httpx.Client(base_url=sandbox.url, timeout=20) as client,
    ):
        yield client
