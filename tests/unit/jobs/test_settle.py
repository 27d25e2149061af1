"""What becomes of a document: by Xero's own answer, or by what a lookup finds."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from daybook.clock import SystemClock
from daybook.jobs.settle import look_up, may_be_there, settlement_of
from daybook.ledger.documents import OpenDocument
from daybook.posting.documents import DocumentKind, DocumentLine, Payment, SalesDocument
from daybook.sales.store import StoreDay
from daybook.xero.auth import Bearer, FixedToken
from daybook.xero.client import XeroClient
from daybook.xero.documents import Posted, Rejected, Unclear
from daybook.xero.limits import Unlimited

if TYPE_CHECKING:
    from daybook.ledger.documents import Settlement

DATE = dt.date(2026, 3, 14)
SENT_AT = dt.datetime(2026, 3, 15, 1, tzinfo=dt.UTC)
PARENT = "aaaaaaaa-0000-0000-0000-000000000001"
INVOICE = SalesDocument(
    DocumentKind.INVOICE,
    "invoice:S01:2026-03-14:NZD",
    "DB-S01-20260314",
    "Kopi 1",
    "Daily sales",
    DATE,
    "NZD",
    (DocumentLine("Drinks", "200", "OUTPUT2", Decimal("10.00"), Decimal("1.50")),),
)
CASH = Payment(
    kind=DocumentKind.PAYMENT,
    natural_key="payment:invoice:S01:2026-03-14:NZD:Cash",
    document_key=INVOICE.natural_key,
    tender="Cash",
    account_code="891",
    date=DATE,
    currency="NZD",
    amount=Decimal("11.50"),
    reference="DB-S01-20260314 Cash",
)


def open_document(document: SalesDocument | Payment, document_id: int = 1) -> OpenDocument:
    """A stored document that was sent."""
    is_payment = isinstance(document, Payment)
    return OpenDocument(
        document_id,
        StoreDay(DATE, "S01"),
        document,
        "unknown",
        SENT_AT,
        DocumentKind.INVOICE if is_payment else None,
        PARENT if is_payment else None,
    )


def in_xero(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A payment as Xero lists it."""
    return {
        "PaymentID": "p-1",
        "Invoice": {"InvoiceID": PARENT},
        "Account": {"Code": "891"},
        "Date": "2026-03-14T00:00:00",
        "Amount": "11.50",
        "Reference": "DB-S01-20260314 Cash",
        "Status": "AUTHORISED",
        **changes,
    }


def looked_up(
    documents: list[OpenDocument], *payments: dict[str, Any], in_use: frozenset[str] = frozenset()
) -> list[Settlement]:
    """What a lookup makes of them when Xero holds these payments and nothing else."""

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        return httpx.Response(200, content=json.dumps({name: list(payments)}))

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        client = XeroClient(
            http=http,
            auth=Bearer(FixedToken("token")),
            api_url="http://xero.test",
            tenant_id_xero="tenant",
            budget=Unlimited(),
            clock=SystemClock(),
        )
        return look_up(client, documents, lambda _ids_xero: in_use)


def test_saved_as_sent_is_posted() -> None:
    """Xero's total is ours."""
    outcome = Posted("id-1", INVOICE.number, Decimal("11.50"), "AUTHORISED")
    settled = settlement_of(open_document(INVOICE), outcome)
    assert ("posted", "id-1", None) == (settled.state, settled.id_xero, settled.problem)


def test_saved_with_another_total_is_held_and_not_paid() -> None:
    """It stays unknown, so that its payments are not sent; both totals are shown."""
    outcome = Posted("id-1", INVOICE.number, Decimal("11.51"), "AUTHORISED")
    settled = settlement_of(open_document(INVOICE), outcome)
    assert ("unknown", None) == (settled.state, settled.id_xero)
    assert settled.problem is not None
    assert "11.51, we sent 11.50" in settled.problem["sentence"]


def test_refusal_shows_xeros_words_and_what_to_do() -> None:
    """The hold names the document, the reason and the next step."""
    outcome = Rejected(("Account code '200' is not a valid code for this document.",))
    settled = settlement_of(open_document(INVOICE), outcome)
    assert settled.problem is not None
    assert "rejected" == settled.state
    assert settled.problem["sentence"].startswith(
        "Xero refused DB-S01-20260314: Account code '200'"
    )
    assert "name another one in the mapping" in settled.problem["sentence"]


def test_reply_that_says_nothing_leaves_it_unknown() -> None:
    """Neither saved nor refused."""
    assert "unknown" == settlement_of(open_document(INVOICE), Unclear("no word of it")).state


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Invoice # must be unique.", True),
        ("Payment amount exceeds the amount outstanding on this document", True),
        ("Payments can only be made against Authorised documents", True),
        ("Account could not be found.", False),
    ],
)
def test_some_refusals_may_mean_that_it_is_there(words: str, expected: bool) -> None:  # noqa: FBT001 - a case
    """A copy that comes late is refused because of the one that came before."""
    assert expected is may_be_there(Rejected((words,)))


def test_absent_document_may_be_sent_again() -> None:
    """Nothing in Xero has its number."""
    assert ["planned"] == [one.state for one in looked_up([open_document(INVOICE)])]


def invoice_in_xero(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The invoice as Xero lists it."""
    return {
        "Type": "ACCREC",
        "InvoiceID": PARENT,
        "InvoiceNumber": INVOICE.number,
        "Status": "AUTHORISED",
        "Date": "2026-03-14T00:00:00",
        "CurrencyCode": "NZD",
        "SubTotal": "10.00",
        "TotalTax": "1.50",
        "Total": "11.50",
        **changes,
    }


def test_equal_document_is_adopted() -> None:
    """It was saved, and only the reply was lost."""
    (settled,) = looked_up([open_document(INVOICE)], invoice_in_xero())
    assert ("posted", "adopted", PARENT) == (settled.state, settled.event, settled.id_xero)


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        ({"Total": "11.00"}, "total is 11.00 in Xero and 11.50 in the ledger"),
        ({"SubTotal": "10.50", "TotalTax": "1.00"}, "tax is 1.00 in Xero and 1.50 in the ledger"),
        ({"Date": "2026-03-15T00:00:00"}, "date is 2026-03-15 in Xero"),
        ({"CurrencyCode": "AUD"}, "currency is AUD in Xero and NZD in the ledger"),
        ({"Status": "DRAFT"}, "status is DRAFT in Xero"),
    ],
)
def test_different_document_is_held_with_both_sides(changes: dict[str, Any], how: str) -> None:
    """It is never sent again."""
    (settled,) = looked_up([open_document(INVOICE)], invoice_in_xero(**changes))
    assert ("unknown", None) == (settled.state, settled.id_xero)
    assert settled.problem is not None
    assert how in settled.problem["sentence"]


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_number_of_a_voided_document_is_used_up(status: str) -> None:
    """It is not in the books, so the day is refused with the way out, not held for ever."""
    (settled,) = looked_up([open_document(INVOICE)], invoice_in_xero(Status=status))
    assert "rejected" == settled.state
    assert settled.problem is not None
    assert f"DB-S01-20260314 is {status.lower()} in Xero" in settled.problem["sentence"]


def test_absent_payment_may_be_sent_again() -> None:
    """Another tender's payment on the same invoice is not this one."""
    other = in_xero(Reference="DB-S01-20260314 NETS")
    assert ["planned"] == [one.state for one in looked_up([open_document(CASH)], other)]


def test_equal_payment_is_adopted_though_white_space_was_trimmed() -> None:
    """A reference is compared by its words."""
    sent = replace(CASH, reference="DB-S01-20260314  Cash ")
    (settled,) = looked_up([open_document(sent)], in_xero())
    assert ("posted", "adopted", "p-1") == (settled.state, settled.event, settled.id_xero)


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        ({"Amount": "11.00"}, "amount is 11.00 in Xero and 11.50 in the ledger"),
        ({"Date": "2026-03-15T00:00:00"}, "date is 2026-03-15 in Xero"),
        ({"Account": {"Code": "892"}}, "account is 892 in Xero and 891 in the ledger"),
    ],
)
def test_different_payment_is_held_with_both_sides(changes: dict[str, Any], how: str) -> None:
    """It is never sent again."""
    (settled,) = looked_up([open_document(CASH)], in_xero(**changes))
    assert "unknown" == settled.state
    assert settled.problem is not None
    assert how in settled.problem["sentence"]


def test_payment_on_another_document_is_not_adopted() -> None:
    """The same reference somewhere else is somebody else's."""
    elsewhere = in_xero(Invoice={"InvoiceID": "bbbbbbbb-0000-0000-0000-000000000002"})
    assert ["planned"] == [one.state for one in looked_up([open_document(CASH)], elsewhere)]


def test_one_payment_in_xero_is_adopted_by_one_document() -> None:
    """Two documents of one reference: the equal one adopts it, the other is still to be sent."""
    twin = replace(CASH, natural_key="payment:twin")
    settled = looked_up([open_document(CASH, 1), open_document(twin, 2)], in_xero())
    assert ["posted", "planned"] == [one.state for one in settled]


def test_payment_of_another_document_of_the_ledger_is_left_to_it() -> None:
    """An id that the ledger knows already is not adopted a second time."""
    settled = looked_up([open_document(CASH)], in_xero(), in_use=frozenset({"p-1"}))
    assert ["planned"] == [one.state for one in settled]
