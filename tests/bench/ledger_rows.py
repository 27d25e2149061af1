"""Files into the ledger and totals out of it: lines a second, and memory at half and full range.

Each range runs in a process of its own on a fresh database of an embedded, durable PostgreSQL.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from daybook.ledger import embedded
from tests.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

AIM_LINES_PER_SECOND = 100_000
AIM_PEAK_MIB = 1536


def rows(year: Path) -> Iterator[Row]:
    """Measure half the year, then the year."""
    with embedded.start(year / "home") as server:
        half, whole = (_measured(server, year / "files", months) for months in (6, 12))
    yield Row(
        "extract_lines_per_second",
        whole["lines"] / whole["extract_seconds"],
        "lines/s",
        "aim",
        AIM_LINES_PER_SECOND,
        f"{whole['extract_seconds']:.1f} s; again, unchanged {whole['again_seconds']:.1f} s",
    )
    yield Row(
        "total_lines_per_second",
        whole["lines"] / whole["total_seconds"],
        "lines/s",
        "half the year",
        half["lines"] / half["total_seconds"],
        f"{whole['store_days']:,.0f} store-days in {whole['total_seconds']:.1f} s",
    )
    yield Row(
        "peak_memory_mib",
        whole["peak_mib"],
        "MiB",
        "half the year",
        half["peak_mib"],
        f"aim below {AIM_PEAK_MIB}",
    )


def _measured(server: embedded.EmbeddedPostgres, folder: Path, months: int) -> dict[str, float]:
    name = f"bench_{months}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    answer = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.bench.ledger_child", str(folder), str(months)],
        cwd=Path(__file__).parents[2],
        input=server.url(name),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: dict[str, float] = json.loads(answer.stdout)
    return measured
