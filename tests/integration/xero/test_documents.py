"""Documents written into the sandbox and read back, through real sockets."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from daybook.errors import DaybookError, UnknownOutcome
from daybook.posting.documents import DocumentKind, DocumentLine, Payment, SalesDocument
from daybook.xero.documents import (
    Outcome,
    Posted,
    Rejected,
    put_credit_notes,
    put_invoices,
    put_payments,
)
from daybook.xero.lookup import find_by_number, list_sales_documents, payments_of
from daybook.xero.reference_data import ensure_contacts, read_chart, read_organisation
from daybook.xero.wire import PaymentToSend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xero_place import Place

    from daybook.xero.client import XeroClient


_DATE = dt.date(2026, 7, 14)


def _document(number: str, kind: DocumentKind = DocumentKind.INVOICE) -> SalesDocument:
    return SalesDocument(
        kind=kind,
        natural_key=number,
        number=number,
        reference=f"Sales {number}",
        contact_name="POS Sales",
        date=_DATE,
        currency="NZD",
        lines=(
            DocumentLine("Food", "200", "OUTPUT2", Decimal("100.01"), Decimal("14.99")),
            DocumentLine("Refunds", "200", "OUTPUT2", Decimal("-10.10"), Decimal("-1.51")),
        ),
    )


def _payment(reference: str, amount: str, parent: Posted, kind: DocumentKind) -> PaymentToSend:
    payment = Payment(
        kind=DocumentKind.PAYMENT,
        natural_key=reference,
        document_key="I",
        account_code="090",
        date=_DATE,
        currency="NZD",
        amount=Decimal(amount),
        reference=reference,
        tender="Cash",
    )
    return PaymentToSend(payment, kind, parent.id_xero)


def _put(client: XeroClient, documents: Sequence[SalesDocument]) -> tuple[Outcome, ...]:
    put = put_invoices if documents[0].kind is DocumentKind.INVOICE else put_credit_notes
    contact_ids = ensure_contacts(client, ["POS Sales"])
    return put(client, documents, contact_ids=contact_ids, idempotency_key=uuid.uuid4().hex)


def _posted(outcome: Outcome) -> Posted:
    assert isinstance(outcome, Posted), outcome
    return outcome


def test_an_invoice_is_held_exactly_as_it_was_sent(place: Place) -> None:
    """Amounts, tax, lines, date, number and reference come back to the cent."""
    sent = _document("DB-1")
    outcome = _posted(_put(place.client, [sent])[0])
    held = find_by_number(place.client, DocumentKind.INVOICE, ["DB-1", "DB-2"])
    assert ["DB-1"] == list(held)
    found = held["DB-1"]
    assert (outcome.id_xero, "AUTHORISED", _DATE, "NZD", sent.reference) == (
        found.id_xero,
        found.status,
        found.date,
        found.currency,
        found.reference,
    )
    assert {Decimal("103.39")} == {
        sent.total_amount,
        outcome.total_amount,
        found.total_amount,
        found.due_amount,
    }
    assert [(line.net_amount, line.tax_amount) for line in sent.lines] == [
        (line.net_amount, line.tax_amount) for line in found.lines
    ]


def test_one_refused_element_blocks_no_other(place: Place) -> None:
    """Xero's own words come back for the one, ids for the others."""
    wrong = replace(
        _document("DB-2"), lines=(replace(_document("DB-2").lines[0], account_code="999"),)
    )
    outcomes = _put(place.client, [_document("DB-1"), wrong, _document("DB-3")])
    assert [Posted, Rejected, Posted] == [type(outcome) for outcome in outcomes]
    assert isinstance(outcomes[1], Rejected)
    assert any("999" in message for message in outcomes[1].messages)
    numbers = ["DB-1", "DB-2", "DB-3"]
    assert {"DB-1", "DB-3"} == set(find_by_number(place.client, DocumentKind.INVOICE, numbers))


def test_a_number_that_is_taken_is_refused(place: Place) -> None:
    """PUT never overwrites: a second invoice of the same number does not come about."""
    _put(place.client, [_document("DB-1")])
    outcome = _put(place.client, [_document("DB-1")])[0]
    assert isinstance(outcome, Rejected)
    assert any("must be unique" in message for message in outcome.messages)


def test_payments_close_an_invoice_and_are_found_again(place: Place) -> None:
    """By reference and account; what is too much is refused by itself."""
    invoice = _posted(_put(place.client, [_document("DB-1")])[0])
    payments = [
        _payment("DB-1-CASH", "3.39", invoice, DocumentKind.INVOICE),
        _payment("DB-1-NETS", "100.00", invoice, DocumentKind.INVOICE),
        _payment("DB-1-VISA", "0.01", invoice, DocumentKind.INVOICE),
    ]
    outcomes = put_payments(place.client, payments, idempotency_key="payments-1")
    assert [Posted, Posted, Rejected] == [type(outcome) for outcome in outcomes]
    found = payments_of(place.client, [invoice.id_xero])
    assert {
        ("DB-1-CASH", Decimal("3.39"), "090", _DATE, invoice.id_xero),
        ("DB-1-NETS", Decimal("100.00"), "090", _DATE, invoice.id_xero),
    } == {
        (one.reference, one.amount, one.account_code, one.date, one.parent_id_xero) for one in found
    }
    held = find_by_number(place.client, DocumentKind.INVOICE, ["DB-1"])["DB-1"]
    assert ("PAID", Decimal(0)) == (held.status, held.due_amount)
    assert {"DB-1-CASH", "DB-1-NETS"} == {payment.reference for payment in held.payments}


def test_a_refund_is_paid_out_on_a_credit_note(place: Place) -> None:
    """And found again, although Xero lists it under another name."""
    note = _posted(_put(place.client, [_document("DB-1C", DocumentKind.CREDIT_NOTE)])[0])
    refund = _payment("DB-1C-CASH", "103.39", note, DocumentKind.CREDIT_NOTE)
    outcome = put_payments(place.client, [refund], idempotency_key="refund-1")[0]
    found = payments_of(place.client, [note.id_xero])
    assert [(_posted(outcome).id_xero, "DB-1C-CASH")] == [
        (payment.id_xero, payment.reference) for payment in found
    ]
    held = find_by_number(place.client, DocumentKind.CREDIT_NOTE, ["DB-1C", "DB-9C"])
    assert {"DB-1C": Decimal(0)} == {number: one.due_amount for number, one in held.items()}


def test_a_period_is_listed_with_both_its_ends(place: Place) -> None:
    """Only documents dated inside it."""
    days = [_DATE + dt.timedelta(days=day) for day in range(5)]
    _put(place.client, [replace(_document(f"DB-{day}"), date=day) for day in days])
    found = list_sales_documents(place.client, DocumentKind.INVOICE, days[1], days[3])
    assert days[1:4] == sorted(document.date for document in found)


def test_reference_data_is_read(place: Place) -> None:
    """Accounts by code, tax rates by type, the organisation's currency."""
    chart = read_chart(place.client)
    assert chart.accounts["090"].takes_payments
    assert not chart.accounts["200"].takes_payments
    assert "REVENUE" in chart.tax_rates["OUTPUT2"].account_classes
    assert "NZD" == read_organisation(place.client).base_currency


def test_contacts_are_created_once(place: Place) -> None:
    """Asked for again, in another case, the same contact is found."""
    first = ensure_contacts(place.client, ["POS Sales", 'The "Best" Store'])
    assert first == ensure_contacts(place.client, ["POS Sales", 'The "Best" Store'])
    assert [first["POS Sales"]] == list(ensure_contacts(place.client, ["pos sales"]).values())
    assert 1 == place.calls("/Contacts")


_IS_SAVED = [
    ({"fault": "lost_request"}, False),
    ({"fault": "lost_reply"}, True),
    ({"fault": "reset_mid_body"}, True),
    ({"fault": "truncated_body"}, True),
    ({"fault": "wrong_content_type"}, True),
    ({"fault": "server_error"}, False),
    ({"fault": "server_error", "is_committed": True}, True),
    ({"fault": "unavailable"}, False),
]


@pytest.mark.parametrize(("fault", "is_saved"), _IS_SAVED, ids=str)
def test_a_write_that_went_wrong_is_unknown_and_never_repeated(
    place: Place, fault: dict[str, object], *, is_saved: bool
) -> None:
    """Whether it was saved only a lookup tells; the sandbox saw one write."""
    ensure_contacts(place.client, ["POS Sales"])
    place.fault(**fault, match={"method": "PUT", "path": "/Invoices"}, nth=1)
    with pytest.raises(UnknownOutcome):
        _put(place.client, [_document("DB-1")])
    assert 1 == place.calls("/Invoices")
    found = find_by_number(place.client, DocumentKind.INVOICE, ["DB-1"])
    assert is_saved is ("DB-1" in found)


@pytest.mark.parametrize("fault", ["lost_reply", "reset_mid_body", "truncated_body", "unavailable"])
def test_a_read_that_went_wrong_is_repeated(place: Place, fault: str) -> None:
    """Until it is answered."""
    place.fault(fault=fault, match={"method": "GET"}, nth=1)
    assert "NZD" == read_organisation(place.client).base_currency


@pytest.mark.parametrize("problem", ["minute", "concurrent", "appminute"])
def test_a_limited_write_is_saved_once_after_the_wait(place: Place, problem: str) -> None:
    """A 429 did nothing, so the same call goes out again."""
    ensure_contacts(place.client, ["POS Sales"])
    match = {"method": "PUT", "path": "/Invoices"}
    place.fault(fault="rate_limited", match=match, nth=1, problem=problem, retry_after=22)
    _posted(_put(place.client, [_document("DB-1")])[0])
    assert 22 == place.clock.waited_seconds
    assert 2 == place.calls("/Invoices")


def test_the_sandboxes_own_minute_is_waited_out(place: Place) -> None:
    """As long as its Retry-After says, and no longer."""
    place.limits(minute=3)
    for _ in range(7):
        read_organisation(place.client)
    assert 60 < place.clock.waited_seconds <= 180


def test_a_token_that_expires_in_flight_is_renewed_and_nothing_is_doubled(
    place: Place,
) -> None:
    """The refused request did nothing; the repeated one is the first to count."""
    ensure_contacts(place.client, ["POS Sales"])
    place.fault(fault="expired_token", match={"method": "PUT", "path": "/Invoices"}, nth=1)
    _posted(_put(place.client, [_document("DB-1")])[0])
    assert 1 == place.keeper.renewal_count
    assert 1 == len(find_by_number(place.client, DocumentKind.INVOICE, ["DB-1"]))


def test_an_old_token_is_renewed(place: Place) -> None:
    """Half an hour later the first token is dead."""
    read_organisation(place.client)
    place.clock.sleep(1900)
    read_organisation(place.client)
    assert 1 == place.keeper.renewal_count


def test_a_key_used_for_another_request_is_a_fault_of_ours(place: Place) -> None:
    """Nothing is saved under it."""
    contact_ids = ensure_contacts(place.client, ["POS Sales"])
    put_invoices(place.client, [_document("DB-1")], contact_ids=contact_ids, idempotency_key="same")
    with pytest.raises(DaybookError, match="fault of Daybook"):
        put_invoices(
            place.client, [_document("DB-2")], contact_ids=contact_ids, idempotency_key="same"
        )
    assert {} == find_by_number(place.client, DocumentKind.INVOICE, ["DB-2"])
