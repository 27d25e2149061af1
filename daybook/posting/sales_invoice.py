"""How a day's sales are posted: one approved invoice, one line per account and tax type.

In: a daily total, the mapping in force on its date. Out: an invoice whose total is the day's total
to the cent. Amounts are before tax, and the tax of each line is the sum the point of sale recorded:
Xero is told the figure and computes nothing. Refunds stand apart as negative lines (`refunds.py`
says when they become a credit note instead). Debits and credits: docs/posting-rules.md.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from daybook.money import amount_from_minor
from daybook.posting.documents import DocumentKind, DocumentLine, SalesDocument, Tracking
from daybook.posting.reference import credit_note_number, document_key, invoice_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daybook.posting.mapping import Mapping
    from daybook.sales.daily_total import CategoryTotal, DailyTotal
    from daybook.sales.store import Store


def sales_document(
    kind: DocumentKind,
    total: DailyTotal,
    categories: Iterable[CategoryTotal],
    *,
    store: Store,
    mapping: Mapping,
    prefix: str,
) -> SalesDocument:
    """The invoice of these categories; as a credit note it says what was given back, positive."""
    foreign = None if total.currency == store.currency else total.currency
    number = invoice_number(prefix, store.store_id, total.business_date, currency=foreign)
    if kind is DocumentKind.CREDIT_NOTE:
        number = credit_note_number(number)
    return SalesDocument(
        kind=kind,
        natural_key=document_key(kind, store.store_id, total.business_date, total.currency),
        number=number,
        reference=f"{store.name} {total.business_date.isoformat()}",
        contact_name=mapping.contact_of(store.store_id),
        date=total.business_date,
        currency=total.currency,
        lines=document_lines(
            categories,
            sign=-1 if kind is DocumentKind.CREDIT_NOTE else 1,
            mapping=mapping,
            store=store,
            total=total,
        ),
    )


def document_lines(
    categories: Iterable[CategoryTotal],
    *,
    sign: int,
    mapping: Mapping,
    store: Store,
    total: DailyTotal,
) -> tuple[DocumentLine, ...]:
    """One line per account, tax type and direction; a line that comes to nothing is left out."""

    def key(part: CategoryTotal) -> tuple[bool, str, str]:
        rule = mapping.tax_rule(part.tax_code, total.business_date)
        assert rule is not None, "a tax code without a tax type is held"
        return part.is_refund, mapping.categories[part.category], rule.tax_type

    tracking = _tracking(mapping, store)
    lines = []
    worth = [part for part in categories if part.net_minor or part.tax_minor]
    for (is_refund, account, tax_type), group in groupby(sorted(worth, key=key), key=key):
        parts = list(group)
        net_minor = sign * sum(part.net_minor for part in parts)
        tax_minor = sign * sum(part.tax_minor for part in parts)
        if net_minor or tax_minor:
            names = ", ".join(sorted({part.category for part in parts}))
            lines.append(
                DocumentLine(
                    description=f"{'Refunds' if is_refund else 'Sales'}: {names}"[:4000],
                    account_code=account,
                    tax_type=tax_type,
                    net_amount=amount_from_minor(net_minor, total.currency),
                    tax_amount=amount_from_minor(tax_minor, total.currency),
                    tracking=tracking,
                )
            )
    return tuple(lines)


def _tracking(mapping: Mapping, store: Store) -> tuple[Tracking, ...]:
    if mapping.tracking is None:
        return ()
    option = mapping.tracking_option_of(store.store_id, store.name)
    return (Tracking(mapping.tracking.category, option),)
