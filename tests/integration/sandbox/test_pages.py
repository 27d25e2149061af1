"""The ledger pages: what a bookkeeper looks for is there, and nothing hostile gets through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sandbox_caller import sales_invoice, sales_line

if TYPE_CHECKING:
    from sandbox_caller import Caller

HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def books(call: Caller) -> str:
    """An organisation with one document of each kind, named as badly as possible; its page."""
    line = sales_line("115.00", Description=HOSTILE)
    invoice = call.one(
        "PUT",
        "/Invoices",
        json=sales_invoice(
            "P-1", LineItems=[line], Reference=HOSTILE, Url="https://a.example/?<b>"
        ),
    )
    note = sales_invoice("", "11.50", Type="ACCRECCREDIT", CreditNoteNumber="CN-1")
    made = call.one("PUT", "/CreditNotes", json=note)
    call.ok(
        "PUT",
        f"/CreditNotes/{made['CreditNoteID']}/Allocations",
        json={"Amount": 5, "Invoice": {"InvoiceID": invoice["InvoiceID"]}},
    )
    payment = {"Invoice": {"InvoiceNumber": "P-1"}, "Account": {"Code": "880"}, "Amount": "50"}
    call.one("PUT", "/Payments", json=payment | {"Reference": HOSTILE})
    spend = {
        "Type": "SPEND",
        "Contact": {"Name": "Sparkle Ltd"},
        "BankAccount": {"Code": "090"},
        "LineItems": [sales_line("20.00", AccountCode="408", TaxType="INPUT2")],
    }
    spent = call.one("PUT", "/BankTransactions", json=spend)
    path = f"/BankTransactions/{spent['BankTransactionID']}/Attachments"
    call.one("PUT", f"{path}/receipt.png", content=b"png", headers={"Content-Type": "image/png"})
    call.one(
        "PUT",
        f"{path}/note.txt",
        content=HOSTILE.encode(),
        headers={"Content-Type": "text/html"},
    )
    return f"/books/{call.tenant_id}"


def links(page: str, prefix: str) -> list[str]:
    """Return the addresses on a page that begin with a prefix."""
    parts = page.split('"')
    return [part for part in parts if part.startswith(prefix)]


def test_balances_are_those_of_the_documents(call: Caller, books: str) -> None:
    """Debits equal credits, account by account."""
    page = call.http.get(books).text
    assert "Cash Clearing" in page
    foot = page.split("<tfoot>")[1]
    debit, credit = (part.split("</td>")[0] for part in foot.split('class="number">')[1:])
    assert debit == credit != "0.00"


@pytest.mark.parametrize("section", ["invoices", "credit-notes", "payments", "spend-money"])
def test_lists_lead_to_documents(call: Caller, books: str, section: str) -> None:
    """Each list shows its documents, escaped, and the link of each works."""
    page = call.http.get(f"{books}/{section}").text
    assert HOSTILE not in page
    below = "invoices" if section == "payments" else section
    (link,) = links(page, f"{books}/{below}/")
    document = call.http.get(link)
    assert 200 == document.status_code
    assert HOSTILE not in document.text


def test_invoice_shows_payments_credits_and_lines(call: Caller, books: str) -> None:
    """What is paid and credited stands on the invoice with what remains."""
    (link,) = links(call.http.get(f"{books}/invoices").text, f"{books}/invoices/")
    page = call.http.get(link).text
    for text in ("&lt;script&gt;", "CN-1", "880 Cash Clearing", "-50.00", "-5.00", "60.00"):
        assert text in page


def test_attachment_is_shown_but_never_run(call: Caller, books: str) -> None:
    """An image is embedded; a file that claims to be HTML is only downloaded."""
    (link,) = links(call.http.get(f"{books}/spend-money").text, f"{books}/spend-money/")
    page = call.http.get(link).text
    image, image_again, text = links(page, f"{books}/attachments/")
    assert image == image_again
    assert (b"png", "image/png") == (
        (answer := call.http.get(image)).content,
        answer.headers["content-type"],
    )
    answer = call.http.get(text)
    assert ("application/octet-stream", "nosniff") == (
        answer.headers["content-type"],
        answer.headers["x-content-type-options"],
    )
    assert answer.headers["content-disposition"].startswith("attachment")


def test_home_and_calls_show_who_called(call: Caller, books: str) -> None:
    """The latest calls are on the first page, all of them on their own."""
    for path in ("/", "/calls", "/calls?page=2", "/calls?page=x"):
        assert 200 == call.http.get(path).status_code
    page = call.http.get("/calls").text
    assert "PUT /api.xro/2.0/Invoices" in page
    assert "Ava Owner" in page
    assert links(call.http.get("/").text, books)


def test_style_is_one_local_file(call: Caller, books: str) -> None:
    """Pages load nothing from elsewhere."""
    page = call.http.get(books).text
    assert ["/_sandbox/style.css"] == links(page, "/_sandbox/")
    assert "://" not in page
    assert "url(" not in call.http.get("/_sandbox/style.css").text


def test_missing_page_is_404(call: Caller, books: str) -> None:
    """Unknown organisations, sections and documents are not found."""
    for path in ("/books", "/books/x", f"{books}/nope", f"{books}/invoices/x", "/nope"):
        assert 404 == call.http.get(path).status_code


def test_a_link_by_id_alone_leads_to_the_document(call: Caller, books: str) -> None:
    """What a report links to is the document's page, in whichever organisation it is."""
    (link,) = links(call.http.get(f"{books}/invoices").text, f"{books}/invoices/")
    invoice_id = link.rpartition("/")[2]
    page = call.http.get(f"/books/documents/{invoice_id}")
    assert "P-1" in page.text
    assert 404 == call.http.get("/books/documents/nothing").status_code
