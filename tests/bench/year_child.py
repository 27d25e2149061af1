"""Plans and posts the year, checks every store-day against the tills, and prints what it took."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from journey_year import journey_year

from deployments.demo.complete_journey import FIRST_DATE, LAST_DATE
from deployments.demo.till_totals import till_totals
from tests.bench.peak_memory import peak_mib


def main(database_url: str, files: Path) -> None:
    """Extract, total, plan, post, read back; a store-day that is not equal ends it."""
    with journey_year(database_url) as year:
        year.extract(files)
        year.total()
        planned = year.plan(year.days)
        posted = year.post(year.days)
        books = year.books(year.days)
    tills = till_totals(files, FIRST_DATE, LAST_DATE)
    held = {
        (one.line.store_day.business_date, one.line.store_day.store_id): one.xero_minor
        for one in books
    }
    assert planned == posted
    assert tills == held
    assert all(one.is_equal for one in books)
    measured = {
        "seconds": year.seconds,
        "documents": posted,
        "store_days": len(books),
        "peak_mib": peak_mib(),
    }
    print(json.dumps(measured))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
