"""What corrects a bank transaction that Xero does not let change: entries for the difference. Pure.

Amounts are compared per bank account, account, tax type and tracking, with tax. What is missing
becomes a Spend Money, what is too much a Receive Money, at most one of each per bank account.
Xero computes the tax of each entry from its own amount, so that the taxes of entry and original
together may differ by a cent from the tax of the right amount; the amounts with tax never do.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of public signatures
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from daybook.posting.documents import DocumentKind, DocumentLine, SpendMoney
from daybook.posting.reference import correction_key, correction_reference
from daybook.posting.spend_money import tax_within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daybook.posting.chart import TaxRateFacts

_Place = tuple[str, str, str, tuple[tuple[str, str], ...]]


def plan_corrections(
    filed: Sequence[SpendMoney],
    wanted: SpendMoney,
    rates: Mapping[str, TaxRateFacts],
    *,
    entry_date: dt.date,
) -> tuple[SpendMoney, ...]:
    """The entries that turn what is filed, original and earlier entries, into what is wanted.

    Empty when the amounts agree already; texts, contact and date alone correct nothing.
    """
    missing = _signed([wanted])
    for place, amount in _signed(filed).items():
        missing[place] -= amount
    lines = {place: line for document in [wanted, *filed] for place, line in _lines(document)}
    entries: list[SpendMoney] = []
    for bank, kind in sorted({(place[0], _kind_of(missing[place])) for place in missing}):
        parts = [
            _line(lines[place], abs(amount), rates, wanted.reference)
            for place, amount in sorted(missing.items())
            if amount and place[0] == bank and _kind_of(amount) is kind
        ]
        if parts:
            number = _highest_number(filed) + len(entries) + 1
            entries.append(
                replace(
                    wanted,
                    kind=kind,
                    natural_key=correction_key(wanted.natural_key, number),
                    reference=correction_reference(wanted.reference, number),
                    bank_account_code=bank,
                    date=entry_date,
                    lines=tuple(parts),
                )
            )
    return tuple(entries)


def _highest_number(filed: Sequence[SpendMoney]) -> int:
    """The number of the last entry; there may be gaps where Xero refused one."""
    numbers = [
        one.natural_key.rpartition(":")[2] for one in filed if ":correction:" in one.natural_key
    ]
    return max(map(int, numbers), default=0)


def _signed(documents: Sequence[SpendMoney]) -> defaultdict[_Place, Decimal]:
    """Money out per place, tax included; money in is negative."""
    found: defaultdict[_Place, Decimal] = defaultdict(Decimal)
    for document in documents:
        sign = 1 if document.kind is DocumentKind.SPEND_MONEY else -1
        for place, line in _lines(document):
            found[place] += sign * (line.net_amount + line.tax_amount)
    return found


def _lines(document: SpendMoney) -> list[tuple[_Place, DocumentLine]]:
    return [
        (
            (
                document.bank_account_code,
                line.account_code,
                line.tax_type,
                tuple((one.category, one.option) for one in line.tracking),
            ),
            line,
        )
        for line in document.lines
    ]


def _kind_of(amount: Decimal) -> DocumentKind:
    return DocumentKind.SPEND_MONEY if amount > 0 else DocumentKind.RECEIVE_MONEY


def _line(
    like: DocumentLine, gross: Decimal, rates: Mapping[str, TaxRateFacts], reference: str
) -> DocumentLine:
    rate = rates.get(like.tax_type)
    tax = tax_within(gross, rate.rate_percent if rate else Decimal(0))
    return replace(
        like,
        description=f"Correction of {reference}: {like.description}"[:4000],
        net_amount=gross - tax,
        tax_amount=tax,
    )
