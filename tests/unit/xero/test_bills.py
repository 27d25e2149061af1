"""Bills as Xero lists them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

from daybook.errors import FinalError
from daybook.xero.bills import list_bills

if TYPE_CHECKING:
    from answered_xero import MakeClient

FIRST, LAST = dt.date(2026, 7, 1), dt.date(2026, 7, 31)


def _bill(number: str, **more: object) -> dict[str, object]:
    return {
        "Type": "ACCPAY",
        "InvoiceID": f"id-{number}",
        "InvoiceNumber": number,
        "Status": "AUTHORISED",
        "Date": "/Date(1783987200000+0000)/",
        "Total": 10.90,
        "CurrencyCode": "SGD",
        "Contact": {"Name": "Grab"},
        **more,
    }


def test_bills_in_the_books_are_listed_with_date_and_payment(make_client: MakeClient) -> None:
    """Approved and paid ones; drafts, voided ones and the chain's own invoices are not."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        rows = [
            _bill("A"),
            _bill("B", Status="PAID", Reference="R", FullyPaidOnDate="/Date(1784160000000+0000)/"),
            _bill("C", Status="DRAFT"),
            _bill("D", Status="VOIDED"),
            _bill("E", Type="ACCREC"),
        ]
        return httpx.Response(200, json={"Invoices": rows})

    first, second = list_bills(make_client(answer), FIRST, LAST)
    assert ("id-A", "A", Decimal("10.9"), "SGD", "Grab") == (
        first.id_xero,
        first.reference,
        first.total_amount,
        first.currency,
        first.contact_name,
    )
    assert (dt.date(2026, 7, 14),) == first.dates
    assert ("B R", (dt.date(2026, 7, 14), dt.date(2026, 7, 16))) == (second.reference, second.dates)
    assert 'Type=="ACCPAY" AND Date>=DateTime(2026, 07, 01)' in asked[0].url.params["where"]


def test_bill_without_an_amount_is_not_guessed(make_client: MakeClient) -> None:
    """The sentence names it."""
    client = make_client(lambda _: httpx.Response(200, json={"Invoices": [_bill("A", Total=None)]}))
    with pytest.raises(FinalError, match="bill A"):
        list(list_bills(client, FIRST, LAST))
