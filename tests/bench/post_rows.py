"""Posting 1,000 store-days of five tenders into the sandbox, beside the official SDK.

Each way is a process of its own with a sandbox of its own, without limits; all books are checked.

The SDK sends the same batches, one call after the other: that is how it is used, for it has no
calls at once and no limiter that would make them safe. Daybook has four calls under way, as it has
in Xero, and commits an intent and an outcome for every document, which the SDK does not. On two
cores that comes to about the same: with the database Daybook's work takes more CPU seconds than
the SDK's, and the calls under way hide the difference.
"""

from __future__ import annotations

import json
import subprocess
import sys
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from daybook.ledger import embedded, migrate
from daybook.ledger.engine import open_engine
from tests.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

_TESTS = Path(__file__).parents[1]
_RUN_CHILD = f"""
import runpy, sys
sys.path[:0] = [{str(_TESTS.parent)!r}, {str(_TESTS / "support")!r}]
runpy.run_path({str(_TESTS / "bench" / "post_child.py")!r}, run_name="__main__")
"""
AIM_CALLS = 126


def rows(year: Path) -> Iterator[Row]:
    """Daybook, the SDK in batches of 50, and the SDK one document a call."""
    with embedded.start(year / "post_home") as server:
        single = _measured(server, "one_by_one")
        # They take turns, and each one's best time counts.
        tries = [(_measured(server, "daybook"), _measured(server, "batched")) for _ in range(3)]
    ours, batched = (min(tried, key=itemgetter("seconds")) for tried in zip(*tries, strict=True))
    yield Row(
        "calls_1000_store_days",
        ours["calls"],
        "calls",
        "xero-python one by one",
        single["calls"],
        f"aim at most {AIM_CALLS}; 1,000 invoices and 5,000 payments, lookups included",
    )
    yield Row(
        "documents_per_second",
        ours["documents"] / ours["seconds"],
        "docs/s",
        "xero-python, batches of 50",
        batched["documents"] / batched["seconds"],
        f"intents and outcomes kept; one by one {single['documents'] / single['seconds']:.0f}",
    )


def _measured(server: embedded.EmbeddedPostgres, how: str) -> dict[str, float]:
    name = f"bench_{uuid4().hex}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    engine = open_engine(server.url(name))
    migrate.upgrade(engine)
    engine.dispose()
    answer = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _RUN_CHILD, how, server.url(name)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    measured: dict[str, float] = json.loads(answer.stdout)
    return measured
