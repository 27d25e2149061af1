"""What became of a document: from Xero's answer, or, when there was none, by looking Xero up.

A lookup has three results: found and equal is adopted, absent may be sent again with a fresh key,
found and different is held with both sides shown and never sent again. (A document that is voided
or deleted there is refused: it is not in the books, but its number is used up.)
"""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from daybook.errors import FinalError
from daybook.ledger.documents import OpenDocument, Settlement
from daybook.posting.documents import (
    MONEY_KINDS,
    DocumentKind,
    Payment,
    SalesDocument,
    SpendMoney,
)
from daybook.posting.holds import HoldCode
from daybook.xero.bank_transactions import list_bank_transactions
from daybook.xero.documents import Posted, Rejected
from daybook.xero.lookup import find_by_number, list_sales_documents, payments_of
from daybook.xero.refusals import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from daybook.xero.bank_transactions import BankTransactionInXero
    from daybook.xero.client import XeroClient
    from daybook.xero.documents import Outcome
    from daybook.xero.wire import PaymentInXero, SalesDocumentInXero

# How far off a person may have dated what we find by its date for us to find it still.
_OTHER_DATE: Final = dt.timedelta(days=7)
# Xero says this of a document that is there already: ours, if its reply was lost or it came late.
_THERE_ALREADY: Final = (
    "must be unique",
    "exceeds the amount outstanding",
    "can only be made against Authorised documents",
)


def settlement_of(one: OpenDocument, outcome: Outcome) -> Settlement:
    """What Xero's own answer makes of a document that was just sent."""
    if isinstance(outcome, Posted):
        ours = one.document.total_amount
        if outcome.total_amount == ours:
            return Settlement(one.document_id, "posted", "posted", id_xero=outcome.id_xero)
        return _held(one, f"Xero calculated {outcome.total_amount}, we sent {ours}")
    if not isinstance(outcome, Rejected):
        return Settlement(one.document_id, "unknown", outcome.reason)
    return Settlement(
        one.document_id,
        "rejected",
        "rejected",
        problem={
            "code": HoldCode.REFUSED,
            "key": one.document.natural_key,
            "sentence": f"Xero refused {_name(one)}: {explained(outcome.messages)}",
        },
    )


def may_be_there(outcome: Outcome) -> bool:
    """Whether Xero refuses a document because of something there that may be this very document."""
    return isinstance(outcome, Rejected) and any(
        words in message for message in outcome.messages for words in _THERE_ALREADY
    )


def look_up(
    client: XeroClient,
    unsettled: Sequence[OpenDocument],
    in_use: Callable[[Collection[str]], Collection[str]] = lambda _ids_xero: (),
) -> list[Settlement]:
    """Ask Xero for every document whose outcome is not known.

    `in_use` says which of some ids of Xero belong to other documents of the ledger.
    """
    settlements = []
    for kind in (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE):
        sales = [
            (one, one.document)
            for one in unsettled
            if isinstance(one.document, SalesDocument) and one.document.kind is kind
        ]
        if sales:
            found = _find_sales(client, kind, [document for _, document in sales])
            settlements += [_found_sales(one, found.get(d.number)) for one, d in sales]
    settlements += _look_up_money(client, unsettled, in_use)
    payments = [one for one in unsettled if one.parent_id_xero is not None]
    if payments:
        parents = sorted({one.parent_id_xero for one in payments if one.parent_id_xero})
        there = payments_of(client, parents)
        taken = set(in_use([one.id_xero for one in there]))
        settlements += [_found_payment(one, there, taken) for one in payments]
    return settlements


def _find_sales(
    client: XeroClient, kind: DocumentKind, sales: Sequence[SalesDocument]
) -> dict[str, SalesDocumentInXero]:
    """Find sales documents by their numbers, in lists of their dates where Xero refuses that.

    Over 100,000 credit notes it filters by type and date, but not by number.
    """
    numbers = {one.number for one in sales}
    try:
        return find_by_number(client, kind, sorted(numbers))
    except FinalError:
        if kind is not DocumentKind.CREDIT_NOTE:
            raise
    found: dict[str, SalesDocumentInXero] = {}
    for _, month in groupby(
        sorted(one.date for one in sales), key=lambda date: date.replace(day=1)
    ):
        dates = list(month)
        first, last = dates[0] - _OTHER_DATE, dates[-1] + _OTHER_DATE
        for one in list_sales_documents(client, kind, first, last):
            if one.number in numbers and (one.number not in found or one.is_live):
                found[one.number] = one
    return found


def _look_up_money(
    client: XeroClient,
    unsettled: Sequence[OpenDocument],
    in_use: Callable[[Collection[str]], Collection[str]],
) -> list[Settlement]:
    """Find bank transactions by their reference, in one list per kind and run of dates."""
    settlements = []
    for kind in MONEY_KINDS:
        money = sorted(
            (
                (one.document.date, one.document_id, one.document, one)
                for one in unsettled
                if isinstance(one.document, SpendMoney) and one.document.kind is kind
            ),
            key=itemgetter(0, 1),
        )
        for _, some in groupby(money, key=lambda each: each[0].replace(day=1)):
            month = list(some)
            first, last = month[0][0] - _OTHER_DATE, month[-1][0] + _OTHER_DATE
            there = list(list_bank_transactions(client, kind, first, last))
            taken = set(in_use([found.id_xero for found in there]))
            settlements += [
                _found_money(one, document, there, taken) for _, _, document, one in month
            ]
    return settlements


def _found_money(
    one: OpenDocument,
    ours: SpendMoney,
    there: Sequence[BankTransactionInXero],
    taken: set[str],
) -> Settlement:
    """Each bank transaction in Xero is one expense's; `taken` are those that have theirs."""
    candidates = [
        found
        for found in there
        if found.id_xero not in taken and _words(found.reference) == _words(ours.reference)
    ]
    if not candidates:
        return Settlement(one.document_id, "planned", "absent in Xero")
    # Where a person copied it, the one that is equal is ours.
    found = min(candidates, key=lambda each: len(_money_differences(ours, each)))
    taken.add(found.id_xero)
    return _adopted_or_held(one, found.id_xero, _money_differences(ours, found))


def _money_differences(ours: SpendMoney, theirs: BankTransactionInXero) -> list[str]:
    return [
        f"{what} is {there} in Xero and {mine} in the ledger"
        for what, mine, there in (
            ("total", ours.total_amount, theirs.total_amount),
            ("date", ours.date, theirs.date),
            ("bank account", ours.bank_account_code, theirs.bank_account_code),
        )
        if mine != there
    ]


def _found_sales(one: OpenDocument, found: SalesDocumentInXero | None) -> Settlement:
    if found is None:
        return Settlement(one.document_id, "planned", "absent in Xero")
    assert isinstance(one.document, SalesDocument), "looked up by its number"
    ours = one.document
    if found.status in ("VOIDED", "DELETED"):
        return _number_used_up(one, found)
    differences = [
        f"{what} is {theirs} in Xero and {mine} in the ledger"
        for what, mine, theirs in (
            ("total", ours.total_amount, found.total_amount),
            ("tax", sum(line.tax_amount for line in ours.lines), found.tax_amount),
            ("date", ours.date, found.date),
            ("currency", ours.currency, found.currency),
        )
        if mine != theirs
    ]
    if found.status not in ("AUTHORISED", "PAID"):
        differences.append(f"status is {found.status} in Xero")
    return _adopted_or_held(one, found.id_xero, differences)


def _number_used_up(one: OpenDocument, found: SalesDocumentInXero) -> Settlement:
    """Nothing is in the books, and nothing can get there under this number."""
    sentence = (
        f"{found.number} is {found.status.lower()} in Xero, which never gives a number twice. If "
        "the day belongs in the books, set DAYBOOK_INVOICE_PREFIX to a prefix that was not used "
        "yet, and run the day again: what is in Xero already keeps its numbers."
    )
    problem = {"code": HoldCode.REFUSED, "key": one.document.natural_key, "sentence": sentence}
    return Settlement(one.document_id, "rejected", "number used up", problem=problem)


def _found_payment(
    one: OpenDocument, there: Sequence[PaymentInXero], taken: set[str]
) -> Settlement:
    """Each payment in Xero is one document's; `taken` are those that have theirs already."""
    assert isinstance(one.document, Payment), "looked up on its document"
    ours = one.document
    candidates = [
        (_differences(ours, theirs), theirs.id_xero)
        for theirs in there
        if theirs.id_xero not in taken
        and theirs.parent_id_xero.lower() == (one.parent_id_xero or "").lower()
        and _words(theirs.reference) == _words(ours.reference)
    ]
    if not candidates:
        return Settlement(one.document_id, "planned", "absent in Xero")
    differences, id_xero = min(candidates, key=lambda candidate: len(candidate[0]))
    taken.add(id_xero)
    return _adopted_or_held(one, id_xero, differences)


def _differences(ours: Payment, theirs: PaymentInXero) -> list[str]:
    return [
        f"{what} is {there} in Xero and {mine} in the ledger"
        for what, mine, there in (
            ("amount", ours.amount, theirs.amount),
            ("date", ours.date, theirs.date),
            ("account", ours.account_code, theirs.account_code or ours.account_code),
        )
        if mine != there
    ]


def _words(reference: str) -> list[str]:
    """What stays of a reference where white space is trimmed."""
    return reference.split()


def _adopted_or_held(one: OpenDocument, id_xero: str, differences: Sequence[str]) -> Settlement:
    if not differences:
        return Settlement(
            one.document_id,
            "posted",
            "adopted",
            id_xero=id_xero,
            payload_hash=one.payload_hash,
        )
    return _held(one, "; ".join(differences))


def _held(one: OpenDocument, how: str) -> Settlement:
    """It is in Xero, but not as we know it: never sent again, and looked up again by every run."""
    problem = {
        "code": HoldCode.DIFFERENT_IN_XERO,
        "key": one.document.natural_key,
        "sentence": f"{_name(one)} is in Xero, but not as we know it: {how}. Compare the two and "
        "correct the one that is wrong; Daybook sends nothing more for it.",
    }
    return Settlement(one.document_id, "unknown", "different in Xero", problem=problem)


def _name(one: OpenDocument) -> str:
    document = one.document
    return document.number if isinstance(document, SalesDocument) else document.reference
