"""How long a month's export of Qashier's takes: 50,000 rows of a workbook to frames.

From the folder to the last page: unpacking under its limits, reading the sheet, checking every
ticket. The peer is the most that it may take.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from typing import TYPE_CHECKING, Final

import openpyxl  # type: ignore[import-untyped]  # ships no types

from daybook.pos.qashier_source import QashierSource
from daybook.sales.store import Store
from tests.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROW_COUNT: Final = 50_000
SECONDS_MAX: Final = 15
ROUNDS: Final = 3
_ITEMS_PER_RECEIPT: Final = 3
_FIRST_DATE, _DAY_COUNT = dt.date(2026, 5, 1), 30
_STORE: Final = Store("K1", "Teh House Katong", "Asia/Singapore", "SGD")
_WRITTEN_AT: Final = dt.datetime(2026, 6, 2, tzinfo=dt.UTC)
_HEADER: Final = (
    "Date",
    "Receipt No.",
    "Transaction Total Amount",
    "Transaction Total GST",
    "Transaction Payment Method",
    "Customer Name",
    "Voided",
    "Transaction Item",
    "Transaction Item Final Amount ($)",
    "Store Name",
)


def rows(folder: Path) -> Iterator[Row]:
    """One store, one month, one workbook."""
    place = folder / "qashier"
    place.mkdir()
    _write(place / "details.xlsx")
    source = QashierSource(str(place), {_STORE.name: _STORE.store_id})
    last_date = _FIRST_DATE + dt.timedelta(days=_DAY_COUNT - 1)
    best, line_count = 1e9, 0
    for _ in range(ROUNDS):
        started = time.perf_counter()
        pages = list(source.receipts([_STORE], _FIRST_DATE, last_date))
        best = min(best, time.perf_counter() - started)
        assert not any(page.rejects for page in pages)
        line_count = sum(len(page.batch.lines) for page in pages)
    assert line_count == ROW_COUNT, line_count
    note = f"{ROW_COUNT / best:,.0f} rows a second"
    yield Row("qashier_xlsx_50k_rows_seconds", best, "s", "most", SECONDS_MAX, note)


def _write(path: Path) -> None:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Transactions")
    sheet.append(["Transaction Details"])
    sheet.append([])
    sheet.append(_HEADER)
    for number in range(ROW_COUNT):
        sheet.append(_row(number))
    workbook.save(path)
    os.utime(path, (_WRITTEN_AT.timestamp(), _WRITTEN_AT.timestamp()))


def _row(number: int) -> list[object]:
    """Items of 3.00 with 9 % on top; the last receipt has what is left over."""
    receipt, place = divmod(number, _ITEMS_PER_RECEIPT)
    items = min(_ITEMS_PER_RECEIPT, ROW_COUNT - receipt * _ITEMS_PER_RECEIPT)
    date = _FIRST_DATE + dt.timedelta(days=receipt % _DAY_COUNT)
    tax = 27 * items
    return [
        f"{date:%d/%m/%Y} {8 + receipt % 14:02}:{receipt % 60:02}:10",
        f"{date:%d%m%Y}{receipt:08}",
        f"{(300 * items + tax) / 100:.2f}",
        f"{tax / 100:.2f}",
        ("Cash", "NETS", "GrabPay")[receipt % 3],
        f"Customer {receipt}",
        "No",
        f"Item {place}",
        "3.00",
        _STORE.name,
    ]
