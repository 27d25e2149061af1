"""How money taken is posted: one payment per tender on the invoice, into the tender's account.

In: the tenders of a daily total and the document they settle. Out: payments that together come to
the document's total, so that it is paid to the cent. Paid out on a credit note, the signs turn.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from daybook.money import amount_from_minor
from daybook.posting.documents import DocumentKind, Payment
from daybook.posting.reference import payment_key, payment_reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daybook.posting.documents import SalesDocument
    from daybook.posting.mapping import Mapping
    from daybook.sales.daily_total import TenderTotal


def net_tenders(tenders: Iterable[TenderTotal]) -> dict[str, int]:
    """What each tender took in less what it paid out, in minor units; zeros are left out."""
    net: defaultdict[str, int] = defaultdict(int)
    for part in tenders:
        net[part.tender] += part.amount_minor
    return {tender: amount for tender, amount in sorted(net.items()) if amount}


def tender_payments(
    document: SalesDocument, tenders: dict[str, int], mapping: Mapping
) -> tuple[Payment, ...]:
    """One payment per tender that is money; `tenders` are minor units and positive."""
    assert all(amount > 0 for amount in tenders.values()), "a payment is positive"
    return tuple(
        Payment(
            kind=DocumentKind.PAYMENT,
            natural_key=payment_key(document.natural_key, tender),
            document_key=document.natural_key,
            account_code=mapping.tenders[tender],
            date=document.date,
            currency=document.currency,
            amount=amount_from_minor(amount, document.currency),
            reference=payment_reference(document.number, tender),
            tender=tender,
        )
        for tender, amount in tenders.items()
        if not mapping.is_unpaid(tender)
    )
