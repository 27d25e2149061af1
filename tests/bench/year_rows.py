"""The whole year on its way: what planning and posting take, and whether the books are right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from daybook.ledger import embedded
from tests.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

_TESTS = Path(__file__).parents[1]
_RUN_CHILD = f"""
import runpy, sys
sys.path[:0] = [{str(_TESTS.parent)!r}, {str(_TESTS / "support")!r}]
runpy.run_path({str(_TESTS / "bench" / "year_child.py")!r}, run_name="__main__")
"""


def rows(year: Path) -> Iterator[Row]:
    """Plan and post of the year, in a process of their own; every store-day is checked."""
    with embedded.start(year / "year_home") as server:
        name = f"year_{uuid4().hex}"
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        answer = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", _RUN_CHILD, server.url(name), str(year / "files")],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    measured = json.loads(answer.stdout)
    documents, seconds = measured["documents"], measured["seconds"]
    note = (
        f"{measured['store_days']:,} store-days, {documents:,} documents; "
        f"peak {measured['peak_mib']:.0f} MiB; all equal to the tills"
    )
    peer = ("total of the same year", seconds["total"])
    yield Row("plan", seconds["plan"], "s", *peer, note)
    yield Row("post", seconds["post"], "s", *peer, note)
