"""Batch payments: one bank line for many invoices; its payments come and go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox import batch, documents, lines, listing, payments, records, validation, wire
from daybook.sandbox.batch import Shape
from daybook.sandbox.query import Schema
from daybook.sandbox.routing import Route
from daybook.sandbox.validation import Invalid, NotFound

if TYPE_CHECKING:
    from decimal import Decimal

    from daybook.sandbox.records import BatchPayment, Document
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

SHAPE = Shape("BatchPayments", "BatchPayment", "BatchPaymentID", has_zero_id=False)
TEXTS = {"Reference": 255, "Narrative": 18, "Details": 18, "Particulars": 12, "Code": 12}
FIELDS = wire.Fields(
    BatchPaymentID=wire.text,
    Account=wire.one(payments.ACCOUNT_FIELDS),
    Date=wire.calendar_date,
    Payments=wire.many(payments.FIELDS),
    Status=wire.choice("BatchPaymentStatus", "AUTHORISED", "DELETED"),
    **dict.fromkeys(TEXTS, wire.text),
)

# Routes


def list_batch_payments(call: Call) -> Reply:
    """GET /BatchPayments."""
    found = listing.select(call, call.books.batch_payments, LISTING)
    return call.reply(BatchPayments=[batch_payment_json(call, row) for row in found.rows])


def get_batch_payment(call: Call) -> Reply:
    """GET /BatchPayments/{BatchPaymentID}."""
    return call.reply(BatchPayments=[batch_payment_json(call, _known(call, call.ids[0]))])


def put_batch_payments(call: Call) -> Reply:
    """PUT /BatchPayments: create."""
    return batch.run(call, SHAPE, FIELDS, lambda given: _create(call, given))


def post_batch_payments(call: Call) -> Reply:
    """POST /BatchPayments: delete the one named in the body."""

    def apply(given: Json) -> Json:
        return _delete(call, _known(call, given.get("BatchPaymentID", "")), given)

    return batch.run(call, SHAPE, FIELDS, apply)


def post_batch_payment(call: Call) -> Reply:
    """POST /BatchPayments/{BatchPaymentID}: delete."""
    known = _known(call, call.ids[0])
    return batch.run(call, SHAPE, FIELDS, lambda given: _delete(call, known, given))


def _known(call: Call, key: str) -> BatchPayment:
    found = call.books.batch_payments.get(key.lower())
    if found is None:
        raise NotFound
    return found


# Rules


def _create(call: Call, given: Json) -> Json:
    """Take all payments of the batch or none."""
    messages: list[str] = []
    account = payments.find_account(call.books, given, messages)
    day = given.get("Date") or documents.today(call.books, call.now)
    paid = [_payment(call, element, messages) for element in given.get("Payments", [])]
    if not paid:
        messages.append(validation.BATCH_EMPTY)
    found = [(document, amount) for document, amount in paid if document is not None]
    messages.extend(_problems(call, found, given))
    messages.extend(documents.lock_messages(call.books, day))
    validation.refuse_if(messages)
    if account is None:
        raise Invalid(validation.PAYMENT_ACCOUNT_MISSING)
    batch_payment = records.BatchPayment(
        id=call.new_id(),
        type="RECBATCH" if found[0][0].type == "ACCREC" else "PAYBATCH",
        status="AUTHORISED",
        account_id=account.id,
        batch_date=day,
        payment_ids=[],
        total=sum((amount for _, amount in found), records.ZERO),
        created_at=call.now,
        updated_at=call.now,
        texts={name: given[name] for name in TEXTS if name in given},
    )
    for element, (document, amount) in zip(given["Payments"], found, strict=True):
        fields = {"Amount": amount, "Date": day, "Reference": element.get("Reference", "")}
        payment = payments.new_payment(call, document, account, fields, batch_payment.id)
        batch_payment.payment_ids.append(payment.id)
    call.books.batch_payments.put(batch_payment)
    return batch_payment_json(call, batch_payment)


def _payment(call: Call, given: Json, messages: list[str]) -> tuple[Document | None, Decimal]:
    """Return document and amount of one payment of the batch."""
    amount = wire.round2(given.get("Amount", records.ZERO))
    if amount <= 0:
        messages.append(validation.PAYMENT_AMOUNT_MISSING)
    if given.get("CreditNote"):
        messages.append(validation.PAYMENT_DOCUMENT_UNKNOWN)
        return None, amount
    return payments.find_document(call.books, given, messages), amount


def _problems(call: Call, found: list[tuple[Document, Decimal]], given: Json) -> list[str]:
    """Check the documents together: kinds, currency, open amounts (one may be named twice)."""
    messages = []
    if len({document.type for document, _ in found}) > 1:
        messages.append(validation.BATCH_MIXED)
    base = call.books.organisation.currency
    if any(document.currency != base for document, _ in found):
        messages.append(validation.BATCH_CURRENCY)
    sums: dict[str, Decimal] = {}
    for document, amount in found:
        sums[document.id] = sums.get(document.id, records.ZERO) + amount
        messages.extend(payments.against(document, sums[document.id]))
    for name, length in TEXTS.items():
        if len(given.get(name, "")) > length:
            messages.append(validation.text_too_long(name, length))
    return messages


def _delete(call: Call, known: BatchPayment, given: Json) -> Json:
    """Delete the batch and every payment in it."""
    if given.get("Status") != "DELETED":
        raise Invalid(validation.PAYMENT_IMMUTABLE)
    if known.status == "DELETED":
        raise Invalid(validation.BATCH_NOT_DELETABLE)
    if known.is_reconciled:
        raise Invalid(validation.PAYMENT_RECONCILED)
    validation.refuse_if(documents.lock_messages(call.books, known.batch_date))
    for payment_id in known.payment_ids:
        payments.delete(call, call.books.payments.rows[payment_id])
    deleted = msgspec.structs.replace(known, status="DELETED", updated_at=call.now)
    call.books.batch_payments.put(deleted)
    return batch_payment_json(call, deleted)


# Wire form


def batch_payment_json(call: Call, row: BatchPayment) -> Json:
    """Return a batch payment with its payments."""
    members = [call.books.payments.rows[payment_id] for payment_id in row.payment_ids]
    account = lines.find_account(call.books, {"AccountID": row.account_id})
    return {
        "Account": {
            "AccountID": row.account_id,
            "Code": account.code if account else "",
            "CurrencyCode": call.books.organisation.currency,
        },
        **row.texts,
        "BatchPaymentID": row.id,
        "DateString": wire.day_text(row.batch_date),
        "Date": wire.day(row.batch_date),
        "Payments": [
            {
                "Invoice": {"InvoiceID": payment.document_id, **_EMPTY_INVOICE},
                "PaymentID": payment.id,
                "Amount": payment.amount,
                "BankAmount": payment.bank_amount,
                "Reference": payment.reference,
            }
            for payment in members
            if payment.status == "AUTHORISED"
        ],
        "Type": row.type,
        "Status": row.status,
        "TotalAmount": row.total,
        "UpdatedDateUTC": wire.instant(row.updated_at),
        "IsReconciled": row.is_reconciled,
    }


_EMPTY_INVOICE = {
    "Payments": [],
    "CreditNotes": [],
    "Prepayments": [],
    "Overpayments": [],
    "HasErrors": False,
    "IsDiscounted": False,
    "LineItems": [],
}

LISTING: listing.Listing[BatchPayment] = listing.Listing(
    Schema(
        {
            "batchpaymentid": lambda row: row.id,
            "type": lambda row: row.type,
            "status": lambda row: row.status,
            "account.accountid": lambda row: row.account_id,
            "date": lambda row: row.batch_date,
            "updateddateutc": lambda row: row.updated_at,
        },
        frozenset({"type", "status", "account.accountid", "batchpaymentid", "updateddateutc"}),
    ),
    id_fields=("batchpaymentid",),
)

_SCOPE = "accounting.payments"
ROUTES = (
    Route("GET", "/BatchPayments", _SCOPE, list_batch_payments),
    Route("PUT", "/BatchPayments", _SCOPE, put_batch_payments),
    Route("POST", "/BatchPayments", _SCOPE, post_batch_payments),
    Route("GET", "/BatchPayments/{BatchPaymentID}", _SCOPE, get_batch_payment),
    Route("POST", "/BatchPayments/{BatchPaymentID}", _SCOPE, post_batch_payment),
)
