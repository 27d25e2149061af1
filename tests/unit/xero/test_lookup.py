"""Reading back: numbers, periods and payments in few calls."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import httpx
import pytest

from daybook.errors import FinalError
from daybook.posting.documents import DocumentKind
from daybook.xero.lookup import find_by_number, list_sales_documents, payments_of
from daybook.xero.wire import ZERO_ID

if TYPE_CHECKING:
    from answered_xero import MakeClient


def _invoice(number: str, **more: object) -> dict[str, object]:
    return {
        "Type": "ACCREC",
        "InvoiceID": f"id-{number}",
        "InvoiceNumber": number,
        "Status": "AUTHORISED",
        "Date": "/Date(1783987200000+0000)/",
        "SubTotal": 10.00,
        "TotalTax": 0.90,
        "Total": 10.90,
        "CurrencyCode": "SGD",
        **more,
    }


def _payment(reference: str, parent_id: str, **more: object) -> dict[str, object]:
    return {
        "PaymentID": f"p-{reference}",
        "Date": "/Date(1783987200000+0000)/",
        "Amount": 10.90,
        "Reference": reference,
        "Status": "AUTHORISED",
        "Account": {"Code": "090"},
        "Invoice": {"InvoiceID": parent_id},
        **more,
    }


class _Lists:
    """Answers list calls, a page each, and keeps what was asked."""

    def __init__(self, collection: str, *pages: list[dict[str, object]]) -> None:
        self._collection = collection
        self._pages = pages
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(dict(request.url.params))
        page = int(request.url.params["page"])
        paging = {"page": page, "pageSize": 1000, "pageCount": len(self._pages)}
        content = {self._collection: self._pages[page - 1], "pagination": paging}
        return httpx.Response(200, json=content)


def test_invoices_are_found_by_number_forty_a_call(make_client: MakeClient) -> None:
    """Absent numbers are simply not in the answer."""
    lists = _Lists("Invoices", [_invoice("7"), _invoice("99")])
    numbers = [str(number) for number in range(100)]
    found = find_by_number(make_client(lists), DocumentKind.INVOICE, numbers)
    assert {"7": "id-7", "99": "id-99"} == {
        number: document.id_xero for number, document in found.items()
    }
    assert [40, 40, 20] == [len(asked["InvoiceNumbers"].split(",")) for asked in lists.asked]
    # A page asks for line items too: without one Xero leaves them out.
    assert {"1"} == {asked["page"] for asked in lists.asked}


def test_a_bill_with_the_same_number_is_not_ours(make_client: MakeClient) -> None:
    """Suppliers' bills may have any number."""
    lists = _Lists("Invoices", [_invoice("A", Type="ACCPAY")])
    assert {} == find_by_number(make_client(lists), DocumentKind.INVOICE, ["A"])


@pytest.mark.parametrize("is_live_first", [True, False])
def test_the_live_one_of_two_is_found(make_client: MakeClient, *, is_live_first: bool) -> None:
    """A deleted document may have left its number to another."""
    dead = _invoice("A", InvoiceID="dead", Status="DELETED")
    both = [_invoice("A", InvoiceID="live"), dead]
    lists = _Lists("Invoices", both if is_live_first else both[::-1])
    found = find_by_number(make_client(lists), DocumentKind.INVOICE, ["A"])
    assert "live" == found["A"].id_xero


def test_a_voided_number_is_found_as_voided(make_client: MakeClient) -> None:
    """The number stays taken: the caller must know."""
    lists = _Lists("Invoices", [_invoice("A", Status="VOIDED")])
    found = find_by_number(make_client(lists), DocumentKind.INVOICE, ["A"])
    assert not found["A"].is_live


def test_credit_notes_are_found_by_a_filter(make_client: MakeClient) -> None:
    """Xero has no parameter for their numbers."""
    note = _invoice("", Type="ACCRECCREDIT", CreditNoteID="cn-1", CreditNoteNumber="A")
    lists = _Lists("CreditNotes", [note])
    found = find_by_number(make_client(lists), DocumentKind.CREDIT_NOTE, ["A", "B"])
    assert "cn-1" == found["A"].id_xero
    assert (
        'Type=="ACCRECCREDIT" AND (CreditNoteNumber=="A" OR CreditNoteNumber=="B")'
        == lists.asked[0]["where"]
    )


def test_nothing_to_look_up_costs_no_call(make_client: MakeClient) -> None:
    """An empty list asks nothing."""
    lists = _Lists("Invoices")
    assert {} == find_by_number(make_client(lists), DocumentKind.INVOICE, [])
    assert [] == lists.asked


def test_a_period_is_read_page_by_page(make_client: MakeClient) -> None:
    """A thousand a page, in an order that has no ties."""
    lists = _Lists("Invoices", [_invoice("A")], [_invoice("B")])
    first, last = dt.date(2026, 7, 1), dt.date(2026, 7, 31)
    found = list_sales_documents(make_client(lists), DocumentKind.INVOICE, first, last)
    assert ["A", "B"] == [document.number for document in found]
    assert {
        "where": 'Type=="ACCREC" AND Date>=DateTime(2026, 07, 01) AND Date<=DateTime(2026, 07, 31)',
        "order": "InvoiceID",
        "unitdp": "4",
        "page": "1",
        "pageSize": "1000",
    } == lists.asked[0]


def test_a_list_that_cannot_be_read_is_an_error(make_client: MakeClient) -> None:
    """An absent list is not an empty one."""
    client = make_client(lambda _: httpx.Response(200, json={"Status": "OK"}))
    with pytest.raises(FinalError):
        find_by_number(client, DocumentKind.INVOICE, ["A"])


def test_an_invoice_without_an_id_is_an_error(make_client: MakeClient) -> None:
    """It could not be adopted."""
    lists = _Lists("Invoices", [_invoice("A", InvoiceID=ZERO_ID)])
    with pytest.raises(FinalError, match="A"):
        find_by_number(make_client(lists), DocumentKind.INVOICE, ["A"])


def test_payments_come_with_reference_and_account(make_client: MakeClient) -> None:
    """Forty documents a call, only payments in force, whatever the case of their ids."""
    lists = _Lists(
        "Payments",
        [
            _payment("CASH", "INV-1"),
            _payment("GONE", "inv-1", Status="DELETED"),
            _payment("OTHER", "inv-9"),
        ],
    )
    found = payments_of(make_client(lists), ["inv-1", "inv-2"])
    assert [("p-CASH", "CASH", "090")] == [
        (payment.id_xero, payment.reference, payment.account_code) for payment in found
    ]
    assert (
        'Status=="AUTHORISED" AND '
        '(Invoice.InvoiceID==guid("inv-1") OR Invoice.InvoiceID==guid("inv-2"))'
        == lists.asked[0]["where"]
    )
