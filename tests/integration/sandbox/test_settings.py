"""Accounts, tax rates, tracking, contacts, currencies and the organisation over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox_caller import Caller


def test_chart_has_what_a_till_needs(call: Caller) -> None:
    """The default chart knows sales, clearing accounts that take payments, and system accounts."""
    accounts = {row["Code"]: row for row in call.ok("GET", "/Accounts")["Accounts"]}
    assert ("REVENUE", "OUTPUT2") == (accounts["200"]["Class"], accounts["200"]["TaxType"])
    assert accounts["881"]["EnablePaymentsToAccount"]
    assert "ROUNDING" == accounts["860"]["SystemAccount"]
    where = 'Type=="BANK" AND Status=="ACTIVE"'
    banks = call.ok("GET", "/Accounts", params={"where": where})["Accounts"]
    assert {"090", "091"} == {row["Code"] for row in banks}


def test_account_is_created_archived_and_unique(call: Caller) -> None:
    """One account a call; archiving goes alone; codes and names are taken once."""
    body = {"Code": "885", "Name": "Vouchers", "Type": "CURRLIAB", "EnablePaymentsToAccount": True}
    made = call.one("PUT", "/Accounts", json=body)
    assert ("LIABILITY", "NONE") == (made["Class"], made["TaxType"])
    assert ["Please enter a unique Code.", "Please enter a unique Name."] == call.refused(
        "PUT", "/Accounts", json=body
    )
    path = f"/Accounts/{made['AccountID']}"
    assert call.refused("POST", path, json={"Status": "ARCHIVED", "Name": "Gone"})
    assert "ARCHIVED" == call.one("POST", path, json={"Status": "ARCHIVED"})["Status"]
    assert 400 == call.send("PUT", "/Accounts", json={"Accounts": [body, body]}).status_code
    assert "DELETED" == call.one("DELETE", path)["Status"]
    system = call.ok("GET", "/Accounts?where=SystemAccount==%22DEBTORS%22")["Accounts"][0]
    assert call.refused("POST", f"/Accounts/{system['AccountID']}", json={"Name": "Mine"})


def test_tax_rates_are_those_of_the_country(call: Caller) -> None:
    """New Zealand has GST at 15 %; a custom rate gets the next TAX number."""
    rates = {row["TaxType"]: row for row in call.ok("GET", "/TaxRates")["TaxRates"]}
    assert ("15.0000", True, False) == (
        str(rates["OUTPUT2"]["EffectiveRate"]),
        rates["OUTPUT2"]["CanApplyToRevenue"],
        rates["OUTPUT2"]["CanApplyToExpenses"],
    )
    custom = {"Name": "City", "TaxComponents": [{"Name": "City", "Rate": "2.5"}]}
    assert "TAX001" == call.one("PUT", "/TaxRates", json=custom)["TaxType"]
    assert "TAX001" == call.one("GET", "/TaxRates/TAX001")["TaxType"]
    renamed = call.one("POST", "/TaxRates", json={"TaxType": "TAX001", "Name": "Town"})
    assert ("Town", "2.5000") == (renamed["Name"], str(renamed["EffectiveRate"]))


def test_two_tracking_categories_and_no_more(call: Caller) -> None:
    """A third active category is refused; archived ones show only when asked for."""
    made = [call.one("PUT", "/TrackingCategories", json={"Name": name}) for name in ("A", "B")]
    assert call.refused("PUT", "/TrackingCategories", json={"Name": "C"})
    path = f"/TrackingCategories/{made[0]['TrackingCategoryID']}"
    call.one("POST", path, json={"Status": "ARCHIVED"})
    call.one("PUT", "/TrackingCategories", json={"Name": "C"})
    for query, names in (("", {"B", "C"}), ("?includeArchived=true", {"A", "B", "C"})):
        content = call.ok("GET", f"/TrackingCategories{query}")
        assert names == {row["Name"] for row in content["TrackingCategories"]}
    option = call.one("PUT", f"{path}/Options", json={"Name": "North"})
    assert call.refused("PUT", f"{path}/Options", json={"Name": "north"})
    gone = call.ok("DELETE", f"{path}/Options/{option['TrackingOptionID']}")["Options"][0]
    assert ("DELETED", True) == (gone["Status"], gone["IsDeleted"])


def test_contact_name_is_unique_among_active_ones(call: Caller) -> None:
    """PUT refuses a name that is taken; POST updates its holder; an archived name is free."""
    made = call.one("PUT", "/Contacts", json={"Name": "Acme", "EmailAddress": "a@acme.example"})
    (message,) = call.refused("PUT", "/Contacts", json={"Name": "acme"})
    assert message.startswith("The contact name acme is already assigned to another contact.")
    changed = call.one("POST", "/Contacts", json={"Name": "Acme", "AccountNumber": "A1"})
    assert (made["ContactID"], "a@acme.example", "A1") == (
        changed["ContactID"],
        changed["EmailAddress"],
        changed["AccountNumber"],
    )
    archived = {"ContactID": made["ContactID"], "ContactStatus": "ARCHIVED"}
    call.one("POST", "/Contacts", json=archived)
    again = call.one("PUT", "/Contacts", json={"Name": "Acme"})
    assert again["ContactID"] != made["ContactID"]
    assert 1 == len(call.ok("GET", "/Contacts")["Contacts"])
    assert 2 == len(call.ok("GET", "/Contacts?includeArchived=true")["Contacts"])


@pytest.mark.parametrize(
    ("contact", "message"),
    [
        ({"EmailAddress": "x@y.example"}, "The Contact must contain at least 1"),
        ({"Name": "A", "EmailAddress": "nope"}, "Email address must be valid."),
        ({"Name": "A <b>"}, "must not contain angle brackets"),
        ({"Name": "B", "ContactNumber": "n1"}, "Another contact has this contact number."),
    ],
)
def test_unfit_contact_is_refused(call: Caller, contact: dict[str, str], message: str) -> None:
    """Each rule of a contact answers with its own message."""
    call.one("PUT", "/Contacts", json={"Name": "Holder", "ContactNumber": "N1"})
    assert message in call.refused("PUT", "/Contacts", json=contact)[0]


def test_contacts_page_search_and_summarise(call: Caller) -> None:
    """Lists page, search in names and numbers, and can leave details out."""
    body = {"Contacts": [{"Name": f"Store {n}", "ContactNumber": f"s{n}"} for n in range(12)]}
    call.ok("PUT", "/Contacts", json=body)
    content = call.ok("GET", "/Contacts?page=2&pageSize=5&order=ContactNumber")
    assert (5, {"page": 2, "pageSize": 5, "pageCount": 3, "itemCount": 12}) == (
        len(content["Contacts"]),
        content["pagination"],
    )
    summary = call.ok("GET", "/Contacts?summaryOnly=true&searchTerm=STORE%2011")
    assert (["Store 11"], False) == (
        [row["Name"] for row in summary["Contacts"]],
        "Addresses" in summary["Contacts"][0],
    )
    assert "Store 3" == call.one("GET", "/Contacts/s3")["Name"]


def test_currency_needs_a_plan_for_it(call: Caller) -> None:
    """Subscribing works on a plan with several currencies and is refused on a small one."""
    call.one("PUT", "/Currencies", json={"Code": "EUR"})
    assert {"NZD", "AUD", "USD", "EUR"} == {
        row["Code"] for row in call.ok("GET", "/Currencies")["Currencies"]
    }
    call.control("POST", "/organisations", json={"tenant_id": call.tenant_id, "class": "STARTER"})
    assert call.refused("PUT", "/Currencies", json={"Code": "GBP"})
    actions = {
        row["Name"]: row["Status"] for row in call.ok("GET", "/Organisation/Actions")["Actions"]
    }
    assert ("ALLOWED", "NOT-ALLOWED") == (
        actions["CreateApprovedInvoice"],
        actions["UseMulticurrency"],
    )


def test_unknown_paths_and_methods_answer_as_xero_does(call: Caller) -> None:
    """A missing object is 404 in plain text; a method an endpoint lacks is 501."""
    answer = call.send("GET", "/Invoices/nope")
    assert (404, "The resource you're looking for cannot be found") == (
        answer.status_code,
        answer.text,
    )
    answer = call.send("POST", "/Organisation", json={})
    assert (501, "ApiMethodNotImplementedException") == (answer.status_code, answer.json()["Type"])
