"""Our documents in Xero's form, and Xero's as values."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from daybook.errors import FinalError
from daybook.posting.documents import (
    DocumentKind,
    DocumentLine,
    Payment,
    SalesDocument,
    Tracking,
)
from daybook.xero.responses import decode
from daybook.xero.wire import (
    ZERO_ID,
    PaymentToSend,
    amount_of,
    credit_note_body,
    date_of,
    invoice_body,
    payment_body,
    payment_in_xero,
    real_id,
    sales_document,
)

_DATE = dt.date(2026, 7, 14)


def _document(kind: DocumentKind = DocumentKind.INVOICE) -> SalesDocument:
    return SalesDocument(
        kind=kind,
        natural_key="invoice/S01/2026-07-14",
        number="DB-S01-20260714",
        reference="Sales S01 2026-07-14",
        contact_name="POS Sales",
        date=_DATE,
        currency="SGD",
        lines=(
            DocumentLine(
                "Food", "200", "OUTPUT", Decimal("100.00"), Decimal("9.01"), (Tracking("A", "B"),)
            ),
            DocumentLine("Refunds", "200", "OUTPUT", Decimal("-10.10"), Decimal("-0.91")),
        ),
    )


def _payment() -> Payment:
    return Payment(
        kind=DocumentKind.PAYMENT,
        natural_key="payment/S01/2026-07-14/CASH",
        document_key="invoice/S01/2026-07-14",
        account_code="090",
        date=_DATE,
        currency="SGD",
        amount=Decimal("98.00"),
        reference="DB-S01-20260714-CASH",
        tender="Cash",
    )


def _on_the_wire(body: object) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(
        msgspec.json.Encoder(decimal_format="number").encode(body), parse_float=str
    )
    return sent


def test_an_invoice_is_written_so_that_xero_computes_nothing() -> None:
    """Quantity one, tax exclusive, the source's own tax, no line amount to disagree with."""
    assert {
        "Type": "ACCREC",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": "contact-1"},
        "Date": "2026-07-14",
        "DueDate": "2026-07-14",
        "LineAmountTypes": "Exclusive",
        "InvoiceNumber": "DB-S01-20260714",
        "Reference": "Sales S01 2026-07-14",
        "CurrencyCode": "SGD",
        "LineItems": [
            {
                "Description": "Food",
                "Quantity": 1,
                "UnitAmount": "100.00",
                "AccountCode": "200",
                "TaxType": "OUTPUT",
                "TaxAmount": "9.01",
                "Tracking": [{"Name": "A", "Option": "B"}],
            },
            {
                "Description": "Refunds",
                "Quantity": 1,
                "UnitAmount": "-10.10",
                "AccountCode": "200",
                "TaxType": "OUTPUT",
                "TaxAmount": "-0.91",
                "Tracking": [],
            },
        ],
    } == _on_the_wire(invoice_body(_document(), "contact-1"))


def test_a_credit_note_has_its_own_type_and_number_and_no_due_date() -> None:
    """The rest is written as on an invoice."""
    body = credit_note_body(_document(DocumentKind.CREDIT_NOTE), "contact-1")
    assert ("ACCRECCREDIT", "DB-S01-20260714") == (body["Type"], body["CreditNoteNumber"])
    assert {"InvoiceNumber", "DueDate"} & body.keys() == set()


@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        (DocumentKind.INVOICE, {"Invoice": {"InvoiceID": "id-1"}}),
        (DocumentKind.CREDIT_NOTE, {"CreditNote": {"CreditNoteID": "id-1"}}),
    ],
)
def test_a_payment_names_the_one_document_it_pays(
    kind: DocumentKind, parent: dict[str, object]
) -> None:
    """A refund is a payment on a credit note."""
    assert {
        **parent,
        "Account": {"Code": "090"},
        "Date": "2026-07-14",
        "Amount": "98.00",
        "Reference": "DB-S01-20260714-CASH",
    } == _on_the_wire(payment_body(PaymentToSend(_payment(), kind, "id-1")))


def test_an_amount_without_decimals_gets_them() -> None:
    """Yen too: Xero keeps two decimals of every currency."""
    payment = replace(_payment(), amount=Decimal(98), currency="JPY")
    sent = payment_body(PaymentToSend(payment, DocumentKind.INVOICE, "id-1"))
    assert "98.00" == str(sent["Amount"])


def test_an_amount_finer_than_a_cent_is_never_sent() -> None:
    """Xero would round it, and the books would be off."""
    line = DocumentLine("Food", "200", "OUTPUT", Decimal("1.005"), Decimal(0))
    with pytest.raises(AssertionError, match=r"1\.005"):
        invoice_body(replace(_document(), lines=(line,)), "contact-1")


_LISTED = decode(b"""{
 "Type": "ACCREC", "InvoiceID": "id-1", "InvoiceNumber": "DB-1", "Reference": "R",
 "Payments": [{"PaymentID": "p-1", "Date": "/Date(1784073600000+0000)/", "Amount": 46.00,
   "Reference": "DB-1-CASH", "CurrencyRate": 1.0, "HasAccount": false}],
 "AmountDue": 4.50, "AmountPaid": 46.00, "Contact": {"ContactID": "c-1", "Name": "POS"},
 "DateString": "2026-07-14T00:00:00", "Date": "/Date(1783987200000+0000)/",
 "Status": "AUTHORISED", "LineAmountTypes": "Exclusive",
 "LineItems": [{"Description": "Food", "UnitAmount": 45.0000, "TaxType": "OUTPUT",
   "TaxAmount": 5.50, "LineAmount": 45.00, "AccountCode": "200", "Quantity": 1.0000,
   "Tracking": [{"Name": "Region", "Option": "North", "Options": []}]},
   {"Description": "a remark"}],
 "SubTotal": 45.00, "TotalTax": 5.50, "Total": 50.50, "CurrencyCode": "NZD"}""")


def test_a_listed_invoice_is_read_with_lines_and_payments() -> None:
    """Payments on a document have a reference, but neither account nor parent."""
    document = sales_document(_LISTED, DocumentKind.INVOICE)
    assert ("id-1", "DB-1", "AUTHORISED", _DATE, "NZD", "c-1") == (
        document.id_xero,
        document.number,
        document.status,
        document.date,
        document.currency,
        document.contact_id_xero,
    )
    assert (Decimal("45.00"), Decimal("5.50"), Decimal("50.50"), Decimal("4.50")) == (
        document.net_amount,
        document.tax_amount,
        document.total_amount,
        document.due_amount,
    )
    assert ("Food", Decimal("45.00"), (Tracking("Region", "North"),)) == (
        document.lines[0].description,
        document.lines[0].net_amount,
        document.lines[0].tracking,
    )
    assert Decimal(0) == document.lines[1].net_amount
    paid = document.payments[0]
    assert ("p-1", "", "", dt.date(2026, 7, 15), Decimal("46.00"), "DB-1-CASH", "AUTHORISED") == (
        paid.id_xero,
        paid.parent_id_xero,
        paid.account_code,
        paid.date,
        paid.amount,
        paid.reference,
        paid.status,
    )


@pytest.mark.parametrize(("status", "is_live"), [("PAID", True), ("VOIDED", False)])
def test_only_approved_documents_count_in_the_books(status: str, *, is_live: bool) -> None:
    """Voided, deleted and draft ones do not."""
    document = sales_document({**_LISTED, "Status": status}, DocumentKind.INVOICE)
    assert is_live is document.is_live


def test_a_credit_note_tells_what_is_left_to_pay_out() -> None:
    """Its remaining credit takes the place of an invoice's amount due."""
    element = {
        **_LISTED,
        "CreditNoteID": "cn-1",
        "CreditNoteNumber": "CN-1",
        "RemainingCredit": Decimal("3.20"),
    }
    note = sales_document(element, DocumentKind.CREDIT_NOTE)
    assert ("cn-1", "CN-1", Decimal("3.20")) == (note.id_xero, note.number, note.due_amount)


@pytest.mark.parametrize(
    "broken",
    [{"InvoiceID": ZERO_ID}, {"Total": None}, {"Total": "many"}, {"Date": None}, {"Date": "14/7"}],
)
def test_a_document_that_cannot_be_read_is_an_error_not_a_guess(
    broken: dict[str, object],
) -> None:
    """A wrong figure in a reconciliation is worse than none."""
    with pytest.raises(FinalError, match="invoice DB-1"):
        sales_document({**_LISTED, **broken}, DocumentKind.INVOICE)


@pytest.mark.parametrize("field", ["Invoice", "CreditNote"])
def test_a_payment_finds_its_document_under_either_name(field: str) -> None:
    """Lists show a refund of a credit note under Invoice."""
    element = decode(b"""{"PaymentID": "p-1", "Date": "/Date(1783987200000+0000)/",
      "Amount": 2.00, "Account": {"Code": "980"}, "Status": "DELETED"}""")
    payment = payment_in_xero({**element, field: {f"{field}ID": "parent-1"}})
    assert ("parent-1", "980", "DELETED") == (
        payment.parent_id_xero,
        payment.account_code,
        payment.status,
    )


@pytest.mark.parametrize(
    "text",
    [
        "/Date(1783987200000+0000)/",
        "/Date(1783987200000)/",
        "/Date(1783987200000+1300)/",
        "2026-07-14",
        "2026-07-14T00:00:00",
    ],
)
def test_every_form_of_a_date_is_read(text: str) -> None:
    """The milliseconds are UTC whatever offset follows them."""
    assert _DATE == date_of(text, "it")


def test_a_date_before_1970_is_read() -> None:
    """Opening dates of old organisations are negative milliseconds."""
    assert dt.date(1969, 12, 31) == date_of("/Date(-86400000+0000)/", "it")


@pytest.mark.parametrize("value", [Decimal("1.10"), "1.10"])
def test_an_amount_is_read_from_number_and_text(value: object) -> None:
    """Xero's own examples use both."""
    assert Decimal("1.10") == amount_of(value, "it")


@pytest.mark.parametrize("value", [None, "", "1,10", True, "NaN", []])
def test_what_is_no_amount_is_an_error(value: object) -> None:
    """Nothing is guessed, and nothing becomes zero."""
    with pytest.raises(FinalError):
        amount_of(value, "it")


@pytest.mark.parametrize("value", [None, "", ZERO_ID, 5])
def test_an_all_zero_id_stands_for_nothing(value: object) -> None:
    """Xero gives it to what it did not save."""
    assert real_id(value) is None
