"""Answers held against Xero's OpenAPI document and recorded live answers, where they are at hand.

They are reference material beside the repository; without it `conftest.py` leaves this file out.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from sandbox_caller import BEYOND_THE_MODELS, REFERENCE, sales_invoice, sales_line

if TYPE_CHECKING:
    from sandbox_caller import Caller

DOCUMENT = REFERENCE / "xero_accounting.yaml"
RECORDED = REFERENCE / "xero-recorded"
SCHEMAS = {
    "/Organisation": "Organisation",
    "/Accounts": "Account",
    "/TaxRates": "TaxRate",
    "/TrackingCategories": "TrackingCategory",
    "/Currencies": "Currency",
    "/Contacts": "Contact",
    "/Invoices?page=1": "Invoice",
    "/CreditNotes?page=1": "CreditNote",
    "/Payments": "Payment",
    "/BatchPayments": "BatchPayment",
    "/BankTransactions?page=1": "BankTransaction",
}
# Real answers have these, the document does not.
BEYOND_THE_DOCUMENT = BEYOND_THE_MODELS | {"IncludeOnline"}


@cache
def schemas() -> dict[str, Any]:
    """The schemas of the OpenAPI document."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with DOCUMENT.open("rb") as file:
        content = yaml.load(file, Loader=loader)  # noqa: S506  a safe loader, in C where there is one
    found: dict[str, Any] = content["components"]["schemas"]
    return found


TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, Decimal),
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def check(schema: dict[str, Any], value: object, path: str) -> None:
    """Hold a JSON value against a schema: unknown field, wrong type or enum fails."""
    if "$ref" in schema:
        schema = schemas()[schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type", "object" if "properties" in schema else "")
    assert not kind or isinstance(value, TYPES[kind]), f"{path} = {value!r} is not a {kind}"
    assert value in schema.get("enum", [value]), f"{path} = {value!r} is not in the enum"
    if isinstance(value, list):
        for index, item in enumerate(value):
            check(schema["items"], item, f"{path}[{index}]")
    if isinstance(value, dict):
        for key, item in value.items():
            if key in schema.get("properties", {}):
                check(schema["properties"][key], item, f"{path}.{key}")
            else:
                assert key in BEYOND_THE_DOCUMENT, f"the document has no {path}.{key}"


@pytest.fixture
def lived_in(call: Caller) -> Caller:
    """An organisation with one document of every kind."""
    call.one("PUT", "/TrackingCategories", json={"Name": "Store", "Options": [{"Name": "North"}]})
    tracked = sales_line("115.00", Tracking=[{"Name": "Store", "Option": "North"}])
    invoice = call.one("PUT", "/Invoices", json=sales_invoice("P-1", LineItems=[tracked]))
    note = sales_invoice("", "11.50", Type="ACCRECCREDIT", CreditNoteNumber="CN-1")
    made = call.one("PUT", "/CreditNotes", json=note)
    target = {"Amount": 5, "Invoice": {"InvoiceID": invoice["InvoiceID"]}}
    call.ok("PUT", f"/CreditNotes/{made['CreditNoteID']}/Allocations", json=target)
    bank = {"Account": {"Code": "090"}, "Date": "2026-07-15"}
    payment = {"Invoice": {"InvoiceNumber": "P-1"}, "Amount": "50"}
    call.one("PUT", "/Payments", json=bank | payment)
    call.one("PUT", "/BatchPayments", json=bank | {"Payments": [payment]})
    line = sales_line("20.00", AccountCode="408", TaxType="INPUT2")
    spend = {"Type": "SPEND", "Contact": {"Name": "B"}, "BankAccount": {"Code": "090"}}
    call.one("PUT", "/BankTransactions", json=spend | {"LineItems": [line]})
    path = f"/organisations/{call.tenant_id}/lock-dates"
    call.control("POST", path, json={"period_lock_date": "2020-01-01"})
    return call


@pytest.mark.parametrize("path", SCHEMAS)
def test_list_fits_the_document(lived_in: Caller, path: str) -> None:
    """Every field of a list is one the OpenAPI document knows, in its type and enum."""
    content = lived_in.ok("GET", path)
    elements = next(value for value in content.values() if isinstance(value, list))
    assert elements
    for index, element in enumerate(elements):
        check({"$ref": SCHEMAS[path]}, element, f"{SCHEMAS[path]}[{index}]")


ELEMENTS = {
    "Organisations": "Organisation",
    "Accounts": "Account",
    "TaxRates": "TaxRate",
    "TrackingCategories": "TrackingCategory",
    "Options": "TrackingOption",
    "Currencies": "Currency",
    "Contacts": "Contact",
    "Invoices": "Invoice",
    "CreditNotes": "CreditNote",
    "Allocations": "Allocation",
    "Payments": "Payment",
    "BatchPayments": "BatchPayment",
    "BankTransactions": "BankTransaction",
    "Attachments": "Attachment",
    "HistoryRecords": "HistoryRecord",
    "Actions": "Action",
}


def live_on(call: Caller) -> None:
    """Everything else that can be done to the documents of a lived-in organisation."""
    invoice = call.one("GET", "/Invoices/P-1")
    note = call.one("GET", "/CreditNotes/CN-1")
    spend = call.ok("GET", "/BankTransactions")["BankTransactions"][0]
    refund = {"CreditNote": {"CreditNoteID": note["CreditNoteID"]}, "Amount": "2"}
    refunded = call.one("PUT", "/Payments", json=refund | {"Account": {"Code": "090"}})
    call.one("POST", f"/Payments/{refunded['PaymentID']}", json={"Status": "DELETED"})
    for path in (
        f"/Invoices/{invoice['InvoiceID']}",
        f"/CreditNotes/{note['CreditNoteID']}",
        f"/BankTransactions/{spend['BankTransactionID']}",
    ):
        call.one("PUT", f"{path}/Attachments/a.pdf", content=b"%PDF")
        call.ok("GET", f"{path}/Attachments")
        call.one("PUT", f"{path}/History", json={"HistoryRecords": [{"Details": "seen"}]})
        call.ok("GET", f"{path}/History")
    call.one("POST", "/Invoices", json={"InvoiceNumber": "P-1", "Reference": "changed"})
    call.one("PUT", "/Invoices", json=sales_invoice("P-9", Status="DRAFT"))
    call.one("POST", "/Invoices", json={"InvoiceNumber": "P-9", "Status": "DELETED"})
    each = {"Invoices": [sales_invoice("P-1"), sales_invoice("P-10", SentToContact=True)]}
    call.ok("PUT", "/Invoices?summarizeErrors=false", json=each)
    changed = {"BankTransactionID": spend["BankTransactionID"], "Reference": "changed"}
    call.one("POST", "/BankTransactions", json=changed)
    gone = {"BankTransactionID": spend["BankTransactionID"], "Status": "DELETED"}
    call.one("POST", "/BankTransactions", json=gone)
    batch = call.ok("GET", "/BatchPayments")["BatchPayments"][0]["BatchPaymentID"]
    call.one("POST", "/BatchPayments", json={"BatchPaymentID": batch, "Status": "DELETED"})
    call.one("POST", "/Contacts", json={"Name": "B", "EmailAddress": "b@example.com"})
    call.ok("GET", "/Contacts?summaryOnly=true&page=1")
    call.ok("GET", "/Invoices?summaryOnly=true")
    call.ok("GET", "/Organisation/Actions")
    call.one("PUT", "/Currencies", json={"Code": "USD"})
    account = {"Code": "999", "Name": "Tills", "Type": "CURRENT", "TaxType": "NONE"}
    call.one("PUT", "/Accounts", json=account)


def test_every_answer_fits_the_document(lived_in: Caller) -> None:
    """Replies to writes, refusals of an element and summaries have the fields of the document."""
    live_on(lived_in)
    checked = set()
    for method, path, content in lived_in.answers:
        for plural, elements in content.items():
            if isinstance(elements, list):
                for index, element in enumerate(elements):
                    schema = {"$ref": ELEMENTS[plural]}
                    check(schema, element, f"{method} {path}: {plural}[{index}]")
                    checked.add((method, plural))
    assert {("PUT", "Allocations"), ("POST", "BatchPayments"), ("GET", "Actions")} <= checked
    assert len(checked) > 20


def recorded(name: str) -> dict[str, Any]:
    """One recorded exchange."""
    content: dict[str, Any] = json.loads((RECORDED / name).read_text(encoding="utf-8"))
    return content


FORMS = {
    "date with offset": r"/Date\(-?\d+\+0000\)/",
    "date": r"/Date\(-?\d+\)/",
    "date text": r"\d{4}-\d\d-\d\dT00:00:00",
    "id": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "text": r"(?s).*",
}


def form_of(value: object) -> str:
    """What must agree: the type, and the form of dates and ids."""
    if isinstance(value, str):
        return next(name for name, form in FORMS.items() if re.fullmatch(form, value))
    is_number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    return "number" if is_number else type(value).__name__


def compare(real: dict[str, Any], ours: dict[str, Any], *, lacking: set[str]) -> None:
    """Every field of the real element is in ours, in the same form."""
    shared = [key for key in real if key in ours]
    assert set(real) - set(ours) <= lacking
    assert {key: form_of(real[key]) for key in shared} == {
        key: form_of(ours[key]) for key in shared
    }


CASES = {
    "test_get_organisations-0.json": ("/Organisation", "Organisations", {"TaxNumber"}),
    "test_invoice_attachment_upload_and_download-0.json": (
        "/Invoices?page=1",
        "Invoices",
        {"BrandingThemeID"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_element_has_the_form_of_the_recorded_one(lived_in: Caller, name: str) -> None:
    """Fields, types, date forms and envelope are those of the live answer."""
    path, plural, lacking = CASES[name]
    real = recorded(name)["response"]["json"]
    ours = lived_in.ok("GET", path)
    assert {key: form_of(real[key]) for key in list(real)[:4]} == {
        key: form_of(ours[key]) for key in list(real)[:4]
    }
    sales = [row for row in real[plural] if row.get("Type", "ACCREC") == "ACCREC"]
    open_sales = [row for row in sales if row.get("Status", "AUTHORISED") == "AUTHORISED"]
    compare(open_sales[0], ours[plural][0], lacking=lacking)
    for part in ("Contact", "LineItems", "Payments", "CreditNotes"):
        pairs = [row[part] for row in sales if row.get(part)]
        if pairs and ours[plural][0].get(part):
            one, other = pairs[0], ours[plural][0][part]
            if isinstance(one, list):
                one, other = one[0], other[0]
            if part != "Contact" or "ContactStatus" not in other:
                compare(one, other, lacking={"ItemCode"})


def test_tax_of_every_recorded_line_is_computed_alike(call: Caller) -> None:
    """Sent again without its tax, each recorded sales invoice comes to the recorded totals."""
    compared = 0
    for row in recorded("test_invoice_attachment_upload_and_download-0.json")["response"]["json"][
        "Invoices"
    ]:
        lines = [
            {
                "Description": line.get("Description") or "-",
                "Quantity": str(line["Quantity"]),
                "UnitAmount": str(line["UnitAmount"]),
                "TaxType": line["TaxType"],
                "AccountCode": "200",
            }
            for line in row["LineItems"]
            if "UnitAmount" in line and "DiscountRate" not in line
        ]
        if row["Type"] != "ACCREC" or len(lines) != len(row["LineItems"]) or not lines:
            continue
        if any(line["TaxType"] not in {"OUTPUT2", "NONE"} for line in lines):
            continue
        sent = sales_invoice(
            row["InvoiceNumber"], LineItems=lines, LineAmountTypes=row["LineAmountTypes"]
        )
        made = call.one("PUT", "/Invoices?unitdp=4", json=sent)
        assert [Decimal(str(row[name])) for name in ("SubTotal", "TotalTax", "Total")] == [
            made[name] for name in ("SubTotal", "TotalTax", "Total")
        ]
        compared += 1
    assert compared > 10


def test_connections_have_the_recorded_form(call: Caller) -> None:
    """An array of the recorded fields; tenantName came later."""
    real = recorded("test_get_connections-0.json")["response"]["json"]
    ours = call.http.get("/connections", headers=call.headers).json()
    assert set(real[0]) <= set(ours[0])
    assert {key: len(str(value)) for key, value in real[0].items()} == {
        key: len(str(ours[0][key])) for key in real[0]
    }


def test_token_answer_has_the_recorded_fields(call: Caller) -> None:
    """A refresh answers with exactly the recorded fields."""
    real = recorded("test_token_api_refresh_token-0.json")["response"]["json"]
    boot = call.sandbox.bootstrap
    form = {"grant_type": "refresh_token", "refresh_token": call.refresh_token}
    answer = call.http.post("/connect/token", data=form, auth=(boot.client_id, boot.client_secret))
    assert set(real) == set(answer.json())


def test_attachment_answer_has_the_recorded_form(call: Caller) -> None:
    """An upload with IncludeOnline answers with exactly the recorded fields."""
    real = recorded("test_invoice_attachment_upload_and_download-1.json")["response"]["json"][
        "Attachments"
    ][0]
    made = call.one("PUT", "/Invoices", json=sales_invoice("P-1"))
    path = f"/Invoices/{made['InvoiceID']}/Attachments/inv.pdf?IncludeOnline=True"
    ours = call.one("PUT", path, content=b"%PDF")
    assert list(real) == list(ours)
    assert (True, "application/pdf") == (ours["IncludeOnline"], ours["MimeType"])
