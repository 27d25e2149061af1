"""Rules of spend money and attachments that must be the same in the sandbox and in Xero."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from verified_place import cents

if TYPE_CHECKING:
    from verified_place import XeroPlace

pytestmark = pytest.mark.xero_verified

PNG = b"\x89PNG\r\n\x1a\n"


def tax_in(place: XeroPlace, total: str) -> Decimal:
    """The tax that a total includes at the expense rate."""
    amount = Decimal(total)
    return amount - cents(amount / (1 + place.facts.expense_rate / 100))


def test_amounts_include_tax_unless_said_otherwise(place: XeroPlace) -> None:
    """Unlike those of invoices."""
    made = place.one("PUT", "/BankTransactions", json=place.spend(place.number(), "20.00"))
    assert ("Inclusive", tax_in(place, "20.00"), Decimal("20.00"), False) == (
        made["LineAmountTypes"],
        made["TotalTax"],
        made["Total"],
        made["IsReconciled"],
    )


def test_the_tax_must_be_the_computed_one(place: XeroPlace) -> None:
    """A cent off is refused, where an invoice would take it."""
    expected = tax_in(place, "20.00")
    off = expected - Decimal("0.01")
    body = place.spend(place.number(), "20.00", TaxAmount=str(off))
    message = f"The tax amount {off} does not match the expected tax amount {expected}"
    assert message in place.refused("PUT", "/BankTransactions", json=body)


def test_it_is_found_by_its_reference(place: XeroPlace) -> None:
    """The filter a client uses after a lost reply."""
    reference = place.number()
    made = place.one("PUT", "/BankTransactions", json=place.spend(reference))
    where = (
        'Type=="SPEND" AND Status=="AUTHORISED" AND Date==DateTime(2026, 07, 14) '
        f'AND Reference=="{reference}"'
    )
    found = place.ok("GET", "/BankTransactions", params={"where": where, "page": "1"})
    assert [made["BankTransactionID"]] == [
        one["BankTransactionID"] for one in found["BankTransactions"]
    ]


def test_an_unreconciled_one_may_be_split_again(place: XeroPlace) -> None:
    """An update with other lines takes their place."""
    made = place.one("PUT", "/BankTransactions", json=place.spend(place.number(), "20.00"))
    half = place.spend(place.number(), "10.00")
    body = {
        **half,
        "BankTransactionID": made["BankTransactionID"],
        "LineItems": [*half["LineItems"], *half["LineItems"]],  # type: ignore[misc]  # a list
    }
    changed = place.one("POST", "/BankTransactions", json=body)
    assert (2, Decimal("20.00")) == (len(changed["LineItems"]), changed["Total"])


def test_an_attachment_is_kept_and_replaced_by_its_name(place: XeroPlace) -> None:
    """Bytes come back as they went in; a second one of the name takes its place."""
    made = place.one("PUT", "/BankTransactions", json=place.spend(place.number()))
    path = f"/BankTransactions/{made['BankTransactionID']}/Attachments"
    headers = {"Content-Type": "image/png"}
    for content in (PNG + b"1", PNG + b"22"):
        place.one("POST", f"{path}/taxi%20ride.png", content=content, headers=headers)
    (listed,) = place.ok("GET", path)["Attachments"]
    assert ("taxi ride.png", "image/png", 10) == (
        listed["FileName"],
        listed["MimeType"],
        listed["ContentLength"],
    )
    assert PNG + b"22" == place.send("GET", f"{path}/taxi%20ride.png").content
    assert place.one("GET", f"/BankTransactions/{made['BankTransactionID']}")["HasAttachments"]
