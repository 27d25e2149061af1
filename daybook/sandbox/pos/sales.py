"""Generates what happened in a shop: sales, refunds, voids, open checks, all exact decimals.

The same plan gives the same sales. A sale's figures are worked out here as its till would: each
discount and each tax rounded by the shop's own rule, line by line.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from daybook.sandbox.pos.shops import GIFT_CARD, Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daybook.sandbox.pos.shops import Plan, Shop, Tax

Status = Literal["draft", "open", "final", "voided"]
ZERO = Decimal(0)
NO_TAX = "No tax"
# How often things happen, as shares of all sales.
REFUND_RATE, NO_SALE_RATE, SERVICE_RATE, OFFLINE_RATE = 0.06, 0.01, 0.2, 0.06
DISCOUNT_RATE, TIP_RATE, POINTS_RATE, SPLIT_RATE = 0.15, 0.5, 0.1, 0.15
# Of the life of a sale, as thresholds of one draw: voided, never closed, drafted, a tab, changed.
VOIDED_BELOW, OPEN_BELOW, DRAFT_BELOW, TAB_BELOW, CHANGED_BELOW = 0.03, 0.035, 0.04, 0.08, 0.16
SPLIT_FROM = Decimal(2)
DISCOUNTS = (Decimal(5), Decimal(10), Decimal("12.5"), Decimal(33), Decimal(100))


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One line: `net` is after discount and before all tax."""

    item: Item
    quantity: int
    gross: Decimal
    discount: Decimal
    net: Decimal
    taxes: tuple[tuple[Tax, Decimal], ...]

    @property
    def tax(self) -> Decimal:
        """All its taxes."""
        return sum((amount for _, amount in self.taxes), ZERO)

    @property
    def total(self) -> Decimal:
        """What the customer pays for it."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Paid:
    """One tender; `amount` includes the tip."""

    tender: str
    amount: Decimal
    tip: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Version:
    """What was known of a sale from then on."""

    updated_at: datetime
    status: Status
    number: int


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale, or a refund, whose amounts are positive too; `recorded_at` is the server's."""

    shop: Shop
    id: str
    is_refund: bool
    business_date: date
    sold_at: datetime
    recorded_at: datetime
    lines: tuple[SoldLine, ...]
    tenders: tuple[Paid, ...]
    service: SoldLine | None = None
    tip: Decimal = ZERO
    surcharge: Decimal = ZERO
    rounding: Decimal = ZERO
    points: Decimal = ZERO
    refund_of: str = ""
    is_no_sale: bool = False
    versions: tuple[Version, ...] = field(default=())

    @property
    def is_offline(self) -> bool:
        """Whether the server heard of it later than it happened."""
        return self.recorded_at > self.sold_at

    @property
    def goods_total(self) -> Decimal:
        """Lines and service charge, tax included."""
        service = self.service.total if self.service else ZERO
        return sum((line.total for line in self.lines), ZERO) + service

    @property
    def total(self) -> Decimal:
        """All the customer pays, in money or points."""
        return self.goods_total + self.tip + self.surcharge + self.rounding

    @property
    def tax(self) -> Decimal:
        """All taxes of lines and service charge."""
        service = self.service.tax if self.service else ZERO
        return sum((line.tax for line in self.lines), ZERO) + service

    def version_at(self, now: datetime) -> Version | None:
        """The newest version known by then."""
        known = [version for version in self.versions if version.updated_at <= now]
        return known[-1] if known else None


def generate(shop: Shop, plan: Plan) -> Iterator[Sale]:
    """All sales and refunds of a shop, day by day."""
    chance = random.Random(f"{plan.seed}/{shop.id}")  # noqa: S311  reproducible on purpose
    first = date.fromisoformat(plan.first_date)
    earlier: list[Sale] = []
    number = 0
    for day in range(plan.day_count):
        business_date = first + timedelta(days=day)
        start, end = _span(shop, business_date)
        refundable, earlier = earlier, []
        for _ in range(plan.receipts_per_day):
            number += 1
            seconds = chance.randrange(int((end - start).total_seconds()))
            till = _Till(
                shop, chance, f"{number}", business_date, start + timedelta(seconds=seconds)
            )
            if refundable and chance.random() < REFUND_RATE:
                sale = till.refund(refundable.pop(chance.randrange(len(refundable))))
            else:
                sale = till.sale()
                if _is_refundable(sale):
                    earlier.append(sale)
            yield sale


def _span(shop: Shop, business_date: date) -> tuple[datetime, datetime]:
    """First and last instant of a business date, which may have 23 or 25 hours."""
    zone = ZoneInfo(shop.time_zone)
    start = datetime.combine(business_date, shop.cutoff, tzinfo=zone)
    end = datetime.combine(business_date + timedelta(days=1), shop.cutoff, tzinfo=zone)
    return start.astimezone(UTC), end.astimezone(UTC)


def _is_refundable(sale: Sale) -> bool:
    last = sale.versions[-1].status
    return last == "final" and bool(sale.lines) and sale.goods_total > 0 and not sale.points


@dataclass(slots=True)
class _Till:
    """Makes one sale or refund."""

    shop: Shop
    chance: random.Random
    number: str
    business_date: date
    sold_at: datetime

    def sale(self) -> Sale:
        """Sell something to somebody, or only open the drawer."""
        shop, chance = self.shop, self.chance
        if shop.vendor == "square" and chance.random() < NO_SALE_RATE:
            return self._with_versions(replace(self._empty(), is_no_sale=True))
        lines = tuple(self._line() for _ in range(chance.choice((1, 1, 2, 2, 3, 5))))
        sale = replace(self._empty(), lines=lines, recorded_at=self._recorded_at())
        if shop.service_percentage and chance.random() < SERVICE_RATE:
            sale = replace(sale, service=self._service(lines))
        return self._with_versions(self._paid(sale))

    def refund(self, of: Sale) -> Sale:
        """Take back some lines of an earlier sale, in one tender."""
        count = self.chance.randint(1, len(of.lines))
        lines = tuple(self.chance.sample(of.lines, count))
        refund = replace(self._empty(), is_refund=True, lines=lines, refund_of=of.id)
        tender = of.tenders[0].tender if of.tenders else self.shop.tenders[0]
        refund = replace(refund, tenders=(Paid(tender, refund.total),))
        return self._with_versions(refund)

    def _empty(self) -> Sale:
        # Loyverse numbers receipts by till, and each shop has one.
        prefix = self.shop.id if self.shop.vendor == "square" else str(int(self.shop.id[-1], 16))
        return Sale(
            shop=self.shop,
            id=f"{prefix}-{self.number}",
            is_refund=False,
            business_date=self.business_date,
            sold_at=self.sold_at,
            recorded_at=self.sold_at,
            lines=(),
            tenders=(),
        )

    def _recorded_at(self) -> datetime:
        """Now and then the shop was offline."""
        if self.chance.random() >= OFFLINE_RATE:
            return self.sold_at
        return self.sold_at + timedelta(minutes=self.chance.randint(20, 26 * 60))

    def _line(self) -> SoldLine:
        shop, chance = self.shop, self.chance
        item = chance.choice(shop.catalogue)
        quantity = 1 if item.name == GIFT_CARD else chance.choice((1, 1, 1, 2, 3))
        gross = item.price * quantity
        discount = ZERO
        if item.name != GIFT_CARD and chance.random() < DISCOUNT_RATE:
            discount = shop.rounded(gross * chance.choice(DISCOUNTS) / 100)
        return _taxed(shop, item, quantity, gross, discount)

    def _service(self, lines: tuple[SoldLine, ...]) -> SoldLine:
        shop = self.shop
        net = sum((line.net for line in lines), ZERO)
        amount = shop.rounded(net * Decimal(shop.service_percentage) / 100)
        item = Item("Service charge", "Service charge", amount, shop.service_taxes)
        return _taxed(shop, item, 1, amount, ZERO)

    def _paid(self, sale: Sale) -> Sale:
        """Tips, surcharge, rounding and points by the tender, and the tenders themselves."""
        shop, chance = self.shop, self.chance
        tender = chance.choice(shop.tenders)
        is_cash = tender in {"CASH", "Cash"}
        due = sale.goods_total
        if shop.surcharge_percentage and tender == "Card":
            sale = replace(
                sale, surcharge=shop.rounded(due * Decimal(shop.surcharge_percentage) / 100)
            )
        if shop.has_tips and not is_cash and chance.random() < TIP_RATE:
            sale = replace(sale, tip=shop.rounded(due * Decimal(chance.choice((10, 15, 20))) / 100))
        if shop.cash_step and is_cash:
            steps = (due / shop.cash_step).quantize(Decimal(1), rounding=ROUND_HALF_UP)
            return replace(
                sale,
                rounding=steps * shop.cash_step - due,
                tenders=(Paid(tender, steps * shop.cash_step),),
            )
        if shop.has_points and due > 1 and chance.random() < POINTS_RATE:
            sale = replace(sale, points=Decimal(1))
        return replace(sale, tenders=self._split(sale, tender))

    def _split(self, sale: Sale, tender: str) -> tuple[Paid, ...]:
        shop, chance = self.shop, self.chance
        owed = sale.total - sale.points
        if owed > SPLIT_FROM and chance.random() < SPLIT_RATE:
            part = shop.rounded((owed - sale.tip) / 3)
            other = chance.choice(shop.tenders)
            return (Paid(tender, owed - part, sale.tip), Paid(other, part))
        return (Paid(tender, owed, sale.tip),)

    def _with_versions(self, sale: Sale) -> Sale:
        """How the sale changed over time; a check is dated by when it was closed."""
        at, luck = sale.recorded_at, self.chance.random()
        opened = at - timedelta(minutes=self.chance.randint(5, 90))
        is_square = self.shop.vendor == "square"
        later = at + timedelta(hours=self.chance.randint(1, 120))
        if luck < VOIDED_BELOW and not (is_square and sale.is_offline):
            statuses: list[tuple[datetime, Status]] = (
                [(opened, "open"), (at, "voided")]
                if is_square
                else [(at, "final"), (later, "voided")]
            )
        elif is_square and luck < DRAFT_BELOW:
            statuses = [(at, "open" if luck < OPEN_BELOW else "draft")]
        elif is_square and luck < TAB_BELOW and not sale.is_offline:
            statuses = [(opened, "open"), (at, "final")]
        elif luck < CHANGED_BELOW:
            statuses = [(at, "final"), (later, "final")]
        else:
            statuses = [(at, "final")]
        versions = tuple(
            Version(when, status, number) for number, (when, status) in enumerate(statuses, start=1)
        )
        return replace(sale, versions=versions)


def _taxed(shop: Shop, item: Item, quantity: int, gross: Decimal, discount: Decimal) -> SoldLine:
    """The line with each tax rounded by itself: on top of the price, or within it."""
    base = gross - discount
    taxes = []
    for tax in item.taxes:
        rate = Decimal(tax.percentage)
        amount = base * rate / (100 + rate) if tax.is_inclusive else base * rate / 100
        taxes.append((tax, shop.rounded(amount)))
    inside = sum((amount for tax, amount in taxes if tax.is_inclusive), ZERO)
    return SoldLine(item, quantity, gross, discount, base - inside, tuple(taxes))
