"""Invoices over HTTP: numbers, statuses, batches, edits, locks, lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sandbox_caller import sales_invoice, sales_line

if TYPE_CHECKING:
    from sandbox_caller import Caller

EACH = "summarizeErrors=false"
NOT_MODIFIABLE = "Invoice not of valid status for modification"
HAS_PAYMENT = "This document cannot be edited as it has a payment or credit note allocated to it."


def pay(call: Caller, number: str, amount: str) -> str:
    """Pay an invoice from the bank account; return the payment's id."""
    body = {
        "Invoice": {"InvoiceNumber": number},
        "Account": {"Code": "090"},
        "Amount": amount,
        "Date": "2026-07-14",
    }
    payment_id: str = call.one("PUT", "/Payments", json=body)["PaymentID"]
    return payment_id


def test_created_invoice_comes_back_with_computed_amounts(call: Caller) -> None:
    """Line amounts, tax and totals follow from what was sent, with fixed decimals."""
    body = {"Invoices": [sales_invoice("P-1", "115.00", "-11.50")]}
    answer = call.send("PUT", f"/Invoices?{EACH}&unitdp=4", json=body)
    for part in (
        b'"SubTotal":90.00,"TotalTax":13.50,"Total":103.50',
        b'"UnitAmount":115.0000',
        b'"Quantity":1.0000',
        rb'"Date":"\/Date(1783987200000+0000)\/"',
    ):
        assert part in answer.content
    (created,) = answer.json()["Invoices"]
    assert ("AUTHORISED", "OK", 103.5, "NZD") == (
        created["Status"],
        created["StatusAttributeString"],
        created["AmountDue"],
        created["CurrencyCode"],
    )


def test_sales_number_is_unique_for_ever(call: Caller) -> None:
    """A second invoice of the number is refused, even once the first is voided."""
    call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    assert ["Invoice # must be unique."] == call.refused(
        "PUT", "/Invoices", json=sales_invoice("P-1")
    )
    call.one("POST", "/Invoices", json={"InvoiceNumber": "P-1", "Status": "VOIDED"})
    assert ["Invoice # must be unique."] == call.refused(
        "PUT", "/Invoices", json=sales_invoice("P-1")
    )
    assert [NOT_MODIFIABLE] == call.refused("POST", "/Invoices", json=sales_invoice("P-1"))


def test_bill_numbers_may_repeat(call: Caller) -> None:
    """Only sales invoices have unique numbers."""
    bill = sales_invoice("B-1", Type="ACCPAY")
    bill["LineItems"] = [sales_line("10.00", AccountCode="408", TaxType="INPUT2")]
    first = call.one("PUT", "/Invoices", json=bill)
    assert first["InvoiceID"] != call.one("PUT", "/Invoices", json=bill)["InvoiceID"]


def test_missing_number_is_generated(call: Caller) -> None:
    """Without a number the next one of the organisation's settings is used."""
    body = {"Invoices": [sales_invoice("", LineItems=[sales_line(1)]) for _ in range(2)]}
    for invoice in body["Invoices"]:
        del invoice["InvoiceNumber"]
    content = call.ok("PUT", "/Invoices", json=body)
    assert ["INV-0001", "INV-0002"] == [row["InvoiceNumber"] for row in content["Invoices"]]


def test_summarised_batch_saves_the_good_behind_a_400(call: Caller) -> None:
    """Without summarizeErrors=false one bad element makes a 400, and the good ones are saved."""
    bad = sales_invoice("P-2", LineItems=[sales_line(1, AccountCode="999")])
    answer = call.send("PUT", "/Invoices", json={"Invoices": [sales_invoice("P-1"), bad]})
    assert 400 == answer.status_code
    (element,) = answer.json()["Elements"]
    assert "P-2" == element["InvoiceNumber"]
    assert "P-1" == call.one("GET", "/Invoices/P-1")["InvoiceNumber"]


def test_batch_answers_each_element_in_order(call: Caller) -> None:
    """With summarizeErrors=false every element is answered; refused ones have the empty id."""
    bad = sales_invoice("P-1", LineItems=[sales_line(1, AccountCode="999")])
    body = {"Invoices": [bad, sales_invoice("P-2")]}
    answer = call.send("PUT", f"/Invoices?{EACH}", json=body)
    assert 200 == answer.status_code
    refused, saved = answer.json()["Invoices"]
    assert ("ERROR", True, "00000000-0000-0000-0000-000000000000") == (
        refused["StatusAttributeString"],
        refused["HasErrors"],
        refused["InvoiceID"],
    )
    assert [{"Message": "Account code '999' is not a valid code for this document."}] == refused[
        "ValidationErrors"
    ]
    assert ("OK", "P-2") == (saved["StatusAttributeString"], saved["InvoiceNumber"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"LineItems": []}, "One or more line items must be specified"),
        ({"DueDate": None}, "Due date cannot be empty."),
        ({"Contact": None}, "A Contact must be specified for this type of transaction"),
        ({"Status": "PAID"}, "Invoice not of valid status for creation"),
        ({"Type": "ACCRECCREDIT"}, "Invoice not of valid type for creation"),
        ({"CurrencyCode": "EUR"}, "Organisation is not subscribed to currency EUR"),
        (
            {"LineItems": [sales_line("-5.00")]},
            "The Total for this document must be greater than or equal to zero.",
        ),
        (
            {"LineItems": [sales_line(1, AccountCode="090")]},
            "Account code '090' is not a valid code for this document.",
        ),
        (
            {"LineItems": [sales_line(1, AccountCode="610")]},
            "Account code '610' is not a valid code for this document.",
        ),
        ({"LineItems": [sales_line(1, AccountCode="")]}, "Account code must be specified"),
        (
            {"LineItems": [sales_line(1, Description="")]},
            "The description field is mandatory for each line item.",
        ),
        (
            {"LineItems": [sales_line(1, AccountCode="429")]},
            "The TaxType code 'OUTPUT2' cannot be used with account code '429'.",
        ),
        (
            {"LineItems": [sales_line("2.99", Quantity=6, LineAmount="18.00")]},
            "The line total 18.00 does not match the expected line total 17.94",
        ),
        (
            {"LineItems": [sales_line("10.00", TaxAmount="10.01")]},
            "The tax amount cannot be greater than the line amount",
        ),
        ({"LineItems": [sales_line(1, ItemCode="X")]}, "Item code 'X' is not valid"),
        (
            {"LineItems": [sales_line(10, DiscountRate="100.01")]},
            (
                "The discount rate '100.01' is invalid. "
                "Discount must not be greater than the line total."
            ),
        ),
    ],
)
def test_broken_rule_is_refused_in_xeros_words(
    call: Caller, change: dict[str, object], message: str
) -> None:
    """Each rule of an approved sales invoice answers with its own message."""
    assert message in call.refused("PUT", "/Invoices", json=sales_invoice("P-1") | change)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("Date", "20260714", "The string '20260714' is not a valid AllXsd value."),
        ("LineAmountTypes", "NO_TAX", 'Error converting value "NO_TAX" to type'),
        ("LineItems", {}, "Object reference not set to an instance of an object."),
    ],
)
def test_unreadable_body_refuses_the_whole_request(
    call: Caller, field: str, value: object, message: str
) -> None:
    """What cannot be deserialised stops everything, good elements too."""
    body = {"Invoices": [sales_invoice("P-1"), sales_invoice("P-2", **{field: value})]}
    answer = call.send("PUT", f"/Invoices?{EACH}", json=body)
    assert (400, "PostDataInvalidException") == (answer.status_code, answer.json()["Type"])
    assert message in answer.json()["Message"]
    assert 404 == call.send("GET", "/Invoices/P-1").status_code


def test_wrong_root_is_said_in_xeros_spelling(call: Caller) -> None:
    """A body under another root key processes nothing."""
    answer = call.send("PUT", "/Invoices", json={"Bills": [sales_invoice("P-1")]})
    assert "This endpoint is expecting Invoice data to be specifed" in answer.json()["Message"]


def test_draft_may_be_incomplete_and_is_approved_later(call: Caller) -> None:
    """A draft without lines and due date is fine; approving asks for both."""
    draft = {"Type": "ACCREC", "Contact": {"Name": "A"}, "InvoiceNumber": "D-1"}
    assert "DRAFT" == call.one("PUT", "/Invoices", json=draft)["Status"]
    approve = {"InvoiceNumber": "D-1", "Status": "AUTHORISED"}
    assert {"One or more line items must be specified", "Due date cannot be empty."} == set(
        call.refused("POST", "/Invoices", json=approve)
    )
    complete = approve | {"DueDate": "2026-08-01", "LineItems": [sales_line(1)]}
    assert "AUTHORISED" == call.one("POST", "/Invoices", json=complete)["Status"]


def test_paid_invoice_changes_only_what_payment_leaves_open(call: Caller) -> None:
    """Reference, due date and line text may change after a payment; amounts may not."""
    created = call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    pay(call, "P-1", "50.00")
    line = {"LineItemID": created["LineItems"][0]["LineItemID"]}
    texts = {"InvoiceNumber": "P-1", "Reference": "late", "DueDate": "2026-09-01"}
    changed = call.one(
        "POST", "/Invoices", json=texts | {"LineItems": [line | {"Description": "Meals"}]}
    )
    assert ("late", "Meals", 65) == (
        changed["Reference"],
        changed["LineItems"][0]["Description"],
        changed["AmountDue"],
    )
    more = {"InvoiceNumber": "P-1", "LineItems": [line | {"UnitAmount": 120}]}
    assert [NOT_MODIFIABLE, HAS_PAYMENT] == call.refused("POST", "/Invoices", json=more)
    void = {"InvoiceNumber": "P-1", "Status": "VOIDED"}
    assert NOT_MODIFIABLE in call.refused("POST", "/Invoices", json=void)


def test_lines_not_sent_are_gone_and_lines_without_id_are_new(call: Caller) -> None:
    """An update replaces the lines: ids keep theirs, the rest is added or dropped."""
    created = call.one("PUT", "/Invoices", json=sales_invoice("P-1", "1.00", "2.00"))
    first = created["LineItems"][0]["LineItemID"]
    body = {
        "InvoiceNumber": "P-1",
        "LineItems": [{"LineItemID": first}, sales_line("3.00", Description="New")],
    }
    changed = call.one("POST", "/Invoices", json=body)
    assert ([first, 4.0], ["Food", "New"]) == (
        [changed["LineItems"][0]["LineItemID"], changed["Total"]],
        [line["Description"] for line in changed["LineItems"]],
    )


def test_locked_period_takes_no_document(call: Caller) -> None:
    """A date on or before a lock date is refused, and so is touching a document there."""
    call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    path = f"/organisations/{call.tenant_id}/lock-dates"
    call.control("POST", path, json={"period_lock_date": "2026-07-14"})
    message = "The document date cannot be before the period lock date, currently set at"
    assert f"{message} 14 July 2026" in call.refused("PUT", "/Invoices", json=sales_invoice("P-2"))
    void = {"InvoiceNumber": "P-1", "Status": "VOIDED"}
    assert f"{message} 14 July 2026" in call.refused("POST", "/Invoices", json=void)
    call.one("PUT", "/Invoices", json=sales_invoice("P-2", Date="2026-07-15"))
    call.control("POST", path, json={"end_of_year_lock_date": "2026-12-31"})
    (locked,) = call.refused("PUT", "/Invoices", json=sales_invoice("P-3", Date="2026-07-15"))
    assert "end of year lock date, currently set at 31 December 2026" in locked
    assert "EndOfYearLockDate" in call.one("GET", "/Organisation")


def test_small_plan_stops_approving_at_its_limit(call: Caller) -> None:
    """A starter plan approves 20 sales invoices a month; the next month begins afresh."""
    call.control("POST", "/organisations", json={"tenant_id": call.tenant_id, "class": "STARTER"})
    body = {"Invoices": [sales_invoice(f"P-{number}") for number in range(21)]}
    content = call.send("PUT", f"/Invoices?{EACH}", json=body).json()
    assert [20, 1] == [
        sum(row["StatusAttributeString"] == status for row in content["Invoices"])
        for status in ("OK", "ERROR")
    ]
    assert [{"Message": "You have reached the limit of invoices you can approve"}] == content[
        "Invoices"
    ][20]["ValidationErrors"]
    call.one("PUT", "/Invoices", json=sales_invoice("P-30", Date="2026-08-01"))


def test_zero_total_is_paid_at_once(call: Caller) -> None:
    """Nothing is open on an approved invoice of zero, so it is PAID."""
    assert (
        "PAID" == call.one("PUT", "/Invoices", json=sales_invoice("P-1", "5.00", "-5.00"))["Status"]
    )


def test_archived_account_and_contact_are_refused(call: Caller) -> None:
    """What was archived cannot be used on new documents."""
    call.control("POST", f"/organisations/{call.tenant_id}/accounts/200/archive")
    (message,) = call.refused("PUT", "/Invoices", json=sales_invoice("P-1"))
    assert "Account code '200' has been archived, or has been deleted." in message
    call.control("POST", f"/organisations/{call.tenant_id}/accounts/200/restore")
    created = call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    contact_id = created["Contact"]["ContactID"]
    call.one("POST", "/Contacts", json={"ContactID": contact_id, "ContactStatus": "ARCHIVED"})
    body = sales_invoice("P-2", Contact={"ContactID": contact_id})
    (message,) = call.refused("PUT", "/Invoices", json=body)
    assert message.startswith("The contact with the specified contact details has been archived.")


def test_tracking_must_be_active(call: Caller) -> None:
    """A line may name active categories and options only, by name or by id."""
    body = {"Name": "Store", "Options": [{"Name": "North"}]}
    category = call.one("PUT", "/TrackingCategories", json=body)
    option = category["Options"][0]
    tracked = sales_line(1, Tracking=[{"Name": "store", "Option": "north"}])
    line = call.one("PUT", "/Invoices", json=sales_invoice("P-1", LineItems=[tracked]))[
        "LineItems"
    ][0]
    assert [option["TrackingOptionID"], "North"] == [
        line["Tracking"][0][key] for key in ("TrackingOptionID", "Option")
    ]
    path = f"/TrackingCategories/{category['TrackingCategoryID']}/Options"
    call.ok(
        "POST", f"{path}/{option['TrackingOptionID']}", json={"Name": "North", "Status": "ARCHIVED"}
    )
    assert call.refused("PUT", "/Invoices", json=sales_invoice("P-2", LineItems=[tracked]))


def test_lists_page_filter_and_order(call: Caller) -> None:
    """Paging shows lines; filters and orders do what they say."""
    body = {
        "Invoices": [
            sales_invoice(f"P-{day}", f"{day}.00", Date=f"2026-07-{day:02}", Reference=f"r{day}")
            for day in range(1, 11)
        ]
    }
    call.ok("PUT", "/Invoices", json=body)
    unpaged = call.ok("GET", "/Invoices")["Invoices"]
    assert (10, [], False) == (
        len(unpaged),
        unpaged[0]["LineItems"],
        "pagination" in call.answers[-1][2],
    )
    where = "Date>=DateTime(2026,07,03) AND Date<DateTime(2026,07,06)"
    paged = call.ok(
        "GET", "/Invoices", params={"where": where, "order": "Date DESC", "page": 1, "pageSize": 2}
    )
    assert {"page": 1, "pageSize": 2, "pageCount": 2, "itemCount": 3} == paged["pagination"]
    assert ["P-5", "P-4"] == [row["InvoiceNumber"] for row in paged["Invoices"]]
    assert 1 == len(paged["Invoices"][0]["LineItems"])
    for query, numbers in (
        ({"InvoiceNumbers": "P-2,P-9,P-77"}, ["P-2", "P-9"]),
        ({"where": 'Reference=="R3" OR InvoiceNumber=="P-4"'}, ["P-3", "P-4"]),
        ({"where": 'InvoiceNumber.StartsWith("P-1") && Total>5'}, ["P-10"]),
        ({"searchTerm": "R8"}, ["P-8"]),
        ({"Statuses": "DRAFT"}, []),
    ):
        rows = call.ok("GET", "/Invoices", params=query | {"order": "InvoiceNumber"})["Invoices"]
        assert numbers == [row["InvoiceNumber"] for row in rows]


def test_summaries_are_paged_and_leave_out_what_is_long(call: Caller) -> None:
    """Neither lines nor payments nor attachments, and always a page."""
    call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    content = call.ok("GET", "/Invoices?summaryOnly=true")
    (row,) = content["Invoices"]
    assert {"page": 1, "pageSize": 100, "pageCount": 1, "itemCount": 1} == content["pagination"]
    assert ["115.00", []] == [
        str(row["Total"]),
        [name for name in ("LineItems", "Payments", "HasAttachments") if row.get(name)],
    ]
    assert "Payments" not in row


def test_if_modified_since_shows_what_changed_later(call: Caller) -> None:
    """Only invoices changed at or after the moment come back."""
    call.control("POST", "/clock", json={"set": "2026-07-20T10:00:00", "freeze": True})
    call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    call.control("POST", "/clock", json={"advance_seconds": 60})
    call.one("PUT", "/Invoices", json=sales_invoice("P-2"))
    since = {"If-Modified-Since": "2026-07-20T10:00:30"}
    rows = call.ok("GET", "/Invoices", headers=since)["Invoices"]
    assert ["P-2"] == [row["InvoiceNumber"] for row in rows]


def test_bad_where_is_a_query_parse_exception(call: Caller) -> None:
    """An expression outside the grammar, or an unknown field, is refused."""
    for where in ("Date >> 3", 'Nonsense=="x"', 'Status=="A', "Total=="):
        answer = call.send("GET", "/Invoices", params={"where": where})
        assert (400, "QueryParseException") == (answer.status_code, answer.json()["Type"])


def test_high_volume_refuses_slow_questions(call: Caller) -> None:
    """Above the threshold unpaged lists and unoptimised filters are refused."""
    call.ok("PUT", "/Invoices", json={"Invoices": [sales_invoice(f"P-{n}") for n in range(5)]})
    call.control("POST", "/limits", json={"high_volume": 4})
    assert 400 == call.send("GET", "/Invoices").status_code
    assert 400 == call.send("GET", "/Invoices?page=1&where=Total>5").status_code
    assert 200 == call.send("GET", "/Invoices?page=1&where=AmountDue>5").status_code


def test_documents_show_their_contact_as_it_is_now(call: Caller) -> None:
    """A contact that was renamed has its new name on old invoices, in full and in lists."""
    made = call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    call.ok("GET", "/Invoices")
    renamed = {"ContactID": made["Contact"]["ContactID"], "Name": "Renamed"}
    call.one("POST", "/Contacts", json=renamed)
    assert ["Renamed", "Renamed"] == [
        call.one("GET", path)["Contact"]["Name"] for path in ("/Invoices/P-1", "/Invoices")
    ]
