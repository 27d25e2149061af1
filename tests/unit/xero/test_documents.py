"""Batches that are written, and what became of each element."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from daybook.errors import UnknownOutcome
from daybook.posting.documents import DocumentKind, DocumentLine, Payment, SalesDocument
from daybook.xero.documents import (
    Outcome,
    Posted,
    Rejected,
    Unclear,
    put_credit_notes,
    put_invoices,
    put_payments,
)
from daybook.xero.wire import ZERO_ID, PaymentToSend

if TYPE_CHECKING:
    from answered_xero import MakeClient

    from daybook.xero.client import XeroClient


_UNIQUE = {"ValidationErrors": [{"Message": "Invoice # must be unique."}]}


def _document(number: str, kind: DocumentKind = DocumentKind.INVOICE) -> SalesDocument:
    line = DocumentLine("Sales", "200", "NONE", Decimal("10.00"), Decimal("0.90"))
    return SalesDocument(
        kind=kind,
        natural_key=number,
        number=number,
        reference=number,
        contact_name="POS",
        date=dt.date(2026, 7, 14),
        currency="SGD",
        lines=(line,),
    )


def _payment(reference: str, parent_id: str = "inv-1") -> PaymentToSend:
    payment = Payment(
        kind=DocumentKind.PAYMENT,
        natural_key=reference,
        document_key="I",
        account_code="090",
        date=dt.date(2026, 7, 14),
        currency="SGD",
        amount=Decimal("10.90"),
        reference=reference,
        tender="Cash",
    )
    return PaymentToSend(payment, DocumentKind.INVOICE, parent_id)


def _saved(number: str, **more: object) -> dict[str, object]:
    return {
        "InvoiceID": f"id-{number}",
        "InvoiceNumber": number,
        "Total": 10.90,
        "Status": "AUTHORISED",
        "StatusAttributeString": "OK",
        **more,
    }


def _failed(number: str | None, **more: object) -> dict[str, object]:
    name = {} if number is None else {"InvoiceNumber": number}
    return {"InvoiceID": ZERO_ID, **name, "StatusAttributeString": "ERROR", **_UNIQUE, **more}


def _put(make_client: MakeClient, numbers: str, *elements: object) -> tuple[Outcome, ...]:
    client = make_client(lambda _: httpx.Response(200, json={"Invoices": elements}))
    documents = [_document(number) for number in numbers.split()]
    return put_invoices(client, documents, contact_ids={"POS": "c-1"}, idempotency_key="k")


def test_a_batch_asks_for_every_elements_own_result(make_client: MakeClient) -> None:
    """summarizeErrors=false keeps one refused element from hiding the others."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"Invoices": [_saved("A")]})

    put_invoices(
        make_client(answer), [_document("A")], contact_ids={"POS": "c-1"}, idempotency_key="k-1"
    )
    request = sent[0]
    assert ("PUT", "/api.xro/2.0/Invoices") == (request.method, request.url.path)
    assert {"summarizeErrors": "false", "unitdp": "4"} == dict(request.url.params)
    assert "k-1" == request.headers["idempotency-key"]
    body: dict[str, Any] = json.loads(request.content)
    assert {"ContactID": "c-1"} == body["Invoices"][0]["Contact"]


def test_saved_and_refused_elements_are_told_apart(make_client: MakeClient) -> None:
    """Each document has its own outcome, in the order of the documents."""
    assert (
        Posted("id-A", "A", Decimal("10.9"), "AUTHORISED"),
        Rejected(("Invoice # must be unique.",)),
        Posted("id-C", "C", Decimal("10.9"), "AUTHORISED"),
    ) == _put(make_client, "A B C", _saved("A"), _failed("B"), _saved("C"))


def test_a_warning_is_saved(make_client: MakeClient) -> None:
    """It comes back with the warning's words."""
    warned = _saved("A", StatusAttributeString="WARNING", Warnings=[{"Message": "not sent"}])
    outcome = _put(make_client, "A", warned)[0]
    assert isinstance(outcome, Posted)
    assert ("not sent",) == outcome.warnings


def test_another_order_is_put_right_by_number(make_client: MakeClient) -> None:
    """Position alone would credit one store with another's invoice."""
    outcomes = _put(make_client, "A B", _saved("B"), _saved("A"))
    assert ["id-A", "id-B"] == [getattr(outcome, "id_xero", None) for outcome in outcomes]


def test_a_refusal_that_names_nothing_counts_by_position(make_client: MakeClient) -> None:
    """Xero does not promise to echo what it refused."""
    assert (
        Posted("id-A", "A", Decimal("10.9"), "AUTHORISED"),
        Rejected(("Invoice # must be unique.",)),
    ) == _put(make_client, "A B", _saved("A"), _failed(None))


@pytest.mark.parametrize("identity", [ZERO_ID, "", None])
def test_without_an_id_there_is_no_success(make_client: MakeClient, identity: str | None) -> None:
    """No error and no id: it has to be looked up."""
    outcome = _put(make_client, "A", _saved("A", InvoiceID=identity))[0]
    assert isinstance(outcome, Unclear)


def test_an_error_without_words_is_a_refusal(make_client: MakeClient) -> None:
    """Even with an id: Xero marked the element itself."""
    outcome = _put(make_client, "A", _saved("A", StatusAttributeString="ERROR"))[0]
    assert isinstance(outcome, Rejected)


@pytest.mark.parametrize(
    "elements", [[], [_saved("A")], [_saved("A"), "?"], [_saved("A"), _saved("A")]]
)
def test_an_element_that_is_missing_has_to_be_looked_up(
    make_client: MakeClient, elements: list[object]
) -> None:
    """A short reply, or one element twice, proves nothing about the other."""
    outcome = _put(make_client, "A B", *elements)[1]
    assert isinstance(outcome, Unclear)
    assert "B" in outcome.reason


def test_a_reply_without_the_collection_leaves_all_unknown(make_client: MakeClient) -> None:
    """Xero said 200 and nothing about any element."""
    client = make_client(lambda _: httpx.Response(200, json={"Status": "OK"}))
    with pytest.raises(UnknownOutcome):
        put_invoices(client, [_document("A")], contact_ids={"POS": "c"}, idempotency_key="k")


def _refusing(make_client: MakeClient) -> XeroClient:
    body = {"Type": "ValidationException", "Elements": [_UNIQUE]}
    return make_client(lambda _: httpx.Response(400, json=body))


def test_a_summarised_refusal_of_one_is_its_own(make_client: MakeClient) -> None:
    """Nothing else was in the call."""
    client = _refusing(make_client)
    assert (Rejected(("Invoice # must be unique.",)),) == put_invoices(
        client, [_document("A")], contact_ids={"POS": "c"}, idempotency_key="k"
    )


def test_a_summarised_refusal_of_many_may_have_saved_some(make_client: MakeClient) -> None:
    """Xero creates the valid elements behind a 400: all have to be looked up."""
    documents = [_document("A"), _document("B")]
    with pytest.raises(UnknownOutcome, match="must be unique"):
        put_invoices(
            _refusing(make_client), documents, contact_ids={"POS": "c"}, idempotency_key="k"
        )


def test_more_than_fifty_elements_are_never_sent(make_client: MakeClient) -> None:
    """Packing is done before."""
    documents = [_document(str(number)) for number in range(51)]
    with pytest.raises(AssertionError):
        put_invoices(
            _refusing(make_client), documents, contact_ids={"POS": "c"}, idempotency_key="k"
        )


def test_credit_notes_are_read_by_their_own_fields(make_client: MakeClient) -> None:
    """Id and number have other names than an invoice's."""
    element = {"CreditNoteID": "cn-1", "CreditNoteNumber": "A", "Total": 10.90}
    client = make_client(lambda _: httpx.Response(200, json={"CreditNotes": [element]}))
    outcomes = put_credit_notes(
        client,
        [_document("A", DocumentKind.CREDIT_NOTE)],
        contact_ids={"POS": "c"},
        idempotency_key="k",
    )
    assert (Posted("cn-1", "A", Decimal("10.9"), ""),) == outcomes


def _paid(reference: str, parent_id: str = "inv-1") -> dict[str, object]:
    return {
        "PaymentID": f"p-{reference}",
        "Amount": 10.90,
        "Reference": reference,
        "Status": "AUTHORISED",
        "Invoice": {"InvoiceID": parent_id},
    }


def _put_payments(
    make_client: MakeClient, payments: list[PaymentToSend], *elements: object
) -> tuple[Outcome, ...]:
    client = make_client(lambda _: httpx.Response(200, json={"Payments": elements}))
    return put_payments(client, payments, idempotency_key="k")


def test_a_failed_payment_has_no_id(make_client: MakeClient) -> None:
    """Its element carries the amount, the expanded account and the messages."""
    message = "Payment amount exceeds the amount outstanding on this document"
    failed = {
        "Amount": 10.90,
        "HasValidationErrors": True,
        "StatusAttributeString": "ERROR",
        "ValidationErrors": [{"Message": message}],
    }
    assert (Rejected((message,)), Posted("p-B", "B", Decimal("10.9"), "AUTHORISED")) == (
        _put_payments(make_client, [_payment("A"), _payment("B")], failed, _paid("B"))
    )


def test_payments_are_told_apart_by_document_and_reference(make_client: MakeClient) -> None:
    """Two stores may use the same reference for their cash."""
    payments = [_payment("CASH", "inv-1"), _payment("CASH", "inv-2")]
    outcomes = _put_payments(
        make_client, payments, _paid("CASH", "inv-2"), _paid("CASH", "INV-1") | {"PaymentID": "p1"}
    )
    assert ["p1", "p-CASH"] == [getattr(outcome, "id_xero", None) for outcome in outcomes]


def test_a_payment_that_xero_does_not_mention_has_to_be_looked_up(
    make_client: MakeClient,
) -> None:
    """Payments have no number of their own: a second one would be a double payment."""
    outcome = _put_payments(make_client, [_payment("A"), _payment("B")], _paid("A"))[1]
    assert isinstance(outcome, Unclear)
