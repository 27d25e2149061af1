"""Invoices: unique sales numbers, the status machine, edits after a payment, plan limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox import (
    batch,
    documents,
    history,
    invoice_lists,
    validation,
    wire,
)
from daybook.sandbox.batch import Shape
from daybook.sandbox.invoice_json import invoice_json
from daybook.sandbox.routing import Route
from daybook.sandbox.validation import Invalid, NotFound

if TYPE_CHECKING:
    from daybook.sandbox.books import Books
    from daybook.sandbox.records import Document
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

SHAPE = Shape("Invoices", "Invoice", "InvoiceID", error_flag="HasErrors", has_status=True)
STATUSES = ("DRAFT", "SUBMITTED", "DELETED", "AUTHORISED", "PAID", "VOIDED")
CREATABLE = frozenset({"DRAFT", "SUBMITTED", "AUTHORISED"})
NEXT_STATUSES = {
    "DRAFT": frozenset({"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"}),
    "SUBMITTED": frozenset({"SUBMITTED", "AUTHORISED", "DRAFT", "DELETED"}),
    "AUTHORISED": frozenset({"AUTHORISED", "VOIDED"}),
    "PAID": frozenset({"PAID"}),
}
COMPLETE = frozenset({"SUBMITTED", "AUTHORISED", "PAID"})
GONE = frozenset({"VOIDED", "DELETED"})
APPROVALS_A_MONTH = {
    "STARTER": {"ACCREC": 20, "ACCPAY": 5},
    "IGNITE": {"ACCREC": 20, "ACCPAY": 5},
    "SIMPLE": {"ACCREC": 10, "ACCPAY": 5},
}
MAX_NUMBER = 255
KIND = documents.Kind(
    default_status="DRAFT",
    line_amount_types="Exclusive",
    complete=COMPLETE,
    texts=documents.COMMON_TEXTS
    | {
        "InvoiceNumber": "number",
        "DueDate": "due_date",
        "ExpectedPaymentDate": "expected_payment_date",
        "PlannedPaymentDate": "planned_payment_date",
    },
    discount_types=frozenset({"ACCREC"}),
)
FIELDS = wire.Fields(
    **documents.COMMON_FIELDS,
    Type=wire.text,
    Status=wire.choice("InvoiceStatus", *STATUSES),
    InvoiceID=wire.text,
    InvoiceNumber=wire.text,
    DueDate=wire.calendar_date,
    ExpectedPaymentDate=wire.calendar_date,
    PlannedPaymentDate=wire.calendar_date,
    SentToContact=wire.boolean,
)

# Routes


def get_invoice(call: Call) -> Reply:
    """GET /Invoices/{InvoiceID or InvoiceNumber}."""
    invoice = by_id_or_number(call.books, call.ids[0])
    return call.reply(Invoices=[invoice_json(call, invoice, is_full=True)])


def put_invoices(call: Call) -> Reply:
    """PUT /Invoices: create only."""
    return batch.run(call, SHAPE, FIELDS, lambda given: _create(call, given))


def post_invoices(call: Call) -> Reply:
    """POST /Invoices: update what InvoiceID or a sales InvoiceNumber matches, create the rest."""
    return batch.run(call, SHAPE, FIELDS, lambda given: _upsert(call, given))


def post_invoice(call: Call) -> Reply:
    """POST /Invoices/{InvoiceID or InvoiceNumber}."""
    invoice = by_id_or_number(call.books, call.ids[0])
    return batch.run(call, SHAPE, FIELDS, lambda given: _update(call, invoice, given))


# Rules


def by_id_or_number(books: Books, key: str) -> Document:
    """Return an invoice by id, else by number, a sales invoice before a bill.

    Raises:
        NotFound: there is none.
    """
    found = books.invoices.get(key.lower())
    if found is not None:
        return found
    numbered = books.invoices.find("number", key.lower())
    if not numbered:
        raise NotFound
    return next((row for row in numbered if row.type == "ACCREC"), numbered[0])


def _sales_namesake(books: Books, number: str) -> Document | None:
    """Return the sales invoice that holds a number; voided and deleted ones keep theirs."""
    if number:
        for row in books.invoices.find("number", number.lower()):
            if row.type == "ACCREC":
                return row
    return None


def _upsert(call: Call, given: Json) -> Json:
    """Find the invoice an element means, update it, or create one."""
    if given.get("InvoiceID"):
        known = call.books.invoices.get(given["InvoiceID"].lower())
        if known is None:
            raise Invalid(validation.INVOICE_UNKNOWN)
        return _update(call, known, given)
    if given.get("Type", "ACCREC") == "ACCREC":
        known = _sales_namesake(call.books, given.get("InvoiceNumber", ""))
        if known is not None:
            return _update(call, known, given)
    return _create(call, given)


def _plan(call: Call, given: Json, before: Document | None) -> documents.Planned:
    """Work out the invoice as it would be; stores nothing."""
    planned = documents.plan(call, given, before, KIND)
    invoice = planned.document
    if given.get("SentToContact") and invoice.status == "AUTHORISED":
        invoice.sent_to_contact = True
    planned.messages.extend(_problems(call.books, invoice, before))
    return planned


def _problems(books: Books, invoice: Document, before: Document | None) -> list[str]:
    """Return what is wrong with number, due date and approval."""
    messages = []
    number = invoice.number
    if invoice.type == "ACCREC" and number and (before is None or number != before.number):
        holder = _sales_namesake(books, number)
        if holder is not None and holder is not before:
            messages.append(validation.NUMBER_TAKEN)
        if len(number) > MAX_NUMBER or not number.isascii() or not number.isprintable():
            messages.append(validation.NUMBER_FORM)
    if invoice.status in COMPLETE and invoice.due_date is None:
        messages.append(validation.NO_DUE_DATE)
    was_approved = before is not None and before.status in {"AUTHORISED", "PAID"}
    if invoice.status == "AUTHORISED" and not was_approved:
        messages.extend(_plan_limit(books, invoice))
    return messages


def _plan_limit(books: Books, invoice: Document) -> list[str]:
    """Refuse an approval beyond what the organisation's plan has in the invoice's month."""
    caps = APPROVALS_A_MONTH.get(books.organisation.plan)
    if caps is None:
        return []
    first = invoice.document_date.replace(day=1)
    approved = sum(
        1
        for row in books.invoices.between(first, None)
        if (row.document_date.year, row.document_date.month) == (first.year, first.month)
        and row.type == invoice.type
        and row.status in {"AUTHORISED", "PAID"}
    )
    return [validation.PLAN_LIMIT] if approved >= caps.get(invoice.type, approved + 1) else []


def _create(call: Call, given: Json) -> Json:
    """Store a new invoice or refuse it."""
    if given.get("Type") not in {"ACCREC", "ACCPAY"}:
        raise Invalid(validation.TYPE_NOT_CREATABLE)
    if given.get("Status", "DRAFT") not in CREATABLE:
        raise Invalid(validation.STATUS_NOT_CREATABLE)
    return _store(call, given, _plan(call, given, None))


def _store(call: Call, given: Json, planned: documents.Planned) -> Json:
    """Store a planned invoice and its contact, number it, settle it."""
    invoice, contact = planned.checked()
    documents.store_contact(call.books, contact, is_sale=invoice.type == "ACCREC")
    if invoice.type == "ACCREC" and not invoice.number:
        invoice.number = _next_number(call.books)
    documents.settle(invoice, invoice.document_date)
    call.books.invoices.put(invoice)
    element = invoice_json(call, invoice, is_full=True, is_write=True)
    if given.get("SentToContact") and invoice.status not in {"AUTHORISED", "PAID"}:
        element["Warnings"] = [{"Message": validation.SENT_TO_CONTACT_WARNING}]
    return element


def _next_number(books: Books) -> str:
    """Return the next free number of the organisation's invoice settings."""
    while True:
        number = f"INV-{books.next_invoice_number:04d}"
        books.next_invoice_number += 1
        if _sales_namesake(books, number) is None:
            books.organisation_changed()
            return number


def _update(call: Call, known: Document, given: Json) -> Json:
    """Change an invoice as far as its status, payments and the lock dates allow."""
    status = given.get("Status") or known.status
    if status not in NEXT_STATUSES.get(known.status, frozenset()):
        raise Invalid(validation.STATUS_NOT_MODIFIABLE)
    if status in GONE:
        return _end(call, known, status)
    planned = _plan(call, given | {"Status": status}, known)
    documents.refuse_protected(known, planned.document)
    element = _store(call, given, planned)
    history.note(call, known.id, "Edited", f"{known.number} changed through the API.")
    return element


def _end(call: Call, known: Document, status: str) -> Json:
    """Void or delete; what is sent beside the status is ignored."""
    if known.paid or known.credited:
        raise Invalid(validation.STATUS_NOT_MODIFIABLE, validation.void_refused(status))
    validation.refuse_if(documents.lock_messages(call.books, known.document_date))
    ended = msgspec.structs.replace(known, status=status, updated_at=call.now)
    call.books.invoices.put(ended)
    history.note(call, known.id, status.capitalize(), f"{known.number} {status.lower()}.")
    return invoice_json(call, ended, is_full=True, is_write=True)


_SCOPE = "accounting.invoices"
ROUTES = (
    Route("GET", "/Invoices", _SCOPE, invoice_lists.list_invoices),
    Route("PUT", "/Invoices", _SCOPE, put_invoices),
    Route("POST", "/Invoices", _SCOPE, post_invoices),
    Route("GET", "/Invoices/{InvoiceID}", _SCOPE, get_invoice),
    Route("POST", "/Invoices/{InvoiceID}", _SCOPE, post_invoice),
)
