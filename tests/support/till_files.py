"""Writes receipts as a files source: three CSV files in a folder."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sale:
    """One receipt of one line and one tender, in text as a till exports it."""

    store_id: str
    receipt_id_pos: str
    sold_at: str
    net: str = "10.00"
    tax: str = "1.50"
    category: str = "Drinks"
    tax_code: str = "GST"
    tender: str = "Cash"
    paid: str = "11.50"
    kind: str = "sale"
    status: str = "final"
    currency: str = "NZD"


def write_sales(folder: Path, sales: list[Sale]) -> None:
    """Write receipts.csv, lines.csv and tenders.csv."""
    folder.mkdir(exist_ok=True)
    _write(
        folder / "receipts.csv",
        ["store_id", "receipt_id_pos", "sold_at", "updated_at", "currency", "kind", "status"],
        [
            [s.store_id, s.receipt_id_pos, s.sold_at, s.sold_at, s.currency, s.kind, s.status]
            for s in sales
        ],
    )
    _write(
        folder / "lines.csv",
        [
            "store_id",
            "receipt_id_pos",
            "line_no",
            "category",
            "tax_code",
            "net_amount",
            "tax_amount",
        ],
        [[s.store_id, s.receipt_id_pos, "1", s.category, s.tax_code, s.net, s.tax] for s in sales],
    )
    _write(
        folder / "tenders.csv",
        ["store_id", "receipt_id_pos", "tender_no", "tender", "amount"],
        [[s.store_id, s.receipt_id_pos, "1", s.tender, s.paid] for s in sales],
    )


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
