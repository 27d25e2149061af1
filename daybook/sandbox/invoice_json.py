"""The wire form of an invoice, whole or as a stub inside payments and allocations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.sandbox import documents, wire

if TYPE_CHECKING:
    from daybook.sandbox.records import Document
    from daybook.sandbox.routing import Call
    from daybook.sandbox.wire import Json


def invoice_json(
    call: Call,
    invoice: Document,
    *,
    is_full: bool,
    is_write: bool = False,
    is_summary: bool = False,
) -> Json:
    """Return an invoice; `is_full` adds lines and contact, `is_summary` leaves out even more."""
    element: Json = {
        "Type": invoice.type,
        "InvoiceID": invoice.id,
        "InvoiceNumber": invoice.number,
        "Reference": invoice.reference,
    }
    if invoice.url:
        element["Url"] = invoice.url
    if not is_summary:
        element["Payments"] = payments_json(call, invoice) if invoice.payment_ids else []
        element["CreditNotes"] = _credits_json(call, invoice) if invoice.allocation_ids else []
        element["Prepayments"] = []
        element["Overpayments"] = []
    element["AmountDue"] = invoice.due if invoice.status in _OPEN else wire.round2(invoice.due * 0)
    element["AmountPaid"] = invoice.paid
    element["AmountCredited"] = invoice.credited
    if invoice.type == "ACCREC":
        element["SentToContact"] = invoice.sent_to_contact
    element["CurrencyRate"] = invoice.currency_rate
    element["IsDiscounted"] = any(
        line.discount_rate or line.discount_amount for line in invoice.lines
    )
    if not is_summary:
        element["HasAttachments"] = invoice.has_attachments
    element["HasErrors"] = False
    if is_full and not is_summary:
        element["InvoicePaymentServices"] = []
    element["Contact"] = documents.contact_json(call, invoice, is_full=is_full and not is_summary)
    element |= documents.dates_json(invoice)
    _add_further_dates(element, invoice)
    if invoice.branding_theme_id:
        element["BrandingThemeID"] = invoice.branding_theme_id
    element["Status"] = invoice.status
    element["LineAmountTypes"] = invoice.line_amount_types
    if not is_summary:
        element["LineItems"] = (
            documents.lines_json(call, invoice, is_write=is_write) if is_full else []
        )
    element |= documents.totals_json(invoice)
    element["UpdatedDateUTCString"] = wire.instant_text(invoice.updated_at)
    return element


def _add_further_dates(element: Json, invoice: Document) -> None:
    """Add the dates only some invoices have."""
    if invoice.expected_payment_date is not None:
        element["ExpectedPaymentDate"] = wire.day(invoice.expected_payment_date)
    if invoice.planned_payment_date is not None:
        element["PlannedPaymentDate"] = wire.day(invoice.planned_payment_date)
    if invoice.fully_paid_date is not None:
        element["FullyPaidOnDate"] = wire.day(invoice.fully_paid_date)


_OPEN = frozenset({"DRAFT", "SUBMITTED", "AUTHORISED", "PAID"})


def payments_json(call: Call, document: Document) -> list[Json]:
    """Return the short forms of a document's live payments."""
    found = []
    for payment_id in document.payment_ids:
        payment = call.books.payments.rows[payment_id]
        found.append(
            {
                "PaymentID": payment.id,
                "Date": wire.day(payment.payment_date),
                "Amount": payment.amount,
                "Reference": payment.reference,
                "CurrencyRate": payment.currency_rate,
                "HasAccount": False,
                "HasValidationErrors": False,
            }
        )
    return found


def _credits_json(call: Call, invoice: Document) -> list[Json]:
    """Return the short forms of the credit notes set against an invoice."""
    found = []
    for allocation_id in invoice.allocation_ids:
        allocation = call.books.allocations.rows[allocation_id]
        note = call.books.credit_notes.rows[allocation.credit_note_id]
        found.append(
            {
                "CreditNoteID": note.id,
                "CreditNoteNumber": note.number,
                "ID": note.id,
                "HasErrors": False,
                "AppliedAmount": allocation.amount,
                "DateString": wire.day_text(allocation.allocation_date),
                "Date": wire.day(allocation.allocation_date),
                "LineItems": [],
                "Total": note.total,
            }
        )
    return found


def stub_json(call: Call, document: Document) -> Json:
    """Return the short form of an invoice or credit note inside a payment of a list."""
    return {
        "Type": document.type,
        "InvoiceID": document.id,
        "InvoiceNumber": document.number,
        "Payments": [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "HasErrors": False,
        "IsDiscounted": False,
        "Contact": documents.contact_json(call, document, is_full=False),
        "LineItems": [],
        "CurrencyCode": document.currency,
    }


def applied_json(call: Call, document: Document) -> Json:
    """Return the longer form inside the reply to a new payment: amounts and status are current."""
    return {
        "Type": document.type,
        "InvoiceID": document.id,
        "InvoiceNumber": document.number,
        "Reference": document.reference,
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": document.due,
        "AmountPaid": document.paid,
        "SentToContact": document.sent_to_contact,
        "CurrencyRate": document.currency_rate,
        "HasErrors": False,
        "IsDiscounted": False,
        "Contact": documents.contact_json(call, document, is_full=False),
        **documents.dates_json(document),
        "Status": document.status,
        "LineAmountTypes": document.line_amount_types,
        "LineItems": documents.lines_json(call, document, is_write=True),
        **documents.totals_json(document),
    }
