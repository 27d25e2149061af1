"""What Xero computes from lines: line amounts, tax per line, totals. Pure.

Unit amounts are rounded first (2 places, or 4 when asked), then line amounts to cents, then tax
per line; half away from zero throughout.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from daybook.sandbox.wire import round2, round4

HUNDRED = Decimal(100)
ONE = Decimal(1)
UNIT_PLACES_MAX = 4
ZERO = Decimal("0.00")


class Amounts(msgspec.Struct, frozen=True):
    """A line's figures in the document currency."""

    quantity: Decimal | None
    unit_amount: Decimal
    line_amount: Decimal


class Totals(msgspec.Struct, frozen=True):
    """A document's figures."""

    sub_total: Decimal
    total_tax: Decimal
    total: Decimal


def round_unit(amount: Decimal, places: int) -> Decimal:
    """Round a unit amount to 2 or 4 places."""
    return round4(amount) if places == UNIT_PLACES_MAX else round2(amount)


def expected_line_amount(
    quantity: Decimal,
    unit_amount: Decimal,
    discount_rate: Decimal | None = None,
    discount_amount: Decimal | None = None,
) -> Decimal:
    """Multiply and discount; a rate is in percent, an amount is for the whole line."""
    gross = quantity * unit_amount
    if discount_rate is not None:
        return round2(gross * (HUNDRED - discount_rate) / HUNDRED)
    if discount_amount is not None:
        return round2(gross - discount_amount)
    return round2(gross)


def fill_amounts(
    quantity: Decimal | None, unit_amount: Decimal | None, line_amount: Decimal | None, places: int
) -> Amounts:
    """Derive what was left out; a line amount alone means one unit of it, nothing means zero."""
    if quantity is None and unit_amount is None and line_amount is None:
        return Amounts(None, ZERO, ZERO)
    if unit_amount is None:
        amount = line_amount if line_amount is not None else ZERO
        count = quantity if quantity is not None else ONE
        unit = round_unit(amount / count, places) if count else ZERO
        return Amounts(round4(count), unit, round2(amount))
    unit = round_unit(unit_amount, places)
    if quantity is None:
        count = round4(line_amount / unit) if line_amount is not None and unit else ONE
        return Amounts(round4(count), unit, round2(count * unit))
    return Amounts(round4(quantity), unit, round2(round4(quantity) * unit))


def line_tax(line_amount: Decimal, rate: Decimal, line_amount_types: str) -> Decimal:
    """Return the tax of one line; `rate` is the effective rate in percent."""
    if line_amount_types == "Exclusive":
        return round2(line_amount * rate / HUNDRED)
    if line_amount_types == "Inclusive":
        return line_amount - round2(line_amount / (ONE + rate / HUNDRED))
    return ZERO


def totals(figures: list[tuple[Decimal, Decimal]], line_amount_types: str) -> Totals:
    """Add up (line amount, tax amount) pairs."""
    amounts = tax = ZERO
    for line_amount, tax_amount in figures:
        amounts += line_amount
        tax += tax_amount
    if line_amount_types == "Inclusive":
        return Totals(amounts - tax, tax, amounts)
    return Totals(amounts, tax, amounts + tax)
