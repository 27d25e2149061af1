"""What each shop's days must come to, added up from the sales themselves with Decimal."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from daybook.sandbox.pos.sales import NO_TAX, ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime
    from decimal import Decimal

    from daybook.sandbox.pos.sales import Sale


class _Day:
    """Sums of one shop on one business date; refunds are apart and negative."""

    def __init__(self) -> None:
        self.counts = {"receipt_count": 0, "refund_count": 0, "voided_count": 0}
        self.lines: dict[tuple[str, str, bool], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        self.tenders: dict[tuple[str, bool], Decimal] = defaultdict(lambda: ZERO)


def expected(sales: Iterable[Sale], now: datetime) -> list[dict[str, object]]:
    """The daily totals as they are known now, by shop and date; amounts are text."""
    days: dict[tuple[str, date, str], _Day] = defaultdict(_Day)
    for sale in sales:
        version = sale.version_at(now)
        if version is None or version.status in {"open", "draft"} or sale.is_no_sale:
            continue
        day = days[sale.shop.id, sale.business_date, sale.shop.currency]
        if version.status == "voided":
            day.counts["voided_count"] += 1
        else:
            _add(day, sale)
    return [
        {
            "shop_id": shop_id,
            "business_date": business_date.isoformat(),
            "currency": currency,
            **days[shop_id, business_date, currency].counts,
            "categories": [
                [*key, f"{net:f}", f"{tax:f}"]
                for key, (net, tax) in sorted(days[shop_id, business_date, currency].lines.items())
            ],
            "tenders": [
                [*key, f"{amount:f}"]
                for key, amount in sorted(days[shop_id, business_date, currency].tenders.items())
            ],
        }
        for shop_id, business_date, currency in sorted(days)
    ]


def _add(day: _Day, sale: Sale) -> None:
    sign = -1 if sale.is_refund else 1
    day.counts["receipt_count"] += 1
    day.counts["refund_count"] += sale.is_refund
    for category, tax_code, net, tax in _lines(sale):
        sums = day.lines[category, tax_code, sale.is_refund]
        sums[0] += sign * net
        sums[1] += sign * tax
    for paid in sale.tenders:
        day.tenders[paid.tender, sale.is_refund] += sign * paid.amount
    if sale.points:
        day.tenders["Loyalty points", sale.is_refund] += sign * sale.points


def _lines(sale: Sale) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    for line in (*sale.lines, *((sale.service,) if sale.service else ())):
        labels = " + ".join(sorted(tax.label for tax, _ in line.taxes))
        yield line.item.category, labels or NO_TAX, line.net, line.tax
    extras = (("Tips", sale.tip), ("Surcharge", sale.surcharge), ("Rounding", sale.rounding))
    for category, amount in extras:
        if amount:
            yield category, NO_TAX, amount, ZERO
