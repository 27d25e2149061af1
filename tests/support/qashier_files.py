"""Writes files as Qashier exports them, with invented stores and figures."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import openpyxl  # type: ignore[import-untyped]  # ships no types

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Section = list[list[str]]


@dataclass(frozen=True)
class SalesReport:
    """The text of one Sales report; the default balances.

    900.00 of goods less 30.00 discount and with 87.00 service charge is 957.00; 9 % of it, summed
    bill by bill, is 86.11; 2.50 surcharge, 5.00 points and 0.01 rounding off leave 1040.60.
    """

    store_name: str = "Teh House Katong"
    range: str = "02/05/2026 00:00:00 - 02/05/2026 23:59:59"
    sales: dict[str, str] = field(
        default_factory=lambda: {
            "Gross Sales": "900.00",
            "Total Discount Given": "-30.00",
            "Total Service Fee": "87.00",
            "Net Sales": "957.00",
            "Total GST": "86.11",
            "Total Payment Fee Surcharge": "2.50",
            "Total Redeemed Point Amount": "-5.00",
            "Total Cash Rounding": "-0.01",
            "Total Sales": "1040.60",
            "Tipping Amount": "0.00",
            "Total Cost": "300.00",
            "Gross Profit": "570.00",
            "Number of Sales Transactions": "61",
            "Number of Voided Transactions": "2",
            "Total Voided Amount": "17.30",
            "Unpaid": "0.00",
        }
    )
    credit: dict[str, str] = field(
        default_factory=lambda: {
            "Total Credit Sold": "0.00",
            "Total Credit Discount Given": "0.00",
            "Total Credit Used": "0.00",
        }
    )
    package: dict[str, str] = field(
        default_factory=lambda: {
            "Total Package Amount Sold": "0.00",
            "Total Package Amount Redeemed": "0.00",
        }
    )
    tenders: dict[str, str] = field(
        default_factory=lambda: {"Cash": "240.60", "NETS": "500.00", "GrabPay (Manual)": "300.00"}
    )
    settlement: str = "1040.60"
    # Category, gross, quantity, discount.
    categories: tuple[tuple[str, str, str, str], ...] = (
        ("Tea", "300.00", "100", "0.00"),
        ("Rice", "600.00", "60", "-30.00"),
    )
    # Product, category, gross.
    products: tuple[tuple[str, str, str], ...] = (
        ("Teh Tarik", "Tea", "300.00"),
        ("Nasi Ayam", "Rice", "600.00"),
    )
    order: tuple[str, ...] = ("sales", "credit", "package", "tenders", "categories", "products")

    def changed(self, **sales: str) -> SalesReport:
        """The report with other figures in its first section; keys are labels with `_` for ` `."""
        named = {label.replace("_", " "): value for label, value in sales.items()}
        return replace(self, sales=self.sales | named)

    def text(self) -> str:
        """The report as CSV."""
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow([self.store_name])
        writer.writerow([self.range])
        for section in self.order:
            out.write("\n")
            writer.writerows(self._section(section))
        return out.getvalue()

    def _section(self, name: str) -> Section:
        if name == "categories":
            header = ["Category", "Gross Sales", "Quantity Sold", "Total Discount Given"]
            return [["Sales by Category"], header, *map(list, self.categories)]
        if name == "products":
            header = ["Product Name", "Category", "Gross Sales", "Barcode", "Total Discount Given"]
            rows = [[*product, "", "0.00"] for product in self.products]
            return [["Sales by Product"], header, *rows]
        if name == "tenders":
            rows = [[tender, amount] for tender, amount in self.tenders.items()]
            title = "Total Settlement by Payment Method"
            return [[title], *rows, ["Total Settlement", self.settlement]]
        titles = {
            "sales": ("Sales Information", self.sales),
            "credit": ("Credit Information", self.credit),
            "package": ("Package Information", self.package),
        }
        if name not in titles:
            return [[name], ["Whatever", "1", "2", "3"]]
        title, figures = titles[name]
        return [[title], *([label, amount] for label, amount in figures.items())]


HEADER = (
    "Date",
    "Receipt No.",
    "Order Number",
    "Transaction Total Amount",
    "Transaction Level Percentage Discount",
    "Transaction Level Dollar Discount",
    "Transaction Total GST",
    "Transaction Payment Method",
    "Customer Name",
    "Customer Phone Number",
    "Voided",
    "Void Reason",
    "Transaction Item",
    "Transaction Item Quantity",
    "Amount Before Subsidy $",
    "Transaction Item Final Amount ($)",
    "Store Name",
)


@dataclass(frozen=True)
class SoldItem:
    """One row of Transaction Details; the default is a tea of 3.00 and 0.27 GST, paid in cash."""

    receipt_id: str = "0205202609301001"
    date: object = "02/05/2026 09:30:10"
    total: object = "3.27"
    tax: object = "0.27"
    tender: object = "Cash"
    item: object = "Teh Tarik"
    amount: object = "3.00"
    voided: object = "No"
    percent: object = ""
    dollars: object = ""
    store_name: object = "Teh House Katong"

    def cells(self) -> list[object]:
        """The row under `HEADER`."""
        return [
            *(self.date, self.receipt_id, "0", self.total, self.percent, self.dollars, self.tax),
            *(self.tender, "Tan Ah Kow", "+65 9000 0000", self.voided, "", self.item, 1),
            *("", self.amount, self.store_name),
        ]


def details(
    items: Iterable[SoldItem],
    *,
    header: Sequence[str] = HEADER,
    sheet: str = "Transactions",
    preamble: int = 2,
) -> bytes:
    """The items as an xlsx export: rows nobody needs, the header, one row for each item."""
    workbook = openpyxl.Workbook(write_only=True)
    rows = workbook.create_sheet(sheet)
    for number in range(preamble):
        rows.append([f"Transaction Details {number}"])
    rows.append(list(header))
    for item in items:
        rows.append(item.cells())
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def put(
    folder: Path, name: str, content: str | bytes, written_at: dt.datetime | None = None
) -> Path:
    """Write a file into the folder as if it had been written at that time."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    if written_at is not None:
        os.utime(path, (written_at.timestamp(), written_at.timestamp()))
    return path
