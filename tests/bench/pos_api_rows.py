"""How fast one process reads Square and Loyverse from the sandbox, which is another process.

From the first call to the last frame: HTTP, JSON, the rules, frames. The best of several reads
counts. The peer is the least that is asked of it.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx

from daybook.clock import SystemClock
from daybook.pos.api_pages import PosApi, ReadOptions
from daybook.pos.loyverse import LoyverseSource
from daybook.pos.square import SquareSource
from daybook.sales.store import Store
from tests.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daybook.pos.source import ReceiptSource

LEAST_PER_SECOND: Final = 20_000
ROUNDS: Final = 5
FIRST_DATE, DAY_COUNT, RECEIPTS_PER_DAY = dt.date(2025, 3, 31), 10, 1000
_SEEN_AT: Final = "2025-04-20T00:00:00+00:00"
_CHILD: Final = (
    "import sys\n"
    "from daybook.sandbox.config import SandboxConfig\n"
    "from daybook.sandbox.server import serve\n"
    "with serve(SandboxConfig(limits=False)) as sandbox:\n"
    "    print(sandbox.url, flush=True)\n"
    "    sys.stdin.read()\n"
)


def rows(_: Path) -> Iterator[Row]:
    """Both vendors."""
    yield square_receipts_per_second()
    yield loyverse_receipts_per_second()


def square_receipts_per_second() -> Row:
    """Orders with their refunds and offline payments, three stores, 1,000 orders a call."""
    return _measured("square")


def loyverse_receipts_per_second() -> Row:
    """Receipts of three stores, 250 a call, which is all that Loyverse gives."""
    return _measured("loyverse")


def _measured(vendor: str) -> Row:
    with _sandbox() as url, httpx.Client(timeout=120) as http:
        http.post(f"{url}/_sandbox/clock", json={"set": _SEEN_AT, "freeze": True})
        plan = {
            "first_date": str(FIRST_DATE),
            "day_count": DAY_COUNT,
            "receipts_per_day": RECEIPTS_PER_DAY,
            "unlimited_history": True,
        }
        info = http.post(f"{url}/_sandbox/pos/shops", json=plan).json()
        shops = [shop for shop in info["shops"] if shop["vendor"] == vendor]
        api = PosApi(vendor, url, info["tokens"][vendor], http, SystemClock())
        source = _source(vendor, api, shops, info["categories"])
        stores = [_store(shop) for shop in shops]
        best, count, processor_seconds = 0.0, 0, 0.0
        # The first read makes the sandbox generate its shops, and is not counted.
        for number in range(ROUNDS + 1):
            started, processor = time.perf_counter(), time.process_time()
            count = _read(source, stores)
            per_second = count / (time.perf_counter() - started)
            if number and per_second > best:
                best, processor_seconds = per_second, time.process_time() - processor
    note = f"{count:,} receipts; {count / processor_seconds:,.0f} a second of processor time"
    return Row(f"{vendor}_receipts_per_second", best, "1/s", "least", LEAST_PER_SECOND, note)


def _source(
    vendor: str, api: PosApi, shops: list[dict[str, Any]], categories: dict[str, str]
) -> ReceiptSource:
    store_ids = {shop["id"]: shop["name"] for shop in shops}
    kind = SquareSource if vendor == "square" else LoyverseSource
    return kind(api, store_ids, ReadOptions(categories=categories))


def _store(shop: dict[str, Any]) -> Store:
    cutoff = dt.time.fromisoformat(shop["cutoff"])
    return Store(shop["name"], shop["name"], shop["time_zone"], shop["currency"], cutoff)


def _read(source: ReceiptSource, stores: list[Store]) -> int:
    """How many receipts there are; none may be left out."""
    last_date = FIRST_DATE + dt.timedelta(days=DAY_COUNT - 1)
    count = 0
    for page in source.receipts(stores, FIRST_DATE, last_date):
        assert not page.rejects, page.rejects[:3]
        count += len(page.batch.receipts)
    return count


@contextmanager
def _sandbox() -> Iterator[str]:
    """The address of a sandbox in a process of its own."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.stdin.close()
            child.wait(timeout=30)
