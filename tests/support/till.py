"""Receipts written down by hand: as frames, as files, and a ledger to put them into."""

from __future__ import annotations

import csv
import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from daybook.ledger.engine import open_engine
from daybook.ledger.stores import write_stores
from daybook.sales.frames import LINE_COLUMNS, RECEIPT_COLUMNS, TENDER_COLUMNS, ReceiptBatch
from daybook.sales.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

NOON = dt.datetime(2026, 3, 14, 4, tzinfo=dt.UTC)
DATE = dt.date(2026, 3, 14)
SINGAPORE = Store("S01", "Tanjong", "Asia/Singapore", "SGD")

Line = tuple[str, str, int, int]
Tender = tuple[str, int]


@dataclass(frozen=True)
class Receipt:
    """One receipt: lines are (category, tax code, net, tax), tenders (name, amount)."""

    receipt_id_pos: str = "R1"
    store_id: str = "S01"
    sold_at: dt.datetime = NOON
    updated_at: dt.datetime | None = None
    currency: str = "SGD"
    is_refund: bool = False
    is_voided: bool = False
    lines: tuple[Line, ...] = field(default=(("Food", "GST", 1000, 90),))
    tenders: tuple[Tender, ...] = field(default=(("Cash", 1090),))


@contextmanager
def opened_ledger(url: str, *stores: Store) -> Iterator[Engine]:
    """The ledger at this URL with these stores in it."""
    engine = open_engine(url)
    with engine.begin() as connection:
        write_stores(connection, stores or (SINGAPORE,), None)
    yield engine
    engine.dispose()


def batch(receipts: Iterable[Receipt]) -> ReceiptBatch:
    """The receipts in the columns of the frames."""
    receipts = list(receipts)
    return ReceiptBatch(
        receipts=pd.DataFrame(
            [_receipt_row(key, one) for key, one in enumerate(receipts)],
            columns=list(RECEIPT_COLUMNS),
        ).astype(
            {
                "receipt_key": "int64",
                "store_id": "str",
                "receipt_id_pos": "str",
                "sold_at": "datetime64[us, UTC]",
                "updated_at": "datetime64[us, UTC]",
                "currency": "str",
                "is_refund": "bool",
                "is_voided": "bool",
            }
        ),
        lines=pd.DataFrame(
            [
                (key, number, *line, 0)
                for key, one in enumerate(receipts)
                for number, line in enumerate(one.lines, 1)
            ],
            columns=list(LINE_COLUMNS),
        ).astype(
            {"receipt_key": "int64", "line_no": "int32", "category": "str", "tax_code": "str"}
            | dict.fromkeys(LINE_COLUMNS[4:], "int64")
        ),
        tenders=pd.DataFrame(
            [
                (key, number, *tender)
                for key, one in enumerate(receipts)
                for number, tender in enumerate(one.tenders, 1)
            ],
            columns=list(TENDER_COLUMNS),
        ).astype(
            {"receipt_key": "int64", "tender_no": "int32", "tender": "str", "amount_minor": "int64"}
        ),
    )


def write_csv(folder: Path, receipts: Iterable[Receipt]) -> Path:
    """Write receipts.csv, lines.csv and tenders.csv into the folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    receipts = list(receipts)
    _write(
        folder / "receipts.csv",
        "store_id,receipt_id_pos,sold_at,updated_at,currency,kind,status",
        (
            (
                one.store_id,
                one.receipt_id_pos,
                one.sold_at.isoformat(),
                (one.updated_at or one.sold_at).isoformat(),
                one.currency,
                "refund" if one.is_refund else "sale",
                "voided" if one.is_voided else "final",
            )
            for one in receipts
        ),
    )
    _write(
        folder / "lines.csv",
        "store_id,receipt_id_pos,line_no,category,tax_code,net_amount,tax_amount",
        (
            (one.store_id, one.receipt_id_pos, number, name, tax_code, _text(net), _text(tax))
            for one in receipts
            for number, (name, tax_code, net, tax) in enumerate(one.lines, 1)
        ),
    )
    _write(
        folder / "tenders.csv",
        "store_id,receipt_id_pos,tender_no,tender,amount",
        (
            (one.store_id, one.receipt_id_pos, number, name, _text(amount))
            for one in receipts
            for number, (name, amount) in enumerate(one.tenders, 1)
        ),
    )
    return folder


def _receipt_row(key: int, one: Receipt) -> tuple[object, ...]:
    return (
        key,
        one.store_id,
        one.receipt_id_pos,
        one.sold_at,
        one.updated_at or one.sold_at,
        one.currency,
        one.is_refund,
        one.is_voided,
    )


def _text(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02}"


def _write(path: Path, header: str, rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
