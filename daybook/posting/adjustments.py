"""How a day that changed after posting is put right: documents for exactly the difference.

In: the documents of the day that are in Xero, and those its receipts ask for now. Out: an
adjustment invoice, credit note or both, with their payments, on the original date; what is
posted is never edited. Together with what is posted they come to what is wanted, account by
account and tender by tender.

All lines go on one document, positive and negative. Where money moved between tenders the day needs
both, since neither takes a payment below zero: the amount moved then stands on the invoice and on
the credit note alike, on the largest line's account, and cancels out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from daybook.posting.documents import DocumentKind, DocumentLine, Payment, SalesDocument
from daybook.posting.reference import credit_note_number, payment_key, payment_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daybook.posting.documents import Document, Tracking

_SUFFIX: Final = re.compile(r"(-R[0-9]+)?(-CN)?$")
_LineKey = tuple[str, str, tuple["Tracking", ...]]
_TenderKey = tuple[str, str]


def adjustments(
    posted: Sequence[Document], wanted: Iterable[Document], *, revision: int
) -> tuple[Document, ...]:
    """The documents that turn `posted` into `wanted`; none when they come to the same already.

    `revision` numbers the change, from 2 on; `posted` holds at least one invoice or credit note.
    """
    lines = _lines(wanted)
    for line_key, (net, tax) in _lines(posted).items():
        lines[line_key] = (lines[line_key][0] - net, lines[line_key][1] - tax)
    tenders = _tenders(wanted)
    for tender_key, amount in _tenders(posted).items():
        tenders[tender_key] -= amount
    template = next(one for one in posted if isinstance(one, SalesDocument))
    changed = [(key, net, tax) for key, (net, tax) in sorted(lines.items()) if net or tax]
    taken = {key: amount for key, amount in sorted(tenders.items()) if amount > 0}
    given = {key: -amount for key, amount in sorted(tenders.items()) if amount < 0}
    if not changed and not taken and not given:
        return ()
    total = sum((net + tax for _, net, tax in changed), start=Decimal(0))
    given_total = sum(given.values(), start=Decimal(0))
    taken_total = sum(taken.values(), start=Decimal(0))
    # No payment may exceed its document, and invoice less credit note has to be the difference.
    credited = max(given_total, taken_total - total, -total, Decimal(0))
    if not credited:
        return _settled(DocumentKind.INVOICE, template, changed, taken, revision=revision)
    if total + credited == 0:
        negated = [(key, -net, -tax) for key, net, tax in changed]
        return _settled(DocumentKind.CREDIT_NOTE, template, negated, given, revision=revision)
    through = _pass_through(changed, posted, credited)
    return (
        *_settled(DocumentKind.INVOICE, template, [*changed, through], taken, revision=revision),
        *_settled(DocumentKind.CREDIT_NOTE, template, [through], given, revision=revision),
    )


def _lines(documents: Iterable[Document]) -> defaultdict[_LineKey, tuple[Decimal, Decimal]]:
    """Net and tax per account, tax type and tracking; credit notes count negative."""
    sums: defaultdict[_LineKey, tuple[Decimal, Decimal]] = defaultdict(
        lambda: (Decimal(0), Decimal(0))
    )
    for document in documents:
        if isinstance(document, SalesDocument):
            sign = _sign(document.kind)
            for line in document.lines:
                key = (line.account_code, line.tax_type, line.tracking)
                net, tax = sums[key]
                sums[key] = (net + sign * line.net_amount, tax + sign * line.tax_amount)
    return sums


def _tenders(documents: Iterable[Document]) -> defaultdict[_TenderKey, Decimal]:
    """What each tender took in less what it paid out."""
    everything = list(documents)
    kinds = {one.natural_key: one.kind for one in everything}
    sums: defaultdict[_TenderKey, Decimal] = defaultdict(Decimal)
    for one in everything:
        if isinstance(one, Payment):
            sums[one.tender, one.account_code] += _sign(kinds[one.document_key]) * one.amount
    return sums


def _sign(kind: DocumentKind) -> int:
    return -1 if kind is DocumentKind.CREDIT_NOTE else 1


def _pass_through(
    changed: Sequence[tuple[_LineKey, Decimal, Decimal]],
    posted: Sequence[Document],
    amount: Decimal,
) -> tuple[_LineKey, Decimal, Decimal]:
    """The line on which an amount moved between tenders stands on both documents, untaxed."""
    sums = {key: abs(net) for key, net, _ in changed} or {
        key: abs(net) for key, (net, _) in _lines(posted).items()
    }
    largest = max(sorted(sums), key=lambda key: sums[key])
    return largest, amount, Decimal(0)


def _settled(
    kind: DocumentKind,
    template: SalesDocument,
    lines: Sequence[tuple[_LineKey, Decimal, Decimal]],
    tenders: dict[_TenderKey, Decimal],
    *,
    revision: int,
) -> tuple[Document, ...]:
    number = f"{_SUFFIX.sub('', template.number)}-R{revision}"
    if kind is DocumentKind.CREDIT_NOTE:
        number = credit_note_number(number)
    place = template.natural_key.split(":")[1:4]  # store, date and currency, without a revision
    document = replace(
        template,
        kind=kind,
        number=number,
        natural_key=":".join([kind, *place, str(revision)]),
        lines=tuple(
            DocumentLine(
                description=f"Adjustment of {template.date}",
                account_code=account,
                tax_type=tax_type,
                net_amount=net,
                tax_amount=tax,
                tracking=tracking,
            )
            for (account, tax_type, tracking), net, tax in lines
        ),
    )
    payments = tuple(
        Payment(
            kind=DocumentKind.PAYMENT,
            natural_key=payment_key(document.natural_key, tender),
            document_key=document.natural_key,
            account_code=account,
            date=document.date,
            currency=document.currency,
            amount=amount,
            reference=payment_reference(number, tender),
            tender=tender,
        )
        for (tender, account), amount in tenders.items()
    )
    return (document, *payments)
