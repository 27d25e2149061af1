"""Extracts and totals the first months of the year, alone in its process; prints what it took.

    python -m tests.bench.ledger_child FOLDER MONTHS

The ledger's URL comes on standard input. Totals are made month by month, as a backfill does.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time

from daybook.clock import SystemClock
from daybook.jobs.extract import extract
from daybook.jobs.total import total
from daybook.ledger.engine import open_engine
from daybook.ledger.migrate import upgrade
from daybook.ledger.stores import write_stores
from daybook.pos.files import FilesSource
from daybook.sales.store import StoreDay
from deployments.demo.complete_journey import FIRST_DATE, LAST_DATE, stores
from tests.bench.peak_memory import peak_mib


def main() -> None:
    """Measure one range."""
    folder, months = sys.argv[1], int(sys.argv[2])
    last_date = LAST_DATE if months == 12 else dt.date(2017, months + 1, 1) - dt.timedelta(days=1)
    ledger = open_engine(sys.stdin.read())
    upgrade(ledger)
    chain = stores()
    with ledger.begin() as connection:
        write_stores(connection, chain, None)
    source, clock = FilesSource(folder), SystemClock()
    begun = time.perf_counter()
    extracted = extract(source, ledger, chain, FIRST_DATE, last_date, run_id=None, clock=clock)
    extracted_by = time.perf_counter()
    again = extract(source, ledger, chain, FIRST_DATE, last_date, run_id=None, clock=clock)
    again_by = time.perf_counter()
    store_days = 0
    for month in range(1, months + 1):
        first = FIRST_DATE.replace(month=month)
        dates = [first + dt.timedelta(days=number) for number in range(31)]
        days = [
            StoreDay(date, store.store_id)
            for date in dates
            if date.month == month
            for store in chain
        ]
        totalled = total(ledger, chain, days, run_id=None, clock=clock)
        assert not totalled.control_failures
        store_days += sum(day.has_sales for day in totalled.days)
    totalled_by = time.perf_counter()
    assert again.receipts.new_count == again.receipts.changed_count == 0
    measured = {
        "lines": extracted.line_count,
        "store_days": store_days,
        "extract_seconds": extracted_by - begun,
        "again_seconds": again_by - extracted_by,
        "total_seconds": totalled_by - again_by,
        "peak_mib": peak_mib(),
    }
    sys.stdout.write(json.dumps(measured))


if __name__ == "__main__":
    main()
