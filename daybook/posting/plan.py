"""From a daily total to its documents, or to the reasons why it has to wait for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.money import amount_from_minor
from daybook.posting.documents import DocumentKind
from daybook.posting.holds import Hold, HoldCode
from daybook.posting.refunds import needs_credit_note
from daybook.posting.sales_invoice import sales_document
from daybook.posting.tax_checks import unbegun_taxes, wrong_taxes
from daybook.posting.tender_payments import net_tenders, tender_payments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from daybook.posting.documents import Document
    from daybook.posting.mapping import Mapping
    from daybook.sales.daily_total import CategoryTotal, DailyTotal, TenderTotal
    from daybook.sales.store import Store

_XERO_DECIMALS: Final = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What one daily total becomes: documents, or the holds that keep it back; never both."""

    documents: tuple[Document, ...] = ()
    holds: tuple[Hold, ...] = ()


def plan_documents(
    total: DailyTotal, *, store: Store, mapping: Mapping, prefix: str, is_sums_only: bool = False
) -> Plan:
    """The documents of a day, balanced to the cent, or every reason why there can be none.

    Where the source gave the day's sums only, its taxes are not compared with the mapping's rates.
    """
    holds = [*_unbalanced(total), *_unmapped(total, mapping)]
    if not is_sums_only:
        holds += wrong_taxes(total, mapping)
    if holds:
        return Plan(holds=tuple(holds))
    if needs_credit_note(total, mapping):
        parts = [
            (DocumentKind.INVOICE, False),
            (DocumentKind.CREDIT_NOTE, True),
        ]
        documents: list[Document] = []
        for kind, is_refund in parts:
            categories = [part for part in total.categories if part.is_refund is is_refund]
            tenders = [part for part in total.tenders if part.is_refund is is_refund]
            settled = _settled(
                kind, total, categories, tenders, store=store, mapping=mapping, prefix=prefix
            )
            if settled.holds:
                return settled
            documents.extend(settled.documents)
        return Plan(documents=tuple(documents))
    return _settled(
        DocumentKind.INVOICE,
        total,
        total.categories,
        total.tenders,
        store=store,
        mapping=mapping,
        prefix=prefix,
    )


def _settled(  # noqa: PLR0913 - one document with all that decides it
    kind: DocumentKind,
    total: DailyTotal,
    categories: Iterable[CategoryTotal],
    tenders: Iterable[TenderTotal],
    *,
    store: Store,
    mapping: Mapping,
    prefix: str,
) -> Plan:
    """A document and the payments that settle it; nothing at all when there is nothing to say."""
    sign = -1 if kind is DocumentKind.CREDIT_NOTE else 1
    net = {tender: sign * amount for tender, amount in net_tenders(tenders).items()}
    document = sales_document(kind, total, categories, store=store, mapping=mapping, prefix=prefix)
    negative = [tender for tender, amount in net.items() if amount < 0]
    if negative or document.total_amount < 0:
        return Plan(holds=(_negative(total, negative),))
    if not document.lines:
        return Plan()
    payments = tender_payments(document, net, mapping)
    paid = amount_from_minor(sum(net.values()), total.currency)
    if paid != document.total_amount:
        return Plan(
            holds=(
                Hold(
                    HoldCode.UNBALANCED,
                    kind,
                    f"The {kind.replace('_', ' ')} comes to {document.total_amount} but its tenders"
                    f" to {paid}. Correct the receipts in the point of sale and run the day again.",
                ),
            )
        )
    amounts = [
        *(amount for line in document.lines for amount in (line.net_amount, line.tax_amount)),
        *(payment.amount for payment in payments),
    ]
    if finer := [amount for amount in amounts if amount != round(amount, _XERO_DECIMALS)]:
        return Plan(holds=(_too_fine(total.currency, finer[0]),))
    return Plan(documents=(document, *payments))


def _unbalanced(total: DailyTotal) -> Iterable[Hold]:
    if not total.is_balanced:
        owed = amount_from_minor(total.total_minor, total.currency)
        paid = amount_from_minor(total.tender_minor, total.currency)
        yield Hold(
            HoldCode.UNBALANCED,
            total.currency,
            f"Lines and tax come to {owed} {total.currency} but tenders to {paid}, {paid - owed} "
            "apart. Correct the receipts in the point of sale and run the day again.",
        )


def _unmapped(total: DailyTotal, mapping: Mapping) -> Iterable[Hold]:
    used = [part for part in total.categories if part.net_minor or part.tax_minor]
    wanted = (
        (HoldCode.UNMAPPED_CATEGORY, "category", mapping.categories, {p.category for p in used}),
        (HoldCode.UNMAPPED_TAX, "tax code", mapping.taxes, {p.tax_code for p in used}),
        (
            HoldCode.UNMAPPED_TENDER,
            "tender",
            mapping.tenders,
            {p.tender for p in total.tenders if p.amount_minor},
        ),
    )
    for code, word, known, keys in wanted:
        for key in sorted(keys - known.keys()):
            yield Hold(
                code,
                key,
                f"The {word} '{key}' is not in the mapping of {mapping.organisation} from "
                f"{mapping.effective_date}. Add it there, load the mapping and run the day again.",
            )
    yield from unbegun_taxes(total, mapping)


def _too_fine(currency: str, amount: Decimal) -> Hold:
    return Hold(
        HoldCode.TOO_FINE,
        currency,
        f"{amount} {currency} has more than the two decimals Xero keeps, so the day cannot be "
        "posted exactly. Post it by hand, rounded as your accountant wants it.",
    )


def _negative(total: DailyTotal, tenders: list[str]) -> Hold:
    what = f"the tender {', '.join(tenders)}" if tenders else "the day"
    return Hold(
        HoldCode.NEGATIVE_TENDER,
        ", ".join(tenders) or total.currency,
        f"Sales leave {what} below zero, which Xero does not accept on an invoice. "
        "Check the receipts in the point of sale: money paid out belongs on a refund.",
    )
