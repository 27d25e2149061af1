"""Credit notes over HTTP: allocation, refund, and their undoing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox_caller import sales_invoice

if TYPE_CHECKING:
    from sandbox_caller import Caller


def credit_note(number: str, amount: str, **fields: object) -> dict[str, object]:
    """An approved sales credit note, amounts inclusive of tax."""
    note = sales_invoice(number, amount, Type="ACCRECCREDIT", CreditNoteNumber=number, **fields)
    del note["InvoiceNumber"], note["DueDate"]
    return note


def test_credit_note_number_is_unique(call: Caller) -> None:
    """PUT refuses a number that is taken; POST finds the note by it."""
    call.one("PUT", "/CreditNotes", json=credit_note("CN-1", "23.00"))
    assert ["Credit Note # must be unique."] == call.refused(
        "PUT", "/CreditNotes", json=credit_note("CN-1", "23.00")
    )
    changed = call.one("POST", "/CreditNotes", json={"CreditNoteNumber": "CN-1", "Reference": "r"})
    assert ("r", 23) == (changed["Reference"], changed["RemainingCredit"])


def test_allocation_lowers_both_sides_and_can_be_removed(call: Caller) -> None:
    """What is set against an invoice is credited there and gone here, until it is removed."""
    invoice = call.one("PUT", "/Invoices", json=sales_invoice("P-1", Date="2026-07-20"))
    note = call.one("PUT", "/CreditNotes", json=credit_note("CN-1", "23.00"))
    path = f"/CreditNotes/{note['CreditNoteID']}/Allocations"
    target = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}}
    made = call.one("PUT", path, json={"Allocations": [target | {"Amount": "10.00"}]})
    assert "/Date(1784505600000+0000)/" == made["Date"]
    other = {"InvoiceNumber": "P-1", "Contact": {"Name": "Somebody else"}}
    assert call.refused("POST", "/Invoices", json=other)
    credited = call.one("GET", "/Invoices/P-1")
    assert (10, 105, 10) == (
        credited["AmountCredited"],
        credited["AmountDue"],
        credited["CreditNotes"][0]["AppliedAmount"],
    )
    assert call.refused("PUT", path, json=target | {"Amount": "13.01"})
    removed = call.send("DELETE", f"{path}/{made['AllocationID']}").json()
    assert (made["AllocationID"], True) == (removed["AllocationID"], removed["IsDeleted"])
    assert 115 == call.one("GET", "/Invoices/P-1")["AmountDue"]
    assert 404 == call.send("DELETE", f"{path}/{made['AllocationID']}").status_code


def test_refund_uses_up_the_credit(call: Caller) -> None:
    """A payment on a credit note is a refund; the note is PAID when nothing remains."""
    note = call.one("PUT", "/CreditNotes", json=credit_note("CN-1", "23.00"))
    body = {
        "CreditNote": {"CreditNoteID": note["CreditNoteID"]},
        "Account": {"Code": "880"},
        "Date": "2026-07-14",
        "Amount": "23.00",
    }
    refund = call.one("PUT", "/Payments", json=body)
    assert "ARCREDITPAYMENT" == refund["PaymentType"]
    refunded = call.one("GET", "/CreditNotes/CN-1")
    assert ("PAID", 0, 1) == (
        refunded["Status"],
        refunded["RemainingCredit"],
        len(refunded["Payments"]),
    )
    balances = {row["code"]: row["balance"] for row in call.control("GET", "/books")["accounts"]}
    assert ("-23.00", "20.00", "3.00", "0.00") == tuple(
        balances[code] for code in ("880", "200", "820", "610")
    )


def test_credit_of_another_contact_is_refused(call: Caller) -> None:
    """A credit note is only set against invoices of its own contact, and only when approved."""
    call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    other = credit_note("CN-1", "5.00", Contact={"Name": "Another"})
    note = call.one("PUT", "/CreditNotes", json=other)
    body = {"Amount": 1, "Invoice": {"InvoiceNumber": "P-1"}}
    path = f"/CreditNotes/{note['CreditNoteID']}/Allocations"
    assert ["The credit note and the invoice must belong to the same contact."] == call.refused(
        "PUT", path, json=body
    )
    draft = credit_note("CN-2", "5.00", Status="DRAFT")
    note = call.one("PUT", "/CreditNotes", json=draft)
    path = f"/CreditNotes/{note['CreditNoteID']}/Allocations"
    assert call.refused("PUT", path, json=body)
    ended = call.one("POST", "/CreditNotes", json={"CreditNoteNumber": "CN-2", "Status": "DELETED"})
    assert "DELETED" == ended["Status"]


def test_credit_notes_are_listed_like_invoices(call: Caller) -> None:
    """Lists filter by status and contact; a page shows the lines."""
    for number in ("CN-1", "CN-2"):
        call.one("PUT", "/CreditNotes", json=credit_note(number, "23.00"))
    content = call.ok("GET", "/CreditNotes?page=1&where=CreditNoteNumber=%22CN-2%22")
    assert ["CN-2"] == [row["CreditNoteNumber"] for row in content["CreditNotes"]]
    assert 1 == len(content["CreditNotes"][0]["LineItems"])
