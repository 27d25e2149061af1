"""A Sales report's figures to one receipt, or every reason why they cannot be right.

Nothing is patched: a figure that does not agree with another keeps the day back, with the exact
difference. What each figure is taken for, and on what evidence, stands in `docs/qashier.md`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from daybook.money import amount_from_minor
from daybook.pos.qashier_receipt import NO_TAX, SALES, Paid, SoldLine, SoldReceipt, shares
from daybook.pos.qashier_text import label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daybook.pos.qashier_report import Figures

SERVICE_CHARGE: Final = "Service charge"
SURCHARGE: Final = "Payment surcharge"
POINTS: Final = "Points redeemed"
ROUNDING: Final = "Cash rounding"
TIPS: Final = "Tips"
CREDIT_SOLD: Final = "Credit sold"
CREDIT_DISCOUNT: Final = "Credit discount"
PACKAGE_SOLD: Final = "Package sold"
CREDIT_USED: Final = "Credit used"
PACKAGE_REDEEMED: Final = "Package redeemed"
UNPAID: Final = "Unpaid"

# What the report calls the figures, for the sentences of a reject.
_PRINTED: Final = {
    "discount": "Total Discount Given",
    "service": "Total Service Fee",
    "tax": "the tax",
    "surcharge": "Total Payment Fee Surcharge",
    "points": "Total Redeemed Point Amount",
    "rounding": "Total Cash Rounding",
    "tips": "Tipping Amount",
    "unpaid": "Unpaid",
    "credit_sold": "Total Credit Sold",
    "credit_discount": "Total Credit Discount Given",
    "credit_used": "Total Credit Used",
    "package_sold": "Total Package Amount Sold",
    "package_redeemed": "Total Package Amount Redeemed",
}
# What the ids of receipts begin with that stand for a whole report.
REPORT: Final = "REPORT-"
_NOON: Final = dt.time(12)


@dataclass(frozen=True, slots=True)
class Imbalance:
    """Two figures that should be one, in minor units, and where the second one stands."""

    row_number: int
    column: str
    sentence: str


def receipt_id(business_date: dt.date) -> str:
    """The id of the one receipt that stands for a store's report of this date."""
    return f"{REPORT}{business_date.isoformat()}"


def report_receipt(figures: Figures, business_date: dt.date, time_zone: str) -> SoldReceipt:
    """The report as one receipt at noon of its date; only for figures without imbalances."""
    noon = dt.datetime.combine(business_date, _NOON, tzinfo=ZoneInfo(time_zone))
    return SoldReceipt(
        receipt_id_pos=receipt_id(business_date),
        sold_at=noon.astimezone(dt.UTC),
        lines=(*_taxable_lines(figures), *_other_lines(figures)),
        tenders=(*figures.tenders, *(_without_money(figures) or ())),
    )


def imbalances(figures: Figures, currency: str) -> list[Imbalance]:
    """Every identity of the report that does not hold."""
    return [
        Imbalance(
            figures.rows.get(figure, 1),
            column,
            _sentence(figures, currency, sentence=sentence, wanted=wanted, found=found),
        )
        for figure, column, sentence, wanted, found in _compared(figures)
        if wanted != found
    ] + _untaxable(figures, currency)


def _compared(figures: Figures) -> Iterator[tuple[str, str, str, int, int]]:
    """Pairs that must agree: figure (for its row), column, words, wanted and found."""
    net = figures.gross + figures.discount + figures.service
    yield "net", "Net Sales", "Gross Sales, discount and service fee", net, figures.net
    yield (
        "total",
        "Total Sales",
        "Net Sales, tax, surcharge, redeemed points and cash rounding",
        _base(figures) + _tips_in_total(figures),
        figures.total,
    )
    paid = sum(paid.amount_minor for paid in figures.tenders)
    yield "settlement", "Total Settlement", "The payment methods", paid, figures.settlement
    if _without_money(figures) is None:
        yield (
            "settlement",
            "Total Settlement",
            "Total Sales, and the tips, credit and packages sold that are not in it",
            _owed(figures),
            figures.settlement,
        )
    gross = sum(one.gross_minor for one in figures.products)
    yield "sales by product", "Gross Sales", "The products", gross, figures.gross
    if figures.categories:
        gross = sum(one.gross_minor for one in figures.categories)
        yield "sales by category", "Gross Sales", "The categories", gross, figures.gross
        discount = sum(one.discount_minor for one in figures.categories)
        yield (
            "sales by category",
            "Total Discount Given",
            "The discounts of the categories",
            discount,
            figures.discount,
        )


def _sentence(figures: Figures, currency: str, *, sentence: str, wanted: int, found: int) -> str:
    apart = abs(found - wanted)
    like = [
        printed for figure, printed in _PRINTED.items() if abs(getattr(figures, figure)) == apart
    ]
    hint = f" That is exactly {' or '.join(like)}." if like else ""
    return (
        f"{sentence} come to {_said(wanted, currency)}, but the report says "
        f"{_said(found, currency)} here: {_said(apart, currency)} apart.{hint} Export the report "
        "again; the day waits until it adds up."
    )


def _said(minor: int, currency: str) -> str:
    return f"{amount_from_minor(minor, currency)} {currency}"


def _untaxable(figures: Figures, currency: str) -> list[Imbalance]:
    """A tax where nothing is left to be taxed."""
    if not figures.tax or figures.net:
        return []
    return [
        Imbalance(
            figures.rows["tax"],
            figures.tax_code,
            f"The tax is {_said(figures.tax, currency)} where Net Sales are nothing, so it is "
            "nobody's tax. Export the report again; the day waits until it adds up.",
        )
    ]


def _base(figures: Figures) -> int:
    """What the customers owed for the day's sales."""
    return figures.net + figures.tax + figures.surcharge + _points(figures) + figures.rounding


def _points(figures: Figures) -> int:
    """Redeemed points lower what is owed, whichever sign they are printed with."""
    return -abs(figures.points)


def _tips_in_total(figures: Figures) -> int:
    """The tips, if Total Sales is more than the sales by exactly them."""
    return figures.tips if figures.total == _base(figures) + figures.tips else 0


def _owed(figures: Figures) -> int:
    """What has to be settled, in money or without."""
    extras = sum(line.net_minor for line in _extra_lines(figures))
    return figures.total - _tips_in_total(figures) + extras


def _extra_lines(figures: Figures) -> list[SoldLine]:
    """Money taken in that is no sale: it is owed to the staff, or to customers."""
    named = (
        (TIPS, figures.tips),
        (CREDIT_SOLD, figures.credit_sold),
        (CREDIT_DISCOUNT, -abs(figures.credit_discount)),
        (PACKAGE_SOLD, figures.package_sold),
    )
    return [SoldLine(category, NO_TAX, amount) for category, amount in named if amount]


def _other_lines(figures: Figures) -> list[SoldLine]:
    named = (
        (SURCHARGE, figures.surcharge),
        (POINTS, _points(figures)),
        (ROUNDING, figures.rounding),
    )
    lines = [SoldLine(category, NO_TAX, amount) for category, amount in named if amount]
    return [*lines, *_extra_lines(figures)]


def _taxable_lines(figures: Figures) -> list[SoldLine]:
    """Categories and service charge, with the report's one tax shared out among them."""
    sold = [
        (one.category, one.gross_minor + one.discount_minor, -one.discount_minor)
        for one in figures.categories
    ]
    if not figures.categories and figures.gross:
        sold = [(SALES, figures.gross + figures.discount, -figures.discount)]
    if figures.service:
        sold.append((SERVICE_CHARGE, figures.service, 0))
    taxes = shares(figures.tax, [net for _, net, _ in sold])
    tax_code = figures.tax_code if figures.tax else NO_TAX
    return [
        SoldLine(category, tax_code, net, tax, discount)
        for (category, net, discount), tax in zip(sold, taxes, strict=True)
    ]


def _without_money(figures: Figures) -> tuple[Paid, ...] | None:
    """What was paid without money and is missing in the settlement; None if that explains nothing.

    Credit used, packages redeemed and sales not yet paid count as sales. A report that does not
    list them among its payment methods settles less than its total, by exactly these amounts.
    """
    missing = _owed(figures) - figures.settlement
    listed = [label(paid.tender) for paid in figures.tenders]
    candidates = [
        Paid(tender, amount)
        for tender, word, amount in (
            (CREDIT_USED, "credit", figures.credit_used),
            (PACKAGE_REDEEMED, "package", figures.package_redeemed),
            (UNPAID, "unpaid", figures.unpaid),
        )
        if amount and not any(word in said.replace("credit card", "") for said in listed)
    ]
    found = [
        chosen
        for count in range(len(candidates) + 1)
        for chosen in combinations(candidates, count)
        if sum(paid.amount_minor for paid in chosen) == missing
    ]
    return found[0] if len(found) == 1 else None
