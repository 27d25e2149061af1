"""Payments over HTTP: what they may be made against and from, and how they are undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sandbox_caller import sales_invoice

if TYPE_CHECKING:
    from sandbox_caller import Caller

EXCEEDS = "Payment amount exceeds the amount outstanding on this document"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"


def payment(number: str, amount: str, **fields: object) -> dict[str, object]:
    """A payment of an invoice into the card clearing account."""
    return {
        "Invoice": {"InvoiceNumber": number},
        "Account": {"Code": "881"},
        "Date": "2026-07-14",
        "Amount": amount,
        **fields,
    }


def test_tenders_settle_an_invoice(call: Caller) -> None:
    """Several payments bring the invoice to PAID; their short forms hang on it."""
    invoice = call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    body = {
        "Payments": [
            payment("P-1", "100.00", Reference="card"),
            payment("P-1", "15.00", Account={"Code": "880"}, Reference="cash"),
        ]
    }
    content = call.ok("PUT", "/Payments?summarizeErrors=false", json=body)
    assert [("AUTHORISED", 15), ("PAID", 0)] == [
        (row["Invoice"]["Status"], row["Invoice"]["AmountDue"]) for row in content["Payments"]
    ]
    paid = call.one("GET", f"/Invoices/{invoice['InvoiceID']}")
    assert ["card", "cash"] == [row["Reference"] for row in paid["Payments"]]
    assert ("PAID", True) == (paid["Status"], "FullyPaidOnDate" in paid)


def test_deleting_a_payment_opens_the_invoice_again(call: Caller) -> None:
    """A deleted payment is still listed, and its amount is due again."""
    call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    made = call.one("PUT", "/Payments", json=payment("P-1", "115.00"))
    path = f"/Payments/{made['PaymentID']}"
    deleted = call.one("POST", path, json={"Status": "DELETED"})
    assert ("DELETED", "AUTHORISED", 115) == (
        deleted["Status"],
        deleted["Invoice"]["Status"],
        deleted["Invoice"]["AmountDue"],
    )
    assert "DELETED" == call.one("GET", path)["Status"]
    assert call.refused("POST", path, json={"Status": "DELETED"})
    assert ["Payments cannot be updated, only created and deleted."] == call.refused(
        "POST", path, json={"Amount": 3}
    )


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({"Amount": "115.01"}, {EXCEEDS}),
        ({"Account": {"Code": "200"}}, {"Account type is invalid for making a payment to/from."}),
        ({"Account": {"Code": "nope"}}, {"Account could not be found."}),
        ({"Account": {}}, {"You must specify an Account code or Account ID for the payment"}),
        ({"Invoice": {"InvoiceNumber": "nope"}}, {"Document could not be found"}),
        ({"Invoice": {}}, {"This payment is not applied."}),
        (
            {"CreditNote": {"CreditNoteNumber": "CN-1"}},
            {"Payment is applied to more than one document."},
        ),
        ({"Invoice": {"InvoiceNumber": "D-1"}}, {EXCEEDS, NOT_AUTHORISED}),
    ],
)
def test_broken_rule_is_refused_in_xeros_words(
    call: Caller, change: dict[str, object], messages: set[str]
) -> None:
    """Each rule of a payment answers with its own messages, and no id."""
    drafts = [sales_invoice("P-1"), sales_invoice("D-1", Status="DRAFT")]
    call.ok("PUT", "/Invoices", json={"Invoices": drafts})
    answer = call.send(
        "PUT", "/Payments?summarizeErrors=false", json=payment("P-1", "10.00") | change
    )
    (element,) = answer.json()["Payments"]
    assert messages == {problem["Message"] for problem in element["ValidationErrors"]}
    assert ("ERROR", True, False) == (
        element["StatusAttributeString"],
        element["HasValidationErrors"],
        "PaymentID" in element,
    )


def test_second_payment_of_the_same_money_is_refused(call: Caller) -> None:
    """Once paid, nothing is outstanding; one batch cannot overpay either."""
    call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    body = {"Payments": [payment("P-1", "115.00"), payment("P-1", "115.00")]}
    content = call.send("PUT", "/Payments?summarizeErrors=false", json=body).json()
    assert ["OK", "ERROR"] == [row["StatusAttributeString"] for row in content["Payments"]]


def test_lookup_by_invoice_reference_and_date(call: Caller) -> None:
    """The optimised filters find exactly the payments a client looks for."""
    invoices = [call.one("PUT", "/Invoices", json=sales_invoice(f"P-{n}")) for n in range(3)]
    for n in range(3):
        call.one("PUT", "/Payments", json=payment(f"P-{n}", "10.00", Reference=f"ref {n}"))
    ids = [row["InvoiceID"] for row in invoices]
    either = " OR ".join(f'Invoice.InvoiceID==guid("{key}")' for key in ids[:2])
    for where, references in (
        (f'Invoice.InvoiceID==guid("{ids[1]}") AND Status=="AUTHORISED"', {"ref 1"}),
        (either, {"ref 0", "ref 1"}),
        ('Reference=="ref 2"', {"ref 2"}),
        ("Date>=DateTime(2026, 7, 15)", set()),
        ('PaymentType=="ACCRECPAYMENT"', {"ref 0", "ref 1", "ref 2"}),
    ):
        rows = call.ok("GET", "/Payments", params={"where": where})["Payments"]
        assert references == {row["Reference"] for row in rows}


def test_batch_payment_comes_and_goes_as_one(call: Caller) -> None:
    """A batch pays many invoices; its payments cannot be deleted singly, the batch can."""
    call.ok("PUT", "/Invoices", json={"Invoices": [sales_invoice("P-1"), sales_invoice("P-2")]})
    body = {
        "Account": {"Code": "090"},
        "Date": "2026-07-15",
        "Reference": "bank",
        "Payments": [
            {"Invoice": {"InvoiceNumber": number}, "Amount": "115.00"} for number in ("P-1", "P-2")
        ],
    }
    made = call.one("PUT", "/BatchPayments", json=body)
    assert ("RECBATCH", 230, 2) == (made["Type"], made["TotalAmount"], len(made["Payments"]))
    assert "PAID" == call.one("GET", "/Invoices/P-2")["Status"]
    member = f"/Payments/{made['Payments'][0]['PaymentID']}"
    assert made["BatchPaymentID"] == call.one("GET", member)["BatchPaymentID"]
    assert ["Payments within a batch cannot be deleted."] == call.refused(
        "POST", member, json={"Status": "DELETED"}
    )
    gone = {"BatchPaymentID": made["BatchPaymentID"], "Status": "DELETED"}
    assert "DELETED" == call.one("POST", "/BatchPayments", json=gone)["Status"]
    assert "AUTHORISED" == call.one("GET", "/Invoices/P-2")["Status"]
    over = body | {"Payments": [{"Invoice": {"InvoiceNumber": "P-1"}, "Amount": "60"}] * 2}
    assert EXCEEDS in call.refused("PUT", "/BatchPayments", json=over)
    assert 2 == len(call.ok("GET", "/Payments")["Payments"])


def test_locked_period_takes_no_payment(call: Caller) -> None:
    """Neither new payments nor deletions are possible in a locked period."""
    call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    made = call.one("PUT", "/Payments", json=payment("P-1", "5.00"))
    path = f"/organisations/{call.tenant_id}/lock-dates"
    call.control("POST", path, json={"period_lock_date": "2026-07-31"})
    for method, url, body in (
        ("PUT", "/Payments", payment("P-1", "5.00")),
        ("POST", f"/Payments/{made['PaymentID']}", {"Status": "DELETED"}),
    ):
        assert "period lock date" in call.refused(method, url, json=body)[0]
    call.one("PUT", "/Payments", json=payment("P-1", "5.00", Date="2026-08-01"))
