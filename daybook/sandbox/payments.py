"""Payments of invoices and refunds of credit notes: created and deleted, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox import batch, documents, history, lines, listing, records, validation, wire
from daybook.sandbox.batch import Shape
from daybook.sandbox.invoice_json import applied_json, stub_json
from daybook.sandbox.query import Schema
from daybook.sandbox.routing import Route
from daybook.sandbox.validation import Invalid, NotFound

if TYPE_CHECKING:
    from decimal import Decimal

    from daybook.sandbox.books import Books, Table
    from daybook.sandbox.records import Account, Document, Payment
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

SHAPE = Shape(
    "Payments",
    "Payment",
    "PaymentID",
    error_flag="HasValidationErrors",
    has_zero_id=False,
    has_status=True,
)
ACCOUNT_FIELDS = wire.Fields(AccountID=wire.text, Code=wire.text)
DOCUMENT_FIELDS = wire.Fields(
    InvoiceID=wire.text,
    InvoiceNumber=wire.text,
    CreditNoteID=wire.text,
    CreditNoteNumber=wire.text,
)
FIELDS = wire.Fields(
    PaymentID=wire.text,
    Invoice=wire.one(DOCUMENT_FIELDS),
    CreditNote=wire.one(DOCUMENT_FIELDS),
    InvoiceNumber=wire.text,
    CreditNoteNumber=wire.text,
    Account=wire.one(ACCOUNT_FIELDS),
    Code=wire.text,
    Date=wire.calendar_date,
    Amount=wire.decimal,
    BankAmount=wire.decimal,
    CurrencyRate=wire.decimal,
    Reference=wire.text,
    IsReconciled=wire.boolean,
    Status=wire.choice("PaymentStatus", "AUTHORISED", "DELETED"),
)
TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}

# Routes


def list_payments(call: Call) -> Reply:
    """GET /Payments."""
    found = listing.select(call, call.books.payments, LISTING)
    content: Json = {"pagination": found.pagination} if found.pagination else {}
    return call.reply(**content, Payments=[payment_json(call, row) for row in found.rows])


def get_payment(call: Call) -> Reply:
    """GET /Payments/{PaymentID}."""
    return call.reply(Payments=[payment_json(call, _known(call), is_write=True)])


def write_payments(call: Call) -> Reply:
    """PUT and POST /Payments: create one or many."""
    return batch.run(call, SHAPE, FIELDS, lambda given: _create(call, given))


def post_payment(call: Call) -> Reply:
    """POST /Payments/{PaymentID}: delete, nothing else."""
    payment = _known(call)

    def apply(given: Json) -> Json:
        if given.get("Status") != "DELETED":
            raise Invalid(validation.PAYMENT_IMMUTABLE)
        if payment.batch_payment_id:
            raise Invalid(validation.PAYMENT_IN_BATCH)
        return payment_json(call, delete(call, payment), is_write=True)

    return batch.run(call, SHAPE, FIELDS, apply)


def _known(call: Call) -> Payment:
    payment = call.books.payments.get(call.ids[0].lower())
    if payment is None:
        raise NotFound
    return payment


# Rules


def _create(call: Call, given: Json) -> Json:
    """Take the payment or refuse it with everything that is wrong."""
    if given.get("Status") == "DELETED":
        return _delete_by_body(call, given)
    messages: list[str] = []
    document = find_document(call.books, given, messages)
    account = find_account(call.books, given, messages)
    amount = wire.round2(given.get("Amount", records.ZERO))
    day = given.get("Date") or documents.today(call.books, call.now)
    if amount <= 0:
        messages.append(validation.PAYMENT_AMOUNT_MISSING)
    if document is not None:
        messages.extend(against(document, amount))
    messages.extend(documents.lock_messages(call.books, day))
    validation.refuse_if(messages)
    if document is None or account is None:
        raise AssertionError("a payment without document or account has messages")
    payment = new_payment(call, document, account, given | {"Amount": amount, "Date": day})
    return payment_json(call, payment, is_write=True)


def _delete_by_body(call: Call, given: Json) -> Json:
    """Delete a payment named in the body, as POST /Payments allows too."""
    payment = call.books.payments.get(given.get("PaymentID", "").lower())
    if payment is None:
        raise Invalid(validation.DOCUMENT_UNKNOWN)
    if payment.batch_payment_id:
        raise Invalid(validation.PAYMENT_IN_BATCH)
    return payment_json(call, delete(call, payment), is_write=True)


def find_document(books: Books, given: Json, messages: list[str]) -> Document | None:
    """Return the one invoice or credit note a payment names."""
    invoice, note = given.get("Invoice", {}), given.get("CreditNote", {})
    named = {
        ("invoices", invoice.get("InvoiceID"), invoice.get("InvoiceNumber")),
        ("invoices", None, given.get("InvoiceNumber")),
        ("credit_notes", note.get("CreditNoteID"), note.get("CreditNoteNumber")),
        ("credit_notes", None, given.get("CreditNoteNumber")),
    }
    named = {entry for entry in named if entry[1] or entry[2]}
    if len({entry[0] for entry in named}) != 1:
        is_two = bool(named)
        messages.append(
            validation.PAYMENT_TWO_DOCUMENTS if is_two else validation.PAYMENT_NO_DOCUMENT
        )
        return None
    table, document_id, number = max(named, key=lambda entry: entry[1] or "")
    found = _document(books.table(table), document_id, number)
    if found is None:
        messages.append(validation.PAYMENT_DOCUMENT_UNKNOWN)
    return found


def _document(
    table: Table[Document], document_id: str | None, number: str | None
) -> Document | None:
    """Look a document up by id, else by number, sales before purchases."""
    if document_id:
        return table.get(document_id.lower())
    numbered = table.find("number", (number or "").lower())
    return next((row for row in numbered if row.type.startswith("ACCREC")), None)


def find_account(books: Books, given: Json, messages: list[str]) -> Account | None:
    """Return the account paid into or from: a bank account, or one that takes payments."""
    named = given.get("Account") or ({"Code": given["Code"]} if given.get("Code") else {})
    if not named:
        messages.append(validation.PAYMENT_ACCOUNT_MISSING)
        return None
    account = lines.find_account(books, named)
    if account is None or account.status != "ACTIVE":
        messages.append(validation.PAYMENT_ACCOUNT_UNKNOWN)
        return None
    if account.type != "BANK" and not account.enable_payments:
        messages.append(validation.PAYMENT_ACCOUNT_TYPE)
    return account


def against(document: Document, amount: Decimal) -> list[str]:
    """Check status and open amount of the document."""
    messages = []
    is_open = document.status in {"AUTHORISED", "PAID"}
    if not is_open or amount > document.due:
        messages.append(validation.AMOUNT_EXCEEDS)
    if document.status != "AUTHORISED":
        messages.append(validation.NOT_AUTHORISED)
    return messages


def new_payment(
    call: Call, document: Document, account: Account, given: Json, batch_payment_id: str = ""
) -> Payment:
    """Store a checked payment and lower what is open on the document."""
    base = call.books.organisation.currency
    is_foreign = document.currency != base or (account.currency or base) != base
    rate: Decimal = given.get("CurrencyRate", document.currency_rate if is_foreign else records.ONE)
    amount: Decimal = given["Amount"]
    same_currency = (account.currency or base) == document.currency
    bank_amount: Decimal = given.get("BankAmount", amount if same_currency else amount * rate)
    payment = records.Payment(
        id=call.new_id(),
        type=TYPES[document.type],
        status="AUTHORISED",
        document_id=document.id,
        account_id=account.id,
        payment_date=given["Date"],
        amount=amount,
        bank_amount=wire.round2(bank_amount),
        currency_rate=rate.quantize(documents.SIX_PLACES),
        created_at=call.now,
        updated_at=call.now,
        reference=given.get("Reference", ""),
        is_reconciled=given.get("IsReconciled", False),
        batch_payment_id=batch_payment_id,
    )
    call.books.payments.put(payment)
    document.paid += amount
    document.payment_ids.append(payment.id)
    _touch(call, document, payment)
    return payment


def _touch(call: Call, document: Document, payment: Payment) -> None:
    """Settle and store the document after a payment came or went."""
    documents.settle(document, payment.payment_date)
    document.updated_at = call.now
    document_table(call.books, document).put(document)


def document_table(books: Books, document: Document) -> Table[Document]:
    """Return the table a document lives in."""
    return books.credit_notes if document.type.endswith("CREDIT") else books.invoices


def paid_document(books: Books, payment: Payment) -> Document:
    """Return the invoice or credit note of a payment."""
    found = books.invoices.get(payment.document_id)
    return found if found is not None else books.credit_notes.rows[payment.document_id]


def delete(call: Call, payment: Payment) -> Payment:
    """Delete a payment: the document is open again by its amount.

    Raises:
        Invalid: already deleted, reconciled, or dated in a locked period.
    """
    if payment.status == "DELETED":
        raise Invalid(validation.PAYMENT_NOT_DELETABLE)
    if payment.is_reconciled:
        raise Invalid(validation.PAYMENT_RECONCILED)
    validation.refuse_if(documents.lock_messages(call.books, payment.payment_date))
    deleted = msgspec.structs.replace(payment, status="DELETED", updated_at=call.now)
    call.books.payments.put(deleted)
    document = paid_document(call.books, payment)
    document.paid -= payment.amount
    document.payment_ids.remove(payment.id)
    _touch(call, document, deleted)
    history.note(call, document.id, "Payment deleted", f"Payment of {payment.amount} deleted.")
    return deleted


# Wire form


def payment_json(call: Call, payment: Payment, *, is_write: bool = False) -> Json:
    """Return a payment; replies to writes show the document with its current amounts."""
    document = paid_document(call.books, payment)
    account = call.books.accounts.rows[payment.account_id]
    element: Json = {"PaymentID": payment.id}
    if payment.batch_payment_id:
        element["BatchPaymentID"] = payment.batch_payment_id
        element["BatchPayment"] = _batch_json(call.books, payment.batch_payment_id)
    element |= {
        "Date": wire.day(payment.payment_date),
        "BankAmount": payment.bank_amount,
        "Amount": payment.amount,
        "Reference": payment.reference,
        "CurrencyRate": payment.currency_rate,
        "PaymentType": payment.type,
        "Status": payment.status,
        "UpdatedDateUTC": wire.instant(payment.updated_at),
        "UpdatedDateUTCString": wire.instant_text(payment.updated_at),
        "HasAccount": True,
        "IsReconciled": payment.is_reconciled,
        "Account": {"AccountID": account.id, "Code": account.code},
        "Invoice": applied_json(call, document) if is_write else stub_json(call, document),
        "HasValidationErrors": False,
    }
    if is_write:
        element["Account"]["Name"] = account.name
    return element


def _batch_json(books: Books, batch_payment_id: str) -> Json:
    """Return the short form of the batch a payment belongs to."""
    found = books.batch_payments.rows[batch_payment_id]
    return {
        "Account": {"AccountID": found.account_id},
        "BatchPaymentID": found.id,
        "Date": wire.day(found.batch_date),
        "Type": found.type,
        "Status": found.status,
        "TotalAmount": found.total,
        "UpdatedDateUTC": wire.instant(found.updated_at),
        "IsReconciled": found.is_reconciled,
    }


LISTING: listing.Listing[Payment] = listing.Listing(
    Schema(
        {
            "paymentid": lambda row: row.id,
            "paymenttype": lambda row: row.type,
            "status": lambda row: row.status,
            "invoice.invoiceid": lambda row: row.document_id,
            "creditnote.creditnoteid": lambda row: row.document_id,
            "account.accountid": lambda row: row.account_id,
            "reference": lambda row: row.reference,
            "date": lambda row: row.payment_date,
            "amount": lambda row: row.amount,
            "isreconciled": lambda row: row.is_reconciled,
            "updateddateutc": lambda row: row.updated_at,
        },
        frozenset(
            {
                "paymentid",
                "paymenttype",
                "status",
                "invoice.invoiceid",
                "reference",
                "date",
                "updateddateutc",
            }
        ),
    ),
    indexes={
        "invoice.invoiceid": "document",
        "creditnote.creditnoteid": "document",
        "reference": "reference",
    },
    id_fields=("paymentid",),
    date_field="date",
)

_SCOPE = "accounting.payments"
ROUTES = (
    Route("GET", "/Payments", _SCOPE, list_payments),
    Route("PUT", "/Payments", _SCOPE, write_payments),
    Route("POST", "/Payments", _SCOPE, write_payments),
    Route("GET", "/Payments/{PaymentID}", _SCOPE, get_payment),
    Route("POST", "/Payments/{PaymentID}", _SCOPE, post_payment),
)
