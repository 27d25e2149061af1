"""Taxes against the mapping's dates and rates: what the till took is posted, or held and explained.

In: a daily total and the mapping in force on its date. Out: holds. The till's own tax is never put
right. Each line may be off by its rounding: six tenths of the smallest unit, which is half a unit
where the price includes the tax as well, and one unit over all.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from daybook.money import amount_from_minor
from daybook.posting.holds import Hold, HoldCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daybook.posting.mapping import Mapping, TaxRule
    from daybook.sales.daily_total import CategoryTotal, DailyTotal

_LINE_ROUNDING: Final = Decimal("0.6")
_TENTH: Final = Decimal("0.1")


def unbegun_taxes(total: DailyTotal, mapping: Mapping) -> Iterator[Hold]:
    """Tax codes of the mapping that mean nothing yet on the day."""
    used = {part.tax_code for part in total.categories if part.net_minor or part.tax_minor}
    for tax_code in sorted(used & mapping.taxes.keys()):
        if mapping.tax_rule(tax_code, total.business_date) is None:
            yield Hold(
                HoldCode.UNMAPPED_TAX,
                tax_code,
                f"The tax code '{tax_code}' has no tax type in the mapping of "
                f"{mapping.organisation} as early as {total.business_date}. Add one there, load "
                "the mapping and run the day again.",
            )


def wrong_taxes(total: DailyTotal, mapping: Mapping) -> Iterator[Hold]:
    """What was taxed at another rate than the mapping says for the day."""
    for part in total.categories:
        begun = mapping.tax_rules(part.tax_code, total.business_date)
        # A refund gives back what was taken, at the rate of its time.
        rules = begun if part.is_refund else begun[-1:]
        rates = [rule.rate_percent for rule in rules if rule.rate_percent is not None]
        if not rates or len(rates) < len(rules):
            continue
        if _apart(part, rates) > part.line_count * _LINE_ROUNDING + 1:
            yield _wrong_tax(total, part, rules[-1])


def _apart(part: CategoryTotal, rates: list[Decimal]) -> Decimal:
    """How far the tax is from what any of the rates, or some sales at each, come to."""
    taxes = [part.net_minor * rate / 100 for rate in rates]
    return max(min(taxes) - part.tax_minor, part.tax_minor - max(taxes), Decimal(0))


def _wrong_tax(total: DailyTotal, part: CategoryTotal, rule: TaxRule) -> Hold:
    tax, net = (
        amount_from_minor(minor, total.currency) for minor in (part.tax_minor, part.net_minor)
    )
    percent = (100 * tax / net).quantize(_TENTH).normalize() if net else None
    taken = "" if percent is None else f", which is {percent:f} %"
    return Hold(
        HoldCode.WRONG_TAX,
        f"{part.category}, {part.tax_code}",
        f"The tax {part.tax_code} on {part.category} comes to {tax} {total.currency} for {net}"
        f"{taken}, but the mapping says {rule.rate} % from {rule.from_date}. Correct the rate "
        "in the point of sale or in the mapping, and run the day again.",
    )
