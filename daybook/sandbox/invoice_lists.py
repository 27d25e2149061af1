"""GET /Invoices: the widest list of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.sandbox import listing
from daybook.sandbox.invoice_json import invoice_json
from daybook.sandbox.query import Schema, split_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from daybook.sandbox.records import Document
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json


def list_invoices(call: Call) -> Reply:
    """GET /Invoices: without a page no line items; `Statuses` and `summaryOnly` force paging."""
    is_summary = call.query.get("summaryonly", "").lower() == "true"
    found = listing.select(
        call,
        call.books.invoices,
        LISTING,
        among=_among(call),
        keep=_keep(call),
        force_paging=is_summary or bool(call.query.get("statuses")),
    )
    is_full = found.pagination is not None and not is_summary
    content: Json = {"pagination": found.pagination} if found.pagination else {}
    elements = [
        invoice_json(call, row, is_full=is_full, is_summary=is_summary) for row in found.rows
    ]
    return call.reply(**content, Invoices=elements)


def _among(call: Call) -> list[Document] | None:
    """Return the invoices named by IDs, InvoiceNumbers or ContactIDs; nothing when none is sent."""
    table = call.books.invoices
    chosen: dict[str, Document] | None = None
    sources: tuple[tuple[str, Callable[[str], list[Document]]], ...] = (
        ("ids", lambda key: [row] if (row := table.get(key)) is not None else []),
        ("invoicenumbers", lambda key: table.find("number", key)),
        ("contactids", lambda key: table.find("contact", key)),
    )
    for name, find in sources:
        keys = split_list(call.query.get(name))
        if keys:
            rows = {row.id: row for key in keys for row in find(key.lower())}
            chosen = rows if chosen is None else {k: v for k, v in rows.items() if k in chosen}
    return None if chosen is None else list(chosen.values())


def _keep(call: Call) -> Callable[[Document], bool] | None:
    """Return the condition of Statuses, searchTerm and createdByMyApp, if any was sent."""
    statuses = {status.upper() for status in split_list(call.query.get("statuses"))}
    term = call.query.get("searchterm", "").lower()
    is_mine = call.query.get("createdbymyapp", "").lower() == "true"
    if not (statuses or term or is_mine):
        return None

    def keep(row: Document) -> bool:
        return (
            (not statuses or row.status in statuses)
            and (not term or term in row.number.lower() or term in row.reference.lower())
            and (not is_mine or row.client_id == call.client_id)
        )

    return keep


def schema(call_id_field: str, number_field: str, optimised: frozenset[str]) -> Schema[Document]:
    """Return the queryable fields of invoices or credit notes."""
    return Schema(
        {
            call_id_field: lambda row: row.id,
            number_field: lambda row: row.number,
            "type": lambda row: row.type,
            "status": lambda row: row.status,
            "reference": lambda row: row.reference,
            "date": lambda row: row.document_date,
            "duedate": lambda row: row.due_date,
            "contact.contactid": lambda row: row.contact_id,
            "amountdue": lambda row: row.due,
            "remainingcredit": lambda row: row.due,
            "amountpaid": lambda row: row.paid,
            "amountcredited": lambda row: row.credited,
            "subtotal": lambda row: row.sub_total,
            "totaltax": lambda row: row.total_tax,
            "total": lambda row: row.total,
            "currencycode": lambda row: row.currency,
            "url": lambda row: row.url,
            "hasattachments": lambda row: row.has_attachments,
            "senttocontact": lambda row: row.sent_to_contact,
            "fullypaidondate": lambda row: row.fully_paid_date,
            "updateddateutc": lambda row: row.updated_at,
        },
        optimised,
    )


LISTING: listing.Listing[Document] = listing.Listing(
    schema(
        "invoiceid",
        "invoicenumber",
        frozenset(
            {
                "status",
                "contact.contactid",
                "reference",
                "invoicenumber",
                "invoiceid",
                "type",
                "amountpaid",
                "amountdue",
                "date",
                "duedate",
                "updateddateutc",
            }
        ),
    ),
    indexes={
        "invoicenumber": "number",
        "contact.contactid": "contact",
        "reference": "reference",
    },
    id_fields=("invoiceid",),
    date_field="date",
)
