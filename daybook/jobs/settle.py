"""What became of a document: from Xero's answer, or, when there was none, by looking Xero up.

A lookup has three results: found and equal is adopted, absent may be sent again with a fresh key,
found and different is held with both sides shown and never sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.ledger.documents import OpenDocument, Settlement
from daybook.posting.documents import DocumentKind, Payment, SalesDocument
from daybook.posting.holds import HoldCode
from daybook.xero.documents import Posted, Rejected
from daybook.xero.lookup import find_by_number, payments_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daybook.xero.client import XeroClient
    from daybook.xero.documents import Outcome
    from daybook.xero.wire import PaymentInXero, SalesDocumentInXero

_NUMBER_TAKEN = "must be unique"


def settlement_of(one: OpenDocument, outcome: Outcome) -> Settlement:
    """What Xero's own answer makes of a document that was just sent."""
    if isinstance(outcome, Posted):
        ours = one.document.total_amount
        if outcome.total_amount == ours:
            return Settlement(one.document_id, "posted", "posted", id_xero=outcome.id_xero)
        problem = _different(one, f"Xero calculated {outcome.total_amount}, we sent {ours}")
        return Settlement(one.document_id, "posted", "posted", outcome.id_xero, problem)
    if not isinstance(outcome, Rejected):
        return Settlement(one.document_id, "unknown", outcome.reason)
    if any(_NUMBER_TAKEN in message for message in outcome.messages):
        # Something in Xero has this number already: ours from a lost ledger, or somebody else's.
        return Settlement(one.document_id, "unknown", "number taken")
    words = " ".join(outcome.messages)
    return Settlement(
        one.document_id,
        "rejected",
        "rejected",
        problem={
            "code": HoldCode.REFUSED,
            "key": one.document.natural_key,
            "sentence": f"Xero refused {_name(one)}: {words} Mend that in Xero or in the mapping "
            "and run the day again.",
        },
    )


def look_up(client: XeroClient, unsettled: Sequence[OpenDocument]) -> list[Settlement]:
    """Ask Xero for every document whose outcome is not known."""
    settlements = []
    for kind in (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE):
        sales = [
            (one, one.document)
            for one in unsettled
            if isinstance(one.document, SalesDocument) and one.document.kind is kind
        ]
        if sales:
            found = find_by_number(client, kind, [document.number for _, document in sales])
            settlements += [_found_sales(one, found.get(d.number)) for one, d in sales]
    payments = [one for one in unsettled if one.parent_id_xero is not None]
    if payments:
        parents = {one.parent_id_xero for one in payments if one.parent_id_xero}
        there = payments_of(client, sorted(parents))
        settlements += [_found_payment(one, there) for one in payments]
    return settlements


def _found_sales(one: OpenDocument, found: SalesDocumentInXero | None) -> Settlement:
    if found is None:
        return Settlement(one.document_id, "planned", "absent in Xero")
    assert isinstance(one.document, SalesDocument), "looked up by its number"
    ours = one.document
    differences = [
        f"{what} is {theirs} in Xero and {mine} in the ledger"
        for what, mine, theirs in (
            ("total", ours.total_amount, found.total_amount),
            ("date", ours.date, found.date),
            ("currency", ours.currency, found.currency),
        )
        if mine != theirs
    ]
    if found.status not in ("AUTHORISED", "PAID"):
        differences.append(f"status is {found.status} in Xero")
    return _adopted_or_held(one, found.id_xero, differences)


def _found_payment(one: OpenDocument, there: Sequence[PaymentInXero]) -> Settlement:
    assert isinstance(one.document, Payment), "looked up on its document"
    ours = one.document
    match = next(
        (p for p in there if p.reference == ours.reference and p.status != "DELETED"), None
    )
    if match is None:
        return Settlement(one.document_id, "planned", "absent in Xero")
    differences = [
        f"{what} is {theirs} in Xero and {mine} in the ledger"
        for what, mine, theirs in (
            ("amount", ours.amount, match.amount),
            ("date", ours.date, match.date),
        )
        if mine != theirs
    ]
    return _adopted_or_held(one, match.id_xero, differences)


def _adopted_or_held(one: OpenDocument, id_xero: str, differences: Sequence[str]) -> Settlement:
    if not differences:
        return Settlement(one.document_id, "posted", "adopted", id_xero=id_xero)
    problem = _different(one, "; ".join(differences))
    return Settlement(one.document_id, "unknown", "different in Xero", problem=problem)


def _different(one: OpenDocument, how: str) -> dict[str, str]:
    return {
        "code": HoldCode.DIFFERENT_IN_XERO,
        "key": one.document.natural_key,
        "sentence": f"{_name(one)} is in Xero, but not as we know it: {how}. Compare the two and "
        "correct the one that is wrong; Daybook sends nothing more for it.",
    }


def _name(one: OpenDocument) -> str:
    document = one.document
    if isinstance(document, SalesDocument):
        return document.number
    return document.reference
