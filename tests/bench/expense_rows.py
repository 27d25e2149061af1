"""How many calls a batch of expenses with its receipts takes, beside the fewest there can be.

The fewest: one for 50 expenses and one for each file that is attached. Every expense and every file
is checked. A second run loses replies and requests at random: what that costs is counted apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import psycopg

from daybook.ledger import embedded
from tests.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

AIM_OVER_FLOOR: Final = 1.05
EXPENSES: Final = 1000
EXPENSES_WITH_FAULTS: Final = 300
PROBABILITY: Final = 0.02
PER_CALL: Final = 50
_TESTS: Final = Path(__file__).parents[1]
_RUN_CHILD: Final = f"""
import runpy, sys
sys.path[:0] = [{str(_TESTS.parent)!r}, {str(_TESTS / "support")!r}]
runpy.run_path({str(_TESTS / "bench" / "expense_child.py")!r}, run_name="__main__")
"""


def rows(year: Path) -> Iterator[Row]:
    """Two rows: without faults, and with faults but without what they cost."""
    with embedded.start(year / "expense_home") as server:
        clean = _measured(server, EXPENSES, 0)
        faulty = _measured(server, EXPENSES_WITH_FAULTS, PROBABILITY)
    floor = EXPENSES // PER_CALL + clean["uploads"]
    yield Row(
        "expenses_calls_over_floor",
        clean["calls"],
        "calls",
        "one a batch and a file",
        floor,
        f"aim {AIM_OVER_FLOOR}; no faults; {EXPENSES:,} expenses, {clean['receipts']:,} receipts",
    )
    floor = EXPENSES_WITH_FAULTS // PER_CALL + faulty["uploads"]
    repeated = faulty["struck"] + faulty["lists"]
    yield Row(
        "expenses_calls_with_faults",
        faulty["calls"] - repeated,
        "calls",
        "one a batch and a file",
        floor,
        f"and {repeated} for {faulty['struck']} calls that failed: each, and looking it up",
    )


def _measured(
    server: embedded.EmbeddedPostgres, expense_count: int, probability: float
) -> dict[str, int]:
    name = f"expenses_{uuid4().hex}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    answer = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _RUN_CHILD, server.url(name), str(expense_count), str(probability)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    measured: dict[str, int] = json.loads(answer.stdout)
    return measured
