"""Totals made-up receipts in a process of its own, to see what memory and processor it takes.

    python -m tests.bench.totals_child <lines> <lines in memory at a time>

Each chunk is of other dates, as the job's chunks are. Making the receipts is not counted in the
time; it is counted in the memory.
"""

from __future__ import annotations

import json
import sys
import time

from daybook.sales.daily_totals import total_frames
from tests.bench.made_receipts import STORES, made_receipts
from tests.bench.peak_memory import peak_mib

_DAYS_PER_MILLION = 36


def main() -> None:
    """Total all chunks and print what it took."""
    line_count, chunk_lines = int(sys.argv[1]), int(sys.argv[2])
    day_count = _DAYS_PER_MILLION * chunk_lines // 1_000_000
    seconds, total_count, first_day = 0.0, 0, 0
    for _ in range(line_count // chunk_lines):
        batch = made_receipts(chunk_lines, first_day=first_day, day_count=day_count)
        started = time.process_time()
        frames = total_frames(batch, STORES)
        seconds += time.process_time() - started
        total_count += int(frames.categories["line_count"].sum())
        first_day += day_count
        del batch, frames  # or two chunks would be there at a time
    assert 0.9 * line_count < total_count < line_count
    print(  # noqa: T201 - the parent reads it
        json.dumps({"line_count": line_count, "processor_seconds": seconds, "peak_mib": peak_mib()})
    )


if __name__ == "__main__":
    main()
