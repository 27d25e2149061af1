"""Spend money over HTTP: computed tax, bank accounts only, frozen once reconciled; attachments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox_caller import Caller

RECONCILED = (
    "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement."
)
PNG = b"\x89PNG\r\n\x1a\n"


def cleaning(amount: str | float = "20.00", **fields: object) -> dict[str, object]:
    """A line of cleaning expenses; 15 % GST."""
    line = {"Description": "Cleaning", "AccountCode": "408", "TaxType": "INPUT2"}
    return {**line, "Quantity": 1, "UnitAmount": amount, **fields}


def spend(reference: str, **fields: object) -> dict[str, object]:
    """Money spent on cleaning on 14 July 2026."""
    return {
        "Type": "SPEND",
        "Contact": {"Name": "Sparkle Ltd"},
        "BankAccount": {"Code": "090"},
        "Date": "2026-07-14",
        "Reference": reference,
        "LineItems": [cleaning()],
        **fields,
    }


def test_spend_money_defaults_to_inclusive(call: Caller) -> None:
    """Without LineAmountTypes the amount includes the tax, unlike on invoices."""
    made = call.one("PUT", "/BankTransactions", json=spend("E-1"))
    assert ("Inclusive", "17.39", "2.61", "20.00") == (
        made["LineAmountTypes"],
        *(str(made[name]) for name in ("SubTotal", "TotalTax", "Total")),
    )
    supplier = call.one("GET", f"/Contacts/{made['Contact']['ContactID']}")
    assert (True, False) == (supplier["IsSupplier"], supplier["IsCustomer"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"LineItems": [cleaning(TaxAmount="2.60")]},
            "The tax amount 2.60 does not match the expected tax amount 2.61",
        ),
        (
            {"BankAccount": {"Code": "880"}},
            "A valid bank account must be specified for this type of transaction.",
        ),
        ({"LineItems": [cleaning(0)]}, "The unit amount of a line item must not be zero."),
        ({"LineItems": [cleaning(Quantity=-1)]}, "Quantity must be greater than zero."),
        (
            {"LineItems": [cleaning(5), cleaning(-5)]},
            "The total of a bank transaction must be greater than zero.",
        ),
        ({"LineItems": []}, "One or more line items must be specified"),
        ({"Type": "SPEND-TRANSFER"}, "Bank Transaction not of valid type for creation"),
    ],
)
def test_broken_rule_is_refused(call: Caller, change: dict[str, object], message: str) -> None:
    """Each rule of spend money answers with its own message."""
    assert message in call.refused("PUT", "/BankTransactions", json=spend("E-1") | change)


def test_line_amount_alone_is_enough(call: Caller) -> None:
    """Quantity and unit amount are derived from the line amount."""
    line = cleaning()
    del line["Quantity"], line["UnitAmount"]
    made = call.one(
        "PUT",
        "/BankTransactions?unitdp=4",
        json=spend("E-1", LineItems=[line | {"LineAmount": "20.00"}]),
    )
    assert ("1.0000", "20.0000") == (
        str(made["LineItems"][0]["Quantity"]),
        str(made["LineItems"][0]["UnitAmount"]),
    )


def test_unreconciled_may_change_and_reconciled_may_not(call: Caller) -> None:
    """Until a person reconciles it, a transaction can be re-split and deleted."""
    made = call.one("PUT", "/BankTransactions", json=spend("E-1"))
    key = {"BankTransactionID": made["BankTransactionID"]}
    split = key | {"LineItems": [cleaning("12.00"), cleaning("8.00")]}
    assert 2 == len(call.one("POST", "/BankTransactions", json=split)["LineItems"])
    path = f"/organisations/{call.tenant_id}/bank-transactions/{made['BankTransactionID']}"
    call.control("POST", f"{path}/reconcile")
    for change in (split, key | {"Status": "DELETED"}):
        assert [RECONCILED] == call.refused("POST", "/BankTransactions", json=change)
    call.control("POST", f"{path}/unreconcile")
    gone = call.one("POST", "/BankTransactions", json=key | {"Status": "DELETED"})
    assert "DELETED" == gone["Status"]


def test_lookup_before_sending_again(call: Caller) -> None:
    """The optimised filter of type, date and contact finds what was already sent."""
    made = call.one("PUT", "/BankTransactions", json=spend("E-1"))
    contact_id = made["Contact"]["ContactID"]
    where = (
        'Type=="SPEND" AND Date==DateTime(2026,7,14) AND '
        f'Contact.ContactID==guid("{contact_id}") AND Reference!=null && Reference=="E-1"'
    )
    content = call.ok("GET", "/BankTransactions", params={"where": where, "page": 1})
    assert [made["BankTransactionID"]] == [
        row["BankTransactionID"] for row in content["BankTransactions"]
    ]


def test_attachment_is_kept_listed_and_given_back(call: Caller) -> None:
    """Bytes come back as they went in, by name and by id; the same name overwrites."""
    made = call.one("PUT", "/BankTransactions", json=spend("E-1"))
    path = f"/BankTransactions/{made['BankTransactionID']}/Attachments"
    image = {"headers": {"Content-Type": "image/png"}}
    first = call.one("PUT", f"{path}/receipt%20one.png", content=PNG + b"1", **image)
    second = call.one("POST", f"{path}/receipt%20one.png", content=PNG + b"22", **image)
    assert (first["AttachmentID"], "receipt one.png", 10) == (
        second["AttachmentID"],
        second["FileName"],
        second["ContentLength"],
    )
    assert 1 == len(call.ok("GET", path)["Attachments"])
    for key in ("receipt%20one.png", second["AttachmentID"]):
        answer = call.send("GET", f"{path}/{key}")
        assert (PNG + b"22", "image/png") == (answer.content, answer.headers["content-type"])
    assert call.one("GET", f"/BankTransactions/{made['BankTransactionID']}")["HasAttachments"]
    history = call.ok("GET", f"/BankTransactions/{made['BankTransactionID']}/History")
    assert (
        "Attached the file receipt one.png through the Xero API using Daybook"
        in (history["HistoryRecords"][0]["Details"])
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("receipt.exe", PNG, "isn't a supported file type"),
        ("receipt", PNG, "isn't a supported file type"),
        ("a%2Bb.png", PNG, "characters that are not allowed"),
        ("empty.png", b"", "it is empty"),
        ("big.png", bytes(10 * 1024 * 1024 + 1), "exceeds the size limit"),
    ],
)
def test_unfit_attachment_is_refused(call: Caller, name: str, content: bytes, message: str) -> None:
    """Type by extension, name, and size are checked."""
    made = call.one("PUT", "/BankTransactions", json=spend("E-1"))
    path = f"/BankTransactions/{made['BankTransactionID']}/Attachments/{name}"
    assert message in call.refused("PUT", path, content=content)[0]


def test_eleventh_attachment_is_refused(call: Caller) -> None:
    """A document holds ten files; overwriting one of them still works."""
    made = call.one("PUT", "/BankTransactions", json=spend("E-1"))
    path = f"/BankTransactions/{made['BankTransactionID']}/Attachments"
    for number in range(10):
        call.one("PUT", f"{path}/{number}.pdf", content=b"%PDF")
    assert "API limit of 10 attachments" in call.refused("PUT", f"{path}/10.pdf", content=b"x")[0]
    call.one("PUT", f"{path}/9.pdf", content=b"%PDF new")


def test_history_note_is_added(call: Caller) -> None:
    """A note is kept with its author; an empty or endless one is refused."""
    made = call.one("PUT", "/BankTransactions", json=spend("E-1"))
    path = f"/BankTransactions/{made['BankTransactionID']}/History"
    note = call.one("PUT", path, json={"HistoryRecords": [{"Details": "checked"}]})
    assert ("checked", "Ava Owner") == (note["Details"], note["User"])
    for details in ("", "x" * 2501):
        assert call.refused("PUT", path, json={"HistoryRecords": [{"Details": details}]})
