"""Rules of sales invoices that must be the same in the sandbox and in Xero."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from verified_place import NO_ID, cents

if TYPE_CHECKING:
    from verified_place import XeroPlace

pytestmark = pytest.mark.xero_verified

EACH = "summarizeErrors=false&unitdp=4"
NUMBER_TAKEN = "Invoice # must be unique."
NOT_MODIFIABLE = "Invoice not of valid status for modification"


def test_amounts_follow_from_the_lines(place: XeroPlace) -> None:
    """Tax is computed and rounded for each line; totals are the sums."""
    number = place.number()
    made = place.one("PUT", "/Invoices", json=place.invoice(number, "33.33", "33.33", "66.69"))
    taxes = [
        cents(Decimal(net) * place.facts.sales_rate / 100) for net in ("33.33", "33.33", "66.69")
    ]
    assert taxes == [line["TaxAmount"] for line in made["LineItems"]]
    assert (Decimal("133.35"), sum(taxes), Decimal("133.35") + sum(taxes)) == (
        made["SubTotal"],
        made["TotalTax"],
        made["Total"],
    )
    assert ("AUTHORISED", number, place.facts.currency, made["Total"]) == (
        made["Status"],
        made["InvoiceNumber"],
        made["CurrencyCode"],
        made["AmountDue"],
    )
    assert re.fullmatch(r"/Date\(1783987200000\+0000\)/", made["Date"])
    assert "2026-07-14T00:00:00" == made["DateString"]


def test_the_callers_own_tax_is_kept(place: XeroPlace) -> None:
    """An invoice may state another tax than the rate gives, up to the amount of its line."""
    number = place.number()
    line = place.line("100.00", TaxAmount="7.77")
    made = place.one("PUT", "/Invoices", json=place.invoice(number, LineItems=[line]))
    assert (Decimal("7.77"), Decimal("107.77")) == (made["TotalTax"], made["Total"])
    too_much = place.line("10.00", TaxAmount="10.01")
    assert "The tax amount cannot be greater than the line amount" in place.refused(
        "PUT", "/Invoices", json=place.invoice(place.number(), LineItems=[too_much])
    )


def test_lines_may_be_negative_and_totals_may_not(place: XeroPlace) -> None:
    """Refunds fit on an invoice as long as it stays at or above zero."""
    made = place.one("PUT", "/Invoices", json=place.invoice(place.number(), "50.00", "-20.00"))
    assert Decimal("30.00") == made["SubTotal"]
    below = place.invoice(place.number(), "20.00", "-50.00")
    message = "The Total for this document must be greater than or equal to zero."
    assert message in place.refused("PUT", "/Invoices", json=below)


def test_a_number_is_taken_for_ever(place: XeroPlace) -> None:
    """A second invoice of a number is refused, even when the first is void."""
    number = place.number()
    place.one("PUT", "/Invoices", json=place.invoice(number))
    assert NUMBER_TAKEN in place.refused("PUT", "/Invoices", json=place.invoice(number))
    void = {"InvoiceNumber": number, "Status": "VOIDED"}
    assert "VOIDED" == place.one("POST", "/Invoices", json=void)["Status"]
    assert NUMBER_TAKEN in place.refused("PUT", "/Invoices", json=place.invoice(number))


def test_post_changes_what_has_the_number(place: XeroPlace) -> None:
    """POST updates where PUT refuses; lines without an id take the place of the old ones."""
    number = place.number()
    made = place.one("PUT", "/Invoices", json=place.invoice(number, "10.00"))
    changed = place.one("POST", "/Invoices", json=place.invoice(number, "12.00", Reference="new"))
    assert (made["InvoiceID"], Decimal("12.00"), "new") == (
        changed["InvoiceID"],
        changed["SubTotal"],
        changed["Reference"],
    )


def test_a_paid_invoice_cannot_be_voided(place: XeroPlace) -> None:
    """While a payment is on it; once that is deleted, it can."""
    number = place.number()
    place.one("PUT", "/Invoices", json=place.invoice(number))
    paid = place.one("PUT", "/Payments", json=place.payment(number, "1.00"))
    void = {"InvoiceNumber": number, "Status": "VOIDED"}
    assert NOT_MODIFIABLE in place.refused("POST", "/Invoices", json=void)
    place.one("POST", f"/Payments/{paid['PaymentID']}", json={"Status": "DELETED"})
    assert "VOIDED" == place.one("POST", "/Invoices", json=void)["Status"]


def test_each_element_is_answered_for_itself(place: XeroPlace) -> None:
    """With summarizeErrors=false the good are saved and the bad carry their messages, in order."""
    good, bad = place.number(), place.number()
    line = place.line("1.00", AccountCode="no-such-1")
    body = {"Invoices": [place.invoice(bad, LineItems=[line]), place.invoice(good)]}
    refused, saved = place.ok("PUT", f"/Invoices?{EACH}", json=body)["Invoices"]
    assert ("ERROR", True, NO_ID) == (
        refused["StatusAttributeString"],
        refused["HasErrors"],
        refused["InvoiceID"],
    )
    assert ["Account code 'no-such-1' is not a valid code for this document."] == [
        one["Message"] for one in refused["ValidationErrors"]
    ]
    assert ("OK", good) == (saved["StatusAttributeString"], saved["InvoiceNumber"])
    assert 404 == place.send("GET", f"/Invoices/{bad}").status_code


def test_a_summarised_refusal_saves_the_good_ones(place: XeroPlace) -> None:
    """Without summarizeErrors=false the reply is a 400 of the bad ones only; the good are there."""
    good, bad = place.number(), place.number()
    line = place.line("1.00", AccountCode="no-such-1")
    body = {"Invoices": [place.invoice(good), place.invoice(bad, LineItems=[line])]}
    answer = place.send("PUT", "/Invoices", json=body)
    assert (400, [bad]) == (
        answer.status_code,
        [one["InvoiceNumber"] for one in answer.json()["Elements"]],
    )
    assert good == place.one("GET", f"/Invoices/{good}")["InvoiceNumber"]


def test_an_unreadable_value_stops_the_whole_request(place: XeroPlace) -> None:
    """A date that is none refuses the batch before its rules are looked at."""
    good = place.number()
    body = {"Invoices": [place.invoice(good), place.invoice(place.number(), Date="20260714")]}
    answer = place.send("PUT", f"/Invoices?{EACH}", json=body)
    assert (400, "PostDataInvalidException") == (answer.status_code, answer.json()["Type"])
    assert 404 == place.send("GET", f"/Invoices/{good}").status_code
