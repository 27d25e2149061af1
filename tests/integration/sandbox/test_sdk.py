"""The official xero-python SDK works against the sandbox unchanged, resource by resource."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from xero_python.accounting import models
from xero_python.exceptions import AccountingBadRequestException, HTTPStatusException

if TYPE_CHECKING:
    from sandbox_caller import Caller
    from xero_python.accounting import AccountingApi

DAY = date(2026, 7, 14)


def sales_lines(*amounts: str) -> list[Any]:
    """Sales lines of the default chart."""
    return [
        models.LineItem(
            description="Food",
            quantity=Decimal(1),
            unit_amount=Decimal(amount),
            account_code="200",
            tax_type="OUTPUT2",
        )
        for amount in amounts
    ]


def invoice(number: str, *amounts: str) -> Any:  # noqa: ANN401  a model of the SDK
    """An approved sales invoice, amounts inclusive of tax."""
    return models.Invoice(
        type="ACCREC",
        contact=models.Contact(name="POS Sales"),
        date=DAY,
        due_date=DAY,
        line_amount_types=models.LineAmountTypes("Inclusive"),
        invoice_number=number,
        status="AUTHORISED",
        line_items=sales_lines(*amounts or ("115.00",)),
    )


def test_organisation_and_settings(sdk: AccountingApi, call: Caller) -> None:
    """Organisation, accounts, rates, tracking, currencies and actions deserialise."""
    tenant = call.tenant_id
    (organisation,) = sdk.get_organisations(tenant).organisations
    assert ("Daybook Demo", "NZD") == (organisation.name, organisation.base_currency.value)
    accounts = sdk.get_accounts(tenant, where='Code=="200"').accounts
    assert [models.AccountType.REVENUE] == [row.type for row in accounts]
    assert "OUTPUT2" in {row.tax_type for row in sdk.get_tax_rates(tenant).tax_rates}
    category = models.TrackingCategory(name="Store")
    (made,) = sdk.create_tracking_category(tenant, category).tracking_categories
    option = models.TrackingOption(name="North")
    sdk.create_tracking_options(tenant, made.tracking_category_id, option)
    (found,) = sdk.get_tracking_categories(tenant).tracking_categories
    assert ["North"] == [row.name for row in found.options]
    assert "NZD" in {row.code.value for row in sdk.get_currencies(tenant).currencies}
    assert sdk.get_organisation_actions(tenant).actions
    account = models.Account(code="886", name="Tips", type=models.AccountType.CURRENT)
    (tips,) = sdk.create_account(tenant, account).accounts
    archived = sdk.update_account(
        tenant, tips.account_id, models.Accounts(accounts=[models.Account(status="ARCHIVED")])
    )
    assert "ARCHIVED" == archived.accounts[0].status


def test_invoices_and_payments(sdk: AccountingApi, call: Caller) -> None:
    """Invoices are created, updated and found; payments settle them and are deleted."""
    tenant = call.tenant_id
    body = models.Invoices(invoices=[invoice("P-1", "115.00", "-11.50"), invoice("P-2")])
    made = sdk.create_invoices(tenant, body, summarize_errors=False, unitdp=4).invoices
    assert [(Decimal("103.50"), DAY), (Decimal("115.00"), DAY)] == [
        (row.total, row.date) for row in made
    ]
    payment = models.Payment(
        invoice=models.Invoice(invoice_id=made[0].invoice_id),
        account=models.Account(code="881"),
        date=DAY,
        amount=Decimal("103.50"),
        reference="card",
    )
    (paid,) = sdk.create_payments(
        tenant, models.Payments(payments=[payment]), idempotency_key="k1"
    ).payments
    assert ("PAID", "ACCRECPAYMENT") == (paid.invoice.status, paid.payment_type)
    found = sdk.get_invoices(
        tenant, invoice_numbers=["P-1"], page=1, if_modified_since=datetime(2020, 1, 1, tzinfo=UTC)
    ).invoices
    assert ["PAID"] == [row.status for row in found]
    deleted = sdk.delete_payment(tenant, paid.payment_id, models.PaymentDelete(status="DELETED"))
    assert "DELETED" == deleted.payments[0].status
    voided = models.Invoices(invoices=[models.Invoice(status="VOIDED")])
    (gone,) = sdk.update_invoice(tenant, made[0].invoice_id, voided).invoices
    assert "VOIDED" == gone.status
    history = sdk.get_invoice_history(tenant, made[0].invoice_id).history_records
    assert "Voided" in {row.changes for row in history}


def test_validation_error_is_the_sdks_own_exception(sdk: AccountingApi, call: Caller) -> None:
    """A 400 becomes the SDK's bad-request exception with element and message."""
    sdk.create_invoices(call.tenant_id, models.Invoices(invoices=[invoice("P-1")]))
    with pytest.raises(AccountingBadRequestException) as caught:
        sdk.create_invoices(call.tenant_id, models.Invoices(invoices=[invoice("P-1")]))
    assert "Invoice # must be unique." == caught.value.reason
    assert 10 == caught.value.error_data["ErrorNumber"]


def test_credit_notes_and_allocations(sdk: AccountingApi, call: Caller) -> None:
    """A credit note is created, allocated and released."""
    tenant = call.tenant_id
    (sold,) = sdk.create_invoices(tenant, models.Invoices(invoices=[invoice("P-1")])).invoices
    note = models.CreditNote(
        type="ACCRECCREDIT",
        contact=models.Contact(name="POS Sales"),
        date=DAY,
        credit_note_number="CN-1",
        status="AUTHORISED",
        line_items=sales_lines("10.00"),
    )
    (made,) = sdk.create_credit_notes(tenant, models.CreditNotes(credit_notes=[note])).credit_notes
    assert Decimal("11.50") == made.remaining_credit
    allocation = models.Allocation(
        amount=Decimal("1.50"), date=DAY, invoice=models.Invoice(invoice_id=sold.invoice_id)
    )
    body = models.Allocations(allocations=[allocation])
    (set_against,) = sdk.create_credit_note_allocation(
        tenant, made.credit_note_id, body
    ).allocations
    assert Decimal("1.50") == set_against.amount
    released = sdk.delete_credit_note_allocations(
        tenant, made.credit_note_id, set_against.allocation_id
    )
    assert released.is_deleted


def test_batch_payments(sdk: AccountingApi, call: Caller) -> None:
    """A batch payment is created, listed and deleted."""
    tenant = call.tenant_id
    (sold,) = sdk.create_invoices(tenant, models.Invoices(invoices=[invoice("P-1")])).invoices
    member = models.Payment(
        invoice=models.Invoice(invoice_id=sold.invoice_id), amount=Decimal("5.00")
    )
    (bank,) = sdk.get_accounts(tenant, where='Code=="090"').accounts
    batch = models.BatchPayment(
        account=models.Account(account_id=bank.account_id), date=DAY, payments=[member]
    )
    body = models.BatchPayments(batch_payments=[batch])
    (made,) = sdk.create_batch_payment(tenant, body, summarize_errors=False).batch_payments
    assert Decimal("5.00") == made.total_amount
    deletion = models.BatchPaymentDelete(batch_payment_id=made.batch_payment_id, status="DELETED")
    (gone,) = sdk.delete_batch_payment(tenant, deletion).batch_payments
    assert "DELETED" == gone.status
    assert 1 == len(sdk.get_batch_payments(tenant).batch_payments)


def test_bank_transactions_and_attachments(sdk: AccountingApi, call: Caller) -> None:
    """Spend money is created with a receipt whose bytes come back."""
    tenant = call.tenant_id
    spend = models.BankTransaction(
        type="SPEND",
        contact=models.Contact(name="Sparkle Ltd"),
        bank_account=models.Account(code="090"),
        date=DAY,
        reference="E-1",
        line_items=[
            models.LineItem(
                description="Cleaning",
                quantity=Decimal(1),
                unit_amount=Decimal("20.00"),
                account_code="408",
                tax_type="INPUT2",
            )
        ],
    )
    body = models.BankTransactions(bank_transactions=[spend])
    (made,) = sdk.create_bank_transactions(tenant, body, summarize_errors=False).bank_transactions
    assert Decimal("2.61") == made.total_tax
    key = made.bank_transaction_id
    sdk.create_bank_transaction_attachment_by_file_name(tenant, key, "receipt.pdf", b"%PDF")
    (file,) = sdk.get_bank_transaction_attachments(tenant, key).attachments
    assert ("receipt.pdf", 4) == (file.file_name, file.content_length)
    path = sdk.get_bank_transaction_attachment_by_id(
        tenant, key, file.attachment_id, "application/pdf"
    )
    with open(path, "rb") as downloaded:  # noqa: PTH123  the SDK hands out a path as text
        assert b"%PDF" == downloaded.read()
    (again,) = sdk.get_bank_transaction(tenant, key).bank_transactions
    assert again.has_attachments


def test_notes_currencies_rates_and_changes(sdk: AccountingApi, call: Caller) -> None:
    """A note is written and read, a currency and a rate are added, spend money is deleted."""
    tenant = call.tenant_id
    (made,) = sdk.create_invoices(tenant, models.Invoices(invoices=[invoice("P-1")])).invoices
    note = models.HistoryRecords(history_records=[models.HistoryRecord(details="Checked")])
    sdk.create_invoice_history(tenant, made.invoice_id, note)
    found = sdk.get_invoice_history(tenant, made.invoice_id).history_records
    assert "Checked" in {row.details for row in found}
    added = sdk.create_currency(tenant, models.Currency(code=models.CurrencyCode.USD))
    assert ["USD"] == [row.code.value for row in added.currencies]
    component = models.TaxComponent(name="City", rate=Decimal("2.5"))
    rate = models.TaxRate(name="City", tax_components=[component])
    (city,) = sdk.create_tax_rates(tenant, models.TaxRates(tax_rates=[rate])).tax_rates
    assert Decimal("2.5") == Decimal(str(city.effective_rate))
    for content in (b"%PDF", b"%PDF-2"):
        sdk.create_invoice_attachment_by_file_name(tenant, made.invoice_id, "r.pdf", content)
    (file,) = sdk.get_invoice_attachments(tenant, made.invoice_id).attachments
    assert ("r.pdf", 6) == (file.file_name, file.content_length)
    spend = models.BankTransaction(
        type="SPEND",
        contact=models.Contact(name="Sparkle Ltd"),
        bank_account=models.Account(code="090"),
        line_items=sales_lines("20.00"),
    )
    body = models.BankTransactions(bank_transactions=[spend])
    spend.line_items[0].account_code, spend.line_items[0].tax_type = "408", "INPUT2"
    (paid,) = sdk.create_bank_transactions(tenant, body).bank_transactions
    spend.status = "DELETED"
    key = paid.bank_transaction_id
    (gone,) = sdk.update_bank_transaction(tenant, key, body).bank_transactions
    assert "DELETED" == gone.status


def test_contacts(sdk: AccountingApi, call: Caller) -> None:
    """Contacts are created, searched and archived."""
    tenant = call.tenant_id
    contact = models.Contact(name="Acme", email_address="a@acme.example", contact_number="A1")
    (made,) = sdk.create_contacts(tenant, models.Contacts(contacts=[contact])).contacts
    assert ["Acme"] == [row.name for row in sdk.get_contacts(tenant, search_term="acm").contacts]
    archived = models.Contacts(contacts=[models.Contact(contact_status="ARCHIVED")])
    (gone,) = sdk.update_contact(tenant, made.contact_id, archived).contacts
    assert "ARCHIVED" == gone.contact_status


def test_sdk_sends_a_lost_put_again_by_itself(sdk: AccountingApi, call: Caller) -> None:
    """The SDK's HTTP layer repeats a PUT whose reply was lost; only a key keeps it single."""
    sdk.create_invoices(call.tenant_id, models.Invoices(invoices=[invoice("P-1")]))
    payment = models.Payment(
        invoice=models.Invoice(invoice_number="P-1"),
        account=models.Account(code="881"),
        date=DAY,
        amount=Decimal("10.00"),
    )
    body = models.Payments(payments=[payment])
    for options, count in (({}, 2), ({"idempotency_key": "k1"}, 3)):
        match = {"method": "PUT", "path": "/Payments"}
        call.control("POST", "/faults", json={"fault": "lost_reply", "match": match, "nth": 1})
        sdk.create_payments(call.tenant_id, body, **options)
        assert count == len(call.ok("GET", "/Payments")["Payments"])
        call.control("DELETE", "/faults")


def test_rate_limit_reaches_the_sdk(sdk: AccountingApi, call: Caller) -> None:
    """A 429 with its empty body is the SDK's status exception; with Retry-After it would wait."""
    call.control("POST", "/faults", json={"fault": "rate_limited", "retry_after": None})
    with pytest.raises(HTTPStatusException) as caught:
        sdk.get_organisations(call.tenant_id)
    assert 429 == caught.value.status
