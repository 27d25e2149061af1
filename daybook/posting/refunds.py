"""When refunds leave the invoice: a credit note of their own, paid out per tender.

Refunds are negative lines on the day's invoice while the day and every tender stay at or above
zero: that matches the cash-up and costs no extra call. Where the day or one tender is below zero,
Xero allows neither the invoice nor the payment; then, or when the mapping asks for it, the sales
make the invoice and the refunds make a credit note, each settled by its own tenders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.posting.tender_payments import net_tenders

if TYPE_CHECKING:
    from daybook.posting.mapping import Mapping
    from daybook.sales.daily_total import DailyTotal


def needs_credit_note(total: DailyTotal, mapping: Mapping) -> bool:
    """Whether this day's refunds must, or are asked to, stand on a credit note."""
    has_refunds = any(part.is_refund for part in total.categories) or any(
        part.is_refund for part in total.tenders
    )
    if not has_refunds:
        return False
    if mapping.refunds == "credit_note":
        return True
    return total.total_minor < 0 or min(net_tenders(total.tenders).values(), default=0) < 0
