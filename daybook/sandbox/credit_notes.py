"""Credit notes: like invoices without due date and discounts, set against invoices or refunded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox import batch, documents, history, listing, records, validation, wire
from daybook.sandbox.batch import Shape
from daybook.sandbox.invoice_json import payments_json, stub_json
from daybook.sandbox.invoice_lists import schema
from daybook.sandbox.invoices import COMPLETE, CREATABLE, GONE, NEXT_STATUSES, STATUSES
from daybook.sandbox.routing import Route
from daybook.sandbox.validation import Invalid, NotFound

if TYPE_CHECKING:
    from daybook.sandbox.books import Books
    from daybook.sandbox.records import Allocation, Document
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

SHAPE = Shape("CreditNotes", "CreditNote", "CreditNoteID", error_flag="HasErrors", has_status=True)
ALLOCATION_SHAPE = Shape("Allocations", "Allocation", "AllocationID", has_zero_id=False)
TYPES = frozenset({"ACCRECCREDIT", "ACCPAYCREDIT"})
FIELDS = wire.Fields(
    **documents.COMMON_FIELDS,
    Type=wire.text,
    Status=wire.choice("CreditNoteStatus", *STATUSES),
    CreditNoteID=wire.text,
    CreditNoteNumber=wire.text,
    SentToContact=wire.boolean,
)
ALLOCATION_FIELDS = wire.Fields(
    Amount=wire.decimal,
    Date=wire.calendar_date,
    Invoice=wire.one(wire.Fields(InvoiceID=wire.text, InvoiceNumber=wire.text)),
)
KIND = documents.Kind(
    default_status="DRAFT",
    line_amount_types="Exclusive",
    complete=COMPLETE,
    texts=documents.COMMON_TEXTS | {"CreditNoteNumber": "number"},
)

# Routes


def list_credit_notes(call: Call) -> Reply:
    """GET /CreditNotes: without a page no line items."""
    found = listing.select(call, call.books.credit_notes, LISTING)
    content: Json = {"pagination": found.pagination} if found.pagination else {}
    is_full = found.pagination is not None
    elements = [credit_note_json(call, row, is_full=is_full) for row in found.rows]
    return call.reply(**content, CreditNotes=elements)


def get_credit_note(call: Call) -> Reply:
    """GET /CreditNotes/{CreditNoteID or CreditNoteNumber}."""
    return call.reply(CreditNotes=[credit_note_json(call, _known(call), is_full=True)])


def put_credit_notes(call: Call) -> Reply:
    """PUT /CreditNotes: create only."""
    return batch.run(call, SHAPE, FIELDS, lambda given: _create(call, given))


def post_credit_notes(call: Call) -> Reply:
    """POST /CreditNotes: update what an id or a sales number matches, create the rest."""
    return batch.run(call, SHAPE, FIELDS, lambda given: _upsert(call, given))


def post_credit_note(call: Call) -> Reply:
    """POST /CreditNotes/{CreditNoteID}."""
    note = _known(call)
    return batch.run(call, SHAPE, FIELDS, lambda given: _update(call, note, given))


def put_allocations(call: Call) -> Reply:
    """PUT /CreditNotes/{CreditNoteID}/Allocations."""
    note = _known(call)
    return batch.run(
        call, ALLOCATION_SHAPE, ALLOCATION_FIELDS, lambda given: _allocate(call, note, given)
    )


def delete_allocation(call: Call) -> Reply:
    """DELETE /CreditNotes/{CreditNoteID}/Allocations/{AllocationID}."""
    note = _known(call)
    allocation = call.books.allocations.get(call.ids[1].lower())
    if allocation is None or allocation.credit_note_id != note.id or allocation.is_deleted:
        raise NotFound
    invoice = call.books.invoices.rows[allocation.invoice_id]
    for document in (note, invoice):
        document.credited -= allocation.amount
        document.allocation_ids.remove(allocation.id)
        _touch(call, document, allocation)
    deleted = msgspec.structs.replace(allocation, is_deleted=True)
    call.books.allocations.put(deleted)
    return batch.bare_reply(
        {
            "AllocationID": deleted.id,
            "Amount": deleted.amount,
            "Date": wire.day(deleted.allocation_date),
            "Invoice": {"InvoiceID": deleted.invoice_id},
            "IsDeleted": True,
        }
    )


def _known(call: Call) -> Document:
    """Return the credit note of the path, by id or number."""
    key = call.ids[0].lower()
    found = call.books.credit_notes.get(key) or _sales_namesake(call.books, key)
    if found is None:
        raise NotFound
    return found


# Rules


def _sales_namesake(books: Books, number: str) -> Document | None:
    """Return the sales credit note that holds a number; voided and deleted ones hold theirs."""
    numbered = books.credit_notes.find("number", number.lower()) if number else []
    return next((row for row in numbered if row.type == "ACCRECCREDIT"), None)


def _upsert(call: Call, given: Json) -> Json:
    if given.get("CreditNoteID"):
        known = call.books.credit_notes.get(given["CreditNoteID"].lower())
        if known is None:
            raise Invalid(validation.CREDIT_NOTE_UNKNOWN)
        return _update(call, known, given)
    if given.get("Type", "ACCRECCREDIT") == "ACCRECCREDIT":
        known = _sales_namesake(call.books, given.get("CreditNoteNumber", ""))
        if known is not None:
            return _update(call, known, given)
    return _create(call, given)


def _create(call: Call, given: Json) -> Json:
    if given.get("Type") not in TYPES:
        raise Invalid(validation.TYPE_NOT_CREATABLE)
    if given.get("Status", "DRAFT") not in CREATABLE:
        raise Invalid(validation.STATUS_NOT_CREATABLE)
    return _store(call, _plan(call, given, None))


def _plan(call: Call, given: Json, before: Document | None) -> documents.Planned:
    """Work out the credit note as it would be; stores nothing."""
    planned = documents.plan(call, given, before, KIND)
    number = planned.document.number
    if planned.document.type == "ACCRECCREDIT" and number:
        holder = _sales_namesake(call.books, number)
        if holder is not None and (before is None or holder.id != before.id):
            planned.messages.append(validation.CREDIT_NOTE_NUMBER_TAKEN)
    return planned


def _store(call: Call, planned: documents.Planned) -> Json:
    note, contact = planned.checked()
    is_sale = note.type == "ACCRECCREDIT"
    documents.store_contact(call.books, contact, is_sale=is_sale)
    if is_sale and not note.number:
        note.number = _next_number(call.books)
    documents.settle(note, note.document_date)
    call.books.credit_notes.put(note)
    return credit_note_json(call, note, is_full=True, is_write=True)


def _next_number(books: Books) -> str:
    while True:
        number = f"CN-{books.next_credit_note_number:04d}"
        books.next_credit_note_number += 1
        if _sales_namesake(books, number) is None:
            books.organisation_changed()
            return number


def _update(call: Call, known: Document, given: Json) -> Json:
    status = given.get("Status") or known.status
    if status not in NEXT_STATUSES.get(known.status, frozenset()):
        raise Invalid(validation.STATUS_NOT_MODIFIABLE)
    if status in GONE:
        return _end(call, known, status)
    planned = _plan(call, given | {"Status": status}, known)
    documents.refuse_protected(known, planned.document)
    element = _store(call, planned)
    history.note(call, known.id, "Edited", f"{known.number} changed through the API.")
    return element


def _end(call: Call, known: Document, status: str) -> Json:
    """Void or delete."""
    if known.paid or known.credited:
        raise Invalid(validation.STATUS_NOT_MODIFIABLE, validation.void_refused(status))
    validation.refuse_if(documents.lock_messages(call.books, known.document_date))
    ended = msgspec.structs.replace(known, status=status, updated_at=call.now)
    call.books.credit_notes.put(ended)
    history.note(call, known.id, status.capitalize(), f"{known.number} {status.lower()}.")
    return credit_note_json(call, ended, is_full=True, is_write=True)


def _allocate(call: Call, note: Document, given: Json) -> Json:
    """Set part of a credit note against an invoice of the same contact."""
    named = given.get("Invoice", {})
    invoice = call.books.invoices.get(named.get("InvoiceID", "").lower())
    if invoice is None and named.get("InvoiceNumber"):
        numbered = call.books.invoices.find("number", named["InvoiceNumber"].lower())
        invoice = numbered[0] if numbered else None
    if invoice is None:
        raise Invalid(validation.PAYMENT_DOCUMENT_UNKNOWN)
    amount = wire.round2(given.get("Amount", records.ZERO))
    messages = []
    if amount <= 0:
        messages.append(validation.PAYMENT_AMOUNT_MISSING)
    if note.status != "AUTHORISED" or invoice.status != "AUTHORISED":
        messages.append(validation.NOT_AUTHORISED)
    if note.contact_id != invoice.contact_id or not note.type.startswith(invoice.type):
        messages.append(validation.ALLOCATION_CONTACT)
    if amount > note.due:
        messages.append(validation.ALLOCATION_EXCEEDS_CREDIT)
    if amount > invoice.due:
        messages.append(validation.AMOUNT_EXCEEDS)
    day = max(note.document_date, invoice.document_date)
    messages.extend(documents.lock_messages(call.books, day))
    validation.refuse_if(messages)
    allocation = records.Allocation(
        id=call.new_id(),
        credit_note_id=note.id,
        invoice_id=invoice.id,
        amount=amount,
        allocation_date=day,
    )
    call.books.allocations.put(allocation)
    for document in (note, invoice):
        document.credited += amount
        document.allocation_ids.append(allocation.id)
        _touch(call, document, allocation)
    return allocation_json(call, allocation)


def _touch(call: Call, document: Document, allocation: Allocation) -> None:
    """Settle and store either side of an allocation."""
    documents.settle(document, allocation.allocation_date)
    document.updated_at = call.now
    is_note = document.id == allocation.credit_note_id
    (call.books.credit_notes if is_note else call.books.invoices).put(document)


# Wire form


def allocation_json(call: Call, allocation: Allocation) -> Json:
    """Return an allocation."""
    invoice = call.books.invoices.rows[allocation.invoice_id]
    return {
        "AllocationID": allocation.id,
        "Amount": allocation.amount,
        "Date": wire.day(allocation.allocation_date),
        "Invoice": stub_json(call, invoice) | {"ValidationErrors": []},
        "IsDeleted": allocation.is_deleted,
        "ValidationErrors": [],
    }


def credit_note_json(call: Call, note: Document, *, is_full: bool, is_write: bool = False) -> Json:
    """Return a credit note; `is_full` adds lines and the whole contact."""
    allocations = [
        allocation_json(call, call.books.allocations.rows[allocation_id])
        for allocation_id in note.allocation_ids
    ]
    element: Json = {
        "CreditNoteID": note.id,
        "CreditNoteNumber": note.number,
        "Payments": payments_json(call, note),
        "ID": note.id,
        "HasErrors": False,
        "CurrencyRate": note.currency_rate,
        "Type": note.type,
        "Reference": note.reference,
        "SentToContact": note.sent_to_contact,
        "RemainingCredit": note.due,
        "Allocations": allocations,
        "HasAttachments": note.has_attachments,
        "Contact": documents.contact_json(call, note, is_full=is_full),
        **documents.dates_json(note),
    }
    if note.branding_theme_id:
        element["BrandingThemeID"] = note.branding_theme_id
    element["Status"] = note.status
    element["LineAmountTypes"] = note.line_amount_types
    element["LineItems"] = documents.lines_json(call, note, is_write=is_write) if is_full else []
    element.update(documents.totals_json(note))
    element["UpdatedDateUTCString"] = wire.instant_text(note.updated_at)
    if note.fully_paid_date is not None:
        element["FullyPaidOnDate"] = wire.day(note.fully_paid_date)
    return element


LISTING: listing.Listing[Document] = listing.Listing(
    schema(
        "creditnoteid",
        "creditnotenumber",
        frozenset(
            {"status", "reference", "type", "date", "contact.contactid"}
            | {"creditnoteid", "updateddateutc"}
        ),
    ),
    indexes={
        "creditnotenumber": "number",
        "contact.contactid": "contact",
        "reference": "reference",
    },
    id_fields=("creditnoteid",),
    date_field="date",
)

_SCOPE = "accounting.invoices"
_ONE = "/CreditNotes/{CreditNoteID}"
ROUTES = (
    Route("GET", "/CreditNotes", _SCOPE, list_credit_notes),
    Route("PUT", "/CreditNotes", _SCOPE, put_credit_notes),
    Route("POST", "/CreditNotes", _SCOPE, post_credit_notes),
    Route("GET", _ONE, _SCOPE, get_credit_note),
    Route("POST", _ONE, _SCOPE, post_credit_note),
    Route("PUT", f"{_ONE}/Allocations", _SCOPE, put_allocations),
    Route("DELETE", f"{_ONE}/Allocations/{{AllocationID}}", _SCOPE, delete_allocation),
)
