"""Tickets of Qashier's Transaction Details to receipts, as far as their columns explain them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from daybook.pos.qashier_details import MULTIPLE_METHODS
from daybook.pos.qashier_receipt import NO_TAX, SALES, Paid, SoldLine, SoldReceipt, shares
from daybook.pos.qashier_text import label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daybook.pos.qashier_details import DetailsDay, Ticket


def is_explained(ticket: Ticket) -> bool:
    """Whether the items, with or without the tax and the discounts, are the total."""
    items = sum(item.amount_minor for item in ticket.items)
    wanted = {ticket.total_minor, ticket.total_minor - ticket.tax_minor}
    return any(items - discount in wanted for discount in _discounts(ticket, items))


def _discounts(ticket: Ticket, items: int) -> set[int]:
    """What may have come off the items: nothing if they have it off already."""
    percent_first = _percentage(items, ticket.discount_percent) + ticket.discount_minor
    rest = items - ticket.discount_minor
    return {
        0,
        percent_first,
        ticket.discount_minor + _percentage(rest, ticket.discount_percent),
    }


def _percentage(amount: int, percent: Decimal) -> int:
    return int((amount * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))


def receipts_of(details: DetailsDay, categories: Mapping[str, str]) -> list[SoldReceipt]:
    """The tickets as receipts, each with the tender that the export names."""
    return [
        SoldReceipt(
            receipt_id_pos=ticket.receipt_id_pos,
            sold_at=ticket.sold_at,
            lines=() if ticket.is_voided else _lines(ticket, details.tax_code, categories),
            tenders=(Paid(ticket.tender, ticket.total_minor),)
            if ticket.total_minor and not ticket.is_voided
            else (),
            is_voided=ticket.is_voided,
        )
        for ticket in details.tickets
    ]


def _lines(ticket: Ticket, tax_code: str, categories: Mapping[str, str]) -> tuple[SoldLine, ...]:
    """Its items, with what the total is less or more than they are, and the tax, shared out."""
    weights = [item.amount_minor for item in ticket.items]
    net = ticket.total_minor - ticket.tax_minor
    if not sum(weights):
        # Nothing to go by: only a ticket of nothing is explained like this.
        weights = [1] * len(weights) if net or ticket.tax_minor else weights
    nets = shares(net, weights) if sum(weights) else weights
    taxes = shares(ticket.tax_minor, weights)
    code = tax_code if ticket.tax_minor else NO_TAX
    return tuple(
        SoldLine(categories.get(item.label, SALES), code, item_net, tax)
        for item, item_net, tax in zip(ticket.items, nets, taxes, strict=True)
    )


def with_tenders(
    receipts: Sequence[SoldReceipt], reported: Sequence[Paid]
) -> list[SoldReceipt] | None:
    """The receipts with what the report's tenders leave over given to those paid in several ways.

    Which of them was paid how is not known: they are filled up in order, so that the day's tenders
    are right. None if that does not come out even.
    """
    left = Counter[str]()
    for paid in reported:
        left[paid.tender] += paid.amount_minor
    for paid in (paid for receipt in receipts for paid in receipt.tenders):
        if not _is_split(paid):
            left[paid.tender] -= paid.amount_minor
    result = []
    for receipt in receipts:
        tenders = receipt.tenders
        if any(_is_split(paid) for paid in tenders):
            tenders = _drawn(receipt.total_minor, left)
        result.append(replace(receipt, tenders=tenders))
    is_even = all(one.total_minor == _paid(one) for one in result) and not any(left.values())
    return result if is_even else None


def _is_split(paid: Paid) -> bool:
    return label(paid.tender) == MULTIPLE_METHODS


def _paid(receipt: SoldReceipt) -> int:
    return sum(paid.amount_minor for paid in receipt.tenders)


def _drawn(amount: int, left: Counter[str]) -> tuple[Paid, ...]:
    """Take the amount out of what is left, the first tender first."""
    drawn = []
    for tender in list(left):
        part = min(amount, left[tender])
        if part > 0:
            left[tender] -= part
            amount -= part
            drawn.append(Paid(tender, part))
    return tuple(drawn)
