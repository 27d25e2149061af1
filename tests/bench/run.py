"""Measures Daybook on a real year of 1.47 million receipt lines and writes `bench.json`.

    python -m tests.bench.run [bench.json]

Each group of rows is a module with a function `rows(year)`; a new group is one more line below.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import time
from pathlib import Path

from deployments.demo.complete_journey import convert
from tests.bench.row import Row

ROOT = Path(__file__).parents[2]
_ADDITIONS = 5_000_000
GROUPS = (
    "tests.bench.ledger_rows",
    "tests.bench.totals_rows",
    "tests.bench.post_rows",
    "tests.bench.year_rows",
    "tests.bench.pos_api_rows",
    "tests.bench.pos_file_rows",
    "tests.bench.fit_rows",
    "tests.bench.expense_rows",
    "tests.bench.sandbox_rows",
)


def main() -> None:
    """Measure every group, print its rows as they come, and write them all."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "bench.json"
    measured = []
    speed = _loop_seconds()
    with tempfile.TemporaryDirectory(prefix="daybook-bench-") as folder:
        year = Path(folder)
        # The account that PostgreSQL runs as passes through.
        year.chmod(0o711)
        started = time.perf_counter()
        line_count = convert(year / "files")
        print(f"{line_count:,} lines made ready in {time.perf_counter() - started:.1f} s")  # noqa: T201 - the bench talks
        for group in GROUPS:
            for row in importlib.import_module(group).rows(year):
                measured.append(row)
                _say(row)
    note = "5 million additions: other guests of a shared machine can make it half as fast"
    measured.append(
        Row("machine_loop_seconds", _loop_seconds(), "s", "before all others", speed, note)
    )
    _say(measured[-1])
    target.write_text(json.dumps([row.as_json() for row in measured], indent=2) + "\n")


def _say(row: Row) -> None:
    print(  # noqa: T201 - the bench talks
        f"{row.name:<28}{row.value:>12,.3f} {row.unit:<8}"
        f"{row.peer}: {row.peer_value:,.3f}, ratio {row.ratio:.3f}  {row.note}",
        flush=True,
    )


def _loop_seconds() -> float:
    """How fast this machine is at the moment: what figures of two runs must be seen beside."""
    started = time.perf_counter()
    total = 0
    for number in range(_ADDITIONS):
        total += number
    assert total == _ADDITIONS * (_ADDITIONS - 1) // 2
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
