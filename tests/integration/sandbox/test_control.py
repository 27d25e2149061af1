"""The control calls over HTTP: organisations, clock, log, books, reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox_caller import sales_invoice, sales_line

if TYPE_CHECKING:
    from sandbox_caller import Caller


def test_bootstrap_says_all_a_client_needs(call: Caller) -> None:
    """URLs, app, ready refresh token and organisations come in one answer."""
    boot = call.control("GET", "")
    assert call.sandbox.url == boot["api_url"] == boot["identity_url"] == boot["login_url"]
    assert {"client_id", "client_secret", "refresh_token"} <= boot.keys()
    assert [("NZ", "NZD"), ("GB", "GBP")] == [
        (row["country"], row["currency"]) for row in boot["organisations"]
    ]


def test_organisation_is_seeded_in_one_call(call: Caller) -> None:
    """A chain with 457 stores as tracking options is ready for documents at once."""
    body = {
        "name": "Chain",
        "country": "US",
        "tax_rates": [{"name": "City Tax", "tax_type": "TAX001", "effective_rate": 8.25}],
        "accounts": [
            {"code": "4000", "name": "Grocery", "type": "REVENUE", "tax_type": "TAX001"},
            {"Code": "1010", "Name": "Tills", "Type": "CURRENT", "EnablePaymentsToAccount": True},
        ],
        "tracking_categories": [{"name": "Store", "options": [str(n) for n in range(457)]}],
        "contacts": ["Daily sales", {"name": "Tax office", "contact_number": "T1"}],
        "period_lock_date": "2016-12-31",
    }
    made = call.control("POST", "/organisations", json=body)
    assert ("US", "USD", "America/New_York", "2016-12-31") == tuple(
        made[name] for name in ("country", "currency", "timezone", "period_lock_date")
    )
    again = call.control("POST", "/organisations", json=body)
    assert made["tenant_id"] == again["tenant_id"]
    headers = {"xero-tenant-id": made["tenant_id"]}
    line = sales_line(
        "100.00",
        AccountCode="4000",
        TaxType="TAX001",
        Tracking=[{"Name": "Store", "Option": "456"}],
    )
    invoice = sales_invoice(
        "P-1", LineItems=[line], LineAmountTypes="Exclusive", Contact={"Name": "Daily sales"}
    )
    saved = call.one("PUT", "/Invoices", headers=headers, json=invoice)
    assert (108.25, "USD") == (float(saved["Total"]), saved["CurrencyCode"])
    contacts = call.ok("GET", "/Contacts", headers=headers)["Contacts"]
    assert {"Daily sales", "Tax office"} == {row["Name"] for row in contacts}


def test_books_sum_up_for_a_test(call: Caller) -> None:
    """Totals per account and every document with what is open on it."""
    call.one("PUT", "/Invoices", json=sales_invoice("P-1", "115.00"))
    call.one(
        "PUT",
        "/Payments",
        json={"Invoice": {"InvoiceNumber": "P-1"}, "Account": {"Code": "880"}, "Amount": "100.00"},
    )
    books = call.control("GET", f"/books?tenant_id={call.tenant_id}")
    balances = {row["code"]: row["balance"] for row in books["accounts"]}
    assert ("-100.00", "-15.00", "15.00", "100.00") == tuple(
        balances[code] for code in ("200", "820", "610", "880")
    )
    assert [("P-1", "115.00", "15.00")] == [
        (row["number"], row["total"], row["amount_due"]) for row in books["invoices"]
    ]
    assert {"AUTHORISED": 1} == books["counts"]["payments"]


def test_log_counts_and_filters_calls(call: Caller) -> None:
    """Who called what, when, with which key and how many elements."""
    start = call.control("GET", "/requests")["last"]
    body = {"Invoices": [sales_invoice("P-1"), sales_invoice("P-2")]}
    call.ok("PUT", "/Invoices", json=body, headers={"Idempotency-Key": "k1"})
    call.ok("GET", "/Invoices?page=1")
    log = call.control("GET", f"/requests?since={start}")
    assert (2, start + 2) == (log["count"], log["last"])
    first, second = log["requests"]
    assert ("PUT", "/api.xro/2.0/Invoices", 200, "k1", 2, call.tenant_id, "Ava Owner") == tuple(
        first[name]
        for name in (
            *("method", "path", "status", "idempotency_key"),
            *("element_count", "tenant", "user"),
        )
    )
    assert "page=1" == second["query"]
    assert 1 == call.control("GET", f"/requests?since={start}&writes=1")["count"]
    assert 1 == call.control("GET", f"/requests?since={start}&method=get")["count"]


def test_clock_moves_and_stands_still(call: Caller) -> None:
    """The clock can be set, advanced, frozen and let go without a jump."""
    frozen = {"set": "2026-03-01T00:00:00", "freeze": True}
    assert call.control("POST", "/clock", json=frozen)["now"].startswith("2026-03-01T00:00:00")
    moved = call.control("POST", "/clock", json={"advance_seconds": 90})
    assert ("2026-03-01T00:01:30+00:00", True) == (moved["now"], moved["frozen"])
    going = call.control("POST", "/clock", json={"freeze": False})
    assert going["now"].startswith("2026-03-01T00:01:3")
    assert 400 == call.http.post("/_sandbox/clock", json={"foo": 1}).status_code


def test_reset_goes_back_to_the_beginning(call: Caller) -> None:
    """After a reset the books are empty and ids begin again."""
    first = call.one("PUT", "/Contacts", json={"Name": "A"})["ContactID"]
    call.control("POST", "/reset")
    assert 401 == call.send("GET", "/Contacts").status_code
    fresh = type(call)(call.sandbox, call.http)
    assert [] == fresh.ok("GET", "/Contacts")["Contacts"]
    fresh.control("POST", "/reset")
    again = type(call)(call.sandbox, call.http)
    assert first == again.one("PUT", "/Contacts", json={"Name": "A"})["ContactID"]


def test_nonsense_is_answered_with_a_sentence(call: Caller) -> None:
    """Unknown calls, organisations and values are refused with a reason."""
    for method, path, body, status in (
        ("GET", "/nope", None, 404),
        ("GET", "/books?tenant_id=nope", None, 404),
        ("POST", "/organisations", {}, 400),
        ("POST", "/organisations/nope/lock-dates", {"period_lock_date": None}, 404),
        ("POST", "/limits", {"speed": 3}, 400),
        ("POST", "/clock", {"set": "yesterday"}, 400),
    ):
        answer = call.http.request(method, f"/_sandbox{path}", json=body)
        assert status == answer.status_code
        assert answer.json()["error"]
