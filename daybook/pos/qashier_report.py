"""Qashier's daily Sales report: a CSV in sections, read into the figures that matter.

Row 1 is the store's name, row 2 the range of dates; then sections, each after a blank row. They
may stand in any order, those nobody needs are not looked at. `docs/qashier.md` says what each
figure is taken for; `qashier_balance.py` makes a receipt of them, or says why they cannot be right.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daybook.errors import InputError
from daybook.pos.cells import shown
from daybook.pos.qashier_receipt import Paid
from daybook.pos.qashier_text import Misfit, amount_minor, decoded, label, mended, name

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTIONS: Final = (
    "sales information",
    "credit information",
    "package information",
    "total settlement by payment method",
    "sales by category",
    "sales by product",
)
_RANGE: Final = re.compile(
    r"(\d\d)/(\d\d)/(\d{4}) (\d\d?:\d\d(?::\d\d)?) - (\d\d)/(\d\d)/(\d{4}) (\d\d?:\d\d(?::\d\d)?)",
    re.ASCII,
)
_STARTS: Final = {"00:00:00", "0:00:00", "00:00", "0:00"}
_ENDS: Final = {"23:59:59", "23:59"}
_PREAMBLE_ROWS: Final = 2
_ROWS_MAX: Final = 200_000
_TAX: Final = re.compile(r"total (gst|vat|sst|service tax|sales tax|tax)")
_UNCATEGORISED: Final = "Uncategorised"

# Where a figure stands: section, label -> (name here, whether a report without it is no report).
_FIGURES: Final = {
    ("sales information", "gross sales"): ("gross", True),
    ("sales information", "total discount given"): ("discount", True),
    ("sales information", "total service fee"): ("service", False),
    ("sales information", "net sales"): ("net", True),
    ("sales information", "total payment fee surcharge"): ("surcharge", False),
    ("sales information", "total redeemed point amount"): ("points", False),
    ("sales information", "total cash rounding"): ("rounding", False),
    ("sales information", "total sales"): ("total", True),
    ("sales information", "tipping amount"): ("tips", False),
    ("sales information", "unpaid"): ("unpaid", False),
    ("credit information", "total credit sold"): ("credit_sold", False),
    ("credit information", "total credit discount given"): ("credit_discount", False),
    ("credit information", "total credit used"): ("credit_used", False),
    ("package information", "total package amount sold"): ("package_sold", False),
    ("package information", "total package amount redeemed"): ("package_redeemed", False),
}


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, and where it stands."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A report before its figures are read: whose, of which dates, and its sections by title.

    `torn` is why the sections cannot be read, where they cannot.
    """

    store_name: str
    first_date: dt.date
    last_date: dt.date
    is_whole_days: bool
    sections: dict[str, tuple[Row, ...]]
    torn: Misfit | None = None


@dataclass(frozen=True, slots=True)
class CategorySale:
    """What one category sold: minor units, the discount negative."""

    category: str
    gross_minor: int
    discount_minor: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a report in minor units, with the signs they are printed with."""

    tax_code: str
    gross: int = 0
    discount: int = 0
    service: int = 0
    net: int = 0
    tax: int = 0
    surcharge: int = 0
    points: int = 0
    rounding: int = 0
    total: int = 0
    tips: int = 0
    unpaid: int = 0
    credit_sold: int = 0
    credit_discount: int = 0
    credit_used: int = 0
    package_sold: int = 0
    package_redeemed: int = 0
    settlement: int = 0
    tenders: tuple[Paid, ...] = ()
    categories: tuple[CategorySale, ...] = ()
    products: tuple[CategorySale, ...] = ()
    # Product name -> category, where every row of the product agrees.
    product_categories: dict[str, str] = field(default_factory=dict)
    # In which row a figure stands, for the words of a reject.
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was sold, taxed or paid."""
        return not any(
            (self.gross, self.service, self.tax, self.total, self.settlement, *self.tenders_minor)
        )

    @property
    def tenders_minor(self) -> list[int]:
        """The amounts of the payment methods."""
        return [paid.amount_minor for paid in self.tenders]


def read_report(content: bytes) -> ReportFile:
    """The store, the dates and the raw sections.

    Raises:
        Misfit: it is not a Sales report; one that is torn further down says so itself.
    """
    rows, torn = _whole_rows(decoded(content))
    filled = [row for row in rows if row.cells]
    if len(filled) < _PREAMBLE_ROWS:
        raise torn or Misfit("The file is empty; export the report again.")
    found = _RANGE.fullmatch(" ".join(filled[1].cells[0].split()))
    sections: dict[str, tuple[Row, ...]] = {}
    try:
        sections = _sections(rows, start=filled[1].number)
    except Misfit as misfit:
        torn = torn or misfit
    strange = Misfit(
        "This is not a Sales report of Qashier's: row 2 should say from when to when, and a "
        "section should be called Sales Information. Export it again, or remove the file.",
        filled[1].number,
    )
    if found is None:
        raise torn or strange
    if "sales information" not in sections:
        torn = torn or strange
    first_time, last_time = found[4], found[8]
    return ReportFile(
        store_name=filled[0].cells[0],
        first_date=_date(found[3], found[2], found[1]),
        last_date=_date(found[7], found[6], found[5]),
        is_whole_days=first_time in _STARTS and last_time in _ENDS,
        sections=sections,
        torn=torn,
    )


def _whole_rows(text: str) -> tuple[list[Row], Misfit | None]:
    """The rows up to where the file is torn, and how."""
    rows: list[Row] = []
    try:
        rows.extend(_rows(text))
    except Misfit as misfit:
        return rows, misfit
    return rows, None


def read_figures(report: ReportFile, currency: str) -> Figures:
    """Every figure that is posted or checked.

    Raises:
        Misfit: the report is torn, or a figure is missing, stands twice or is not an amount.
    """
    if report.torn:
        raise report.torn
    values, rows = _named_figures(report, currency)
    tax_code, tax_row = _tax(report)
    values["tax"] = _amount(tax_row, 1, currency) if tax_row else 0
    rows["tax"] = tax_row.number if tax_row else rows["net"]
    tenders, total_row = _settlement(report, currency)
    values["settlement"] = _amount(total_row, 1, currency)
    rows["settlement"] = total_row.number
    return Figures(
        tax_code=tax_code,
        **values,
        tenders=tenders,
        categories=_sales_by(report, "sales by category", currency),
        products=_sales_by(report, "sales by product", currency),
        product_categories=_product_categories(report),
        rows=rows | {title: part[0].number for title, part in report.sections.items() if part},
    )


def _rows(text: str) -> Iterator[Row]:
    """The rows with their numbers; blank cells behind the last filled one are cut off."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for number, cells in enumerate(reader, 1):
            if number > _ROWS_MAX:
                raise Misfit(f"It has more than {_ROWS_MAX} rows; no day has that many.", number)
            values = [mended(cell) for cell in cells]
            while values and not values[-1]:
                values.pop()
            yield Row(number, tuple(values))
    except csv.Error as error:
        raise Misfit(
            f"The file is not CSV ({error}); export the report again.", reader.line_num
        ) from None


def _sections(rows: list[Row], start: int) -> dict[str, tuple[Row, ...]]:
    """Title -> rows. A title is a lone cell after a blank row, or one that is known."""
    sections: dict[str, list[Row]] = {}
    title, is_after_blank = "", True
    for row in rows[start:]:
        if not row.cells:
            is_after_blank = True
            continue
        said = label(row.cells[0])
        if len(row.cells) == 1 and (is_after_blank or said in _SECTIONS):
            title = said
            if title in sections and title in _SECTIONS:
                raise Misfit(
                    f"The section {shown(row.cells[0])} stands twice; export the report again.",
                    row.number,
                )
            sections[title] = []
        elif title:
            sections[title].append(row)
        is_after_blank = False
    return {title: tuple(found) for title, found in sections.items()}


def _date(year: str, month: str, day: str) -> dt.date:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        raise Misfit(
            f"{day}/{month}/{year} is not a date (day/month/year); export the report again.", 2
        ) from None


def _named_figures(report: ReportFile, currency: str) -> tuple[dict[str, int], dict[str, int]]:
    values: dict[str, int] = {}
    rows: dict[str, int] = {}
    for title in ("sales information", "credit information", "package information"):
        for row in report.sections.get(title, ()):
            known = _FIGURES.get((title, label(row.cells[0])))
            if known is None:
                continue
            if known[0] in values:
                raise Misfit(
                    f"{shown(row.cells[0])} stands twice; export the report again.", row.number
                )
            values[known[0]] = _amount(row, 1, currency)
            rows[known[0]] = row.number
    for (title, said), (figure, is_needed) in _FIGURES.items():
        if is_needed and figure not in values:
            raise Misfit(
                f"'{said.title()}' is missing in the section {title.title()}; the file may be "
                "torn. Export the report again.",
                _last_row(report, title),
                said.title(),
            )
    return values, rows


def _tax(report: ReportFile) -> tuple[str, Row | None]:
    """The name of the tax (GST, VAT, SST) and the row of its sum, if the report has one."""
    found = [
        (match[1].upper() if len(match[1]) == len("gst") else match[1].capitalize(), row)
        for row in report.sections["sales information"]
        if (match := _TAX.fullmatch(label(row.cells[0])))
    ]
    if len(found) > 1:
        raise Misfit(
            f"The report has more than one tax: {', '.join(sorted(code for code, _ in found))}. "
            "Which belongs to what cannot be told; such a store needs another source.",
            found[1][1].number,
        )
    return found[0] if found else ("GST", None)


def _settlement(report: ReportFile, currency: str) -> tuple[tuple[Paid, ...], Row]:
    """The tenders that took anything in, and the row with their total."""
    rows = report.sections.get("total settlement by payment method", ())
    total = [row for row in rows if label(row.cells[0]) == "total settlement"]
    if len(total) != 1 or total[0] is not rows[-1]:
        raise Misfit(
            "The section Total Settlement by Payment Method does not end with its total; the file "
            "may be torn. Export the report again.",
            rows[-1].number if rows else _last_row(report, "sales information"),
            "Total Settlement",
        )
    tenders = [
        Paid(name(row.cells[0], "payment method", row.number), _amount(row, 1, currency))
        for row in rows[:-1]
    ]
    return tuple(paid for paid in tenders if paid.amount_minor), total[0]


def _sales_by(report: ReportFile, title: str, currency: str) -> tuple[CategorySale, ...]:
    """A table of what was sold; its columns are found by their headings."""
    rows = report.sections.get(title)
    if not rows:
        raise Misfit(
            f"The section {title.title()} is missing; the file may be torn. Export the report "
            "again.",
            _last_row(report, "total settlement by payment method"),
        )
    places = _places(rows[0], ("category", "gross sales", "total discount given"))
    return tuple(
        CategorySale(
            category=name(_cell(row, places[0]) or _UNCATEGORISED, "category", row.number),
            gross_minor=_amount(row, places[1], currency),
            discount_minor=_amount(row, places[2], currency),
        )
        for row in rows[1:]
    )


def _product_categories(report: ReportFile) -> dict[str, str]:
    rows = report.sections.get("sales by product", ())
    found: dict[str, set[str]] = {}
    for place, row in enumerate(rows):
        if place == 0:
            product, category = _places(row, ("product name", "category"))
            continue
        said = _cell(row, category) or _UNCATEGORISED
        found.setdefault(label(_cell(row, product)), set()).add(said)
    return {said: next(iter(known)) for said, known in found.items() if len(known) == 1}


def _places(header: Row, wanted: tuple[str, ...]) -> list[int]:
    labels = [label(cell) for cell in header.cells]
    for said in wanted:
        if labels.count(said) != 1:
            raise Misfit(
                f"The column '{said.title()}' is missing or stands twice; export the report again.",
                header.number,
                said.title(),
            )
    return [labels.index(said) for said in wanted]


def _cell(row: Row, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""


def _amount(row: Row, place: int, currency: str) -> int:
    try:
        return amount_minor(_cell(row, place), currency)
    except InputError as error:
        raise Misfit(str(error), row.number, row.cells[0][:60]) from None


def _last_row(report: ReportFile, title: str) -> int:
    rows = report.sections.get(title)
    return rows[-1].number if rows else 1
