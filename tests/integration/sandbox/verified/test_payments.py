"""Rules of payments, refunds and allocations that must be the same in the sandbox and in Xero."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from verified_place import DATE

if TYPE_CHECKING:
    from verified_place import XeroPlace

pytestmark = pytest.mark.xero_verified

EXCEEDS = "Payment amount exceeds the amount outstanding on this document"


def untaxed(place: XeroPlace, number: str, amount: str) -> str:
    """Make an invoice without tax; return its id."""
    body = place.invoice(number, amount, LineAmountTypes="NoTax")
    return str(place.one("PUT", "/Invoices", json=body)["InvoiceID"])


def test_tenders_close_an_invoice(place: XeroPlace) -> None:
    """Several payments bring it to PAID; their references hang on it."""
    number = place.number()
    invoice_id = untaxed(place, number, "100.00")
    body = {
        "Payments": [
            place.payment(number, "60.00", Reference="card"),
            place.payment(number, "40.00", Reference="cash"),
        ]
    }
    paid = place.ok("PUT", "/Payments?summarizeErrors=false", json=body)["Payments"]
    assert [Decimal(60), Decimal(40)] == [one["Amount"] for one in paid]
    held = place.one("GET", f"/Invoices/{invoice_id}")
    assert ("PAID", Decimal(0), {"card", "cash"}) == (
        held["Status"],
        held["AmountDue"],
        {one["Reference"] for one in held["Payments"]},
    )


def test_more_than_what_is_due_is_refused(place: XeroPlace) -> None:
    """By a cent too; one batch cannot pay the same money twice."""
    number = place.number()
    untaxed(place, number, "100.00")
    over = place.payment(number, "100.01")
    assert EXCEEDS in place.refused("PUT", "/Payments", json=over)
    twice = {"Payments": [place.payment(number, "100.00"), place.payment(number, "100.00")]}
    answered = place.ok("PUT", "/Payments?summarizeErrors=false", json=twice)["Payments"]
    assert [[], [EXCEEDS]] == [
        [problem["Message"] for problem in one.get("ValidationErrors") or []][:1]
        for one in answered
    ]


def test_a_deleted_payment_is_due_again(place: XeroPlace) -> None:
    """It stays on record as DELETED; payments cannot be changed in another way."""
    number = place.number()
    invoice_id = untaxed(place, number, "100.00")
    made = place.one("PUT", "/Payments", json=place.payment(number, "100.00"))
    path = f"/Payments/{made['PaymentID']}"
    assert "DELETED" == place.one("POST", path, json={"Status": "DELETED"})["Status"]
    assert "DELETED" == place.one("GET", path)["Status"]
    held = place.one("GET", f"/Invoices/{invoice_id}")
    assert ("AUTHORISED", Decimal(100)) == (held["Status"], held["AmountDue"])


def test_payments_are_found_by_the_invoice(place: XeroPlace) -> None:
    """The filter a client uses after a lost reply."""
    number = place.number()
    invoice_id = untaxed(place, number, "100.00")
    made = place.one("PUT", "/Payments", json=place.payment(number, "5.00", Reference="till 1"))
    where = f'Status=="AUTHORISED" AND (Invoice.InvoiceID==guid("{invoice_id}"))'
    found = place.ok("GET", "/Payments", params={"where": where, "page": "1"})["Payments"]
    assert [(made["PaymentID"], "till 1")] == [
        (one["PaymentID"], one["Reference"]) for one in found
    ]


def test_an_allocation_lowers_both_sides(place: XeroPlace) -> None:
    """A credit note set against an invoice is credited there; more than remains is refused."""
    number, note_number = place.number(), place.number()
    invoice_id = untaxed(place, number, "100.00")
    note = place.one("PUT", "/CreditNotes", json=place.credit_note(note_number, "30.00"))
    path = f"/CreditNotes/{note['CreditNoteID']}/Allocations"
    target = {"Invoice": {"InvoiceID": invoice_id}, "Date": DATE}
    place.one("PUT", path, json={"Allocations": [{**target, "Amount": "10.00"}]})
    held = place.one("GET", f"/Invoices/{invoice_id}")
    left = place.one("GET", f"/CreditNotes/{note['CreditNoteID']}")
    assert (Decimal(10), Decimal(90), Decimal(20)) == (
        held["AmountCredited"],
        held["AmountDue"],
        left["RemainingCredit"],
    )
    more = {"Allocations": [{**target, "Amount": "20.01"}]}
    assert 400 == place.send("PUT", path, json=more).status_code


def test_a_refund_uses_up_the_credit(place: XeroPlace) -> None:
    """A payment on a credit note is a refund."""
    note = place.one("PUT", "/CreditNotes", json=place.credit_note(place.number(), "30.00"))
    body = place.payment("", "30.00", CreditNote={"CreditNoteID": note["CreditNoteID"]})
    del body["Invoice"]
    refund = place.one("PUT", "/Payments", json=body)
    held = place.one("GET", f"/CreditNotes/{note['CreditNoteID']}")
    assert ("ARCREDITPAYMENT", "PAID", Decimal(0)) == (
        refund["PaymentType"],
        held["Status"],
        held["RemainingCredit"],
    )
