"""The ledger's engine on a real PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from daybook.jobs.post import CALLS_AT_ONCE
from daybook.ledger.engine import open_engine

pytestmark = pytest.mark.postgres

_ORGANISATIONS_AT_ONCE = 4  # the workers of the flows


def test_every_call_of_organisations_posted_into_at_once_finds_a_connection(
    database_url: str,
) -> None:
    """Each holds one for its lock, and each of its calls waits with another for renewed tokens."""
    engine = open_engine(database_url)
    with ExitStack() as held:
        for _ in range(_ORGANISATIONS_AT_ONCE * (1 + CALLS_AT_ONCE) + 1):
            held.enter_context(engine.connect())
    engine.dispose()
