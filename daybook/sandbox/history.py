"""History of an object: the sandbox's own entries and an app's notes; never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.sandbox import batch, records, validation, wire
from daybook.sandbox.routing import Route
from daybook.sandbox.validation import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from daybook.sandbox.records import HistoryRecord
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

SHAPE = batch.Shape("HistoryRecords", "HistoryRecord", "HistoryRecordID", has_zero_id=False)
FIELDS = wire.Fields(Details=wire.text)
MAX_DETAILS = 2500
ENDPOINTS = {
    "Invoices": ("invoices", "accounting.invoices"),
    "CreditNotes": ("credit_notes", "accounting.invoices"),
    "Payments": ("payments", "accounting.payments"),
    "BatchPayments": ("batch_payments", "accounting.payments"),
    "BankTransactions": ("bank_transactions", "accounting.banktransactions"),
    "Contacts": ("contacts", "accounting.contacts"),
}


def note(call: Call, parent_id: str, changes: str, details: str) -> HistoryRecord:
    """Write one entry."""
    entry = records.HistoryRecord(
        id=call.new_id(),
        parent_id=parent_id,
        changes=changes,
        details=details,
        user=call.user_name,
        written_at=call.now,
    )
    call.books.history.put(entry)
    return entry


def _lister(table: str) -> Callable[[Call], Reply]:
    """Return the answer of GET /{Endpoint}/{id}/History."""

    def list_history(call: Call) -> Reply:
        parent = call.books.table(table).get(call.ids[0].lower())
        if parent is None:
            raise NotFound
        found = [_json(entry) for entry in call.books.history.find("parent", parent.id)]
        created_at = getattr(parent, "created_at", None)
        if created_at is not None:
            first = records.HistoryRecord(
                id="", parent_id=parent.id, changes="Created", details="", user="System Generated",
                written_at=created_at,
            )  # fmt: skip
            found.insert(0, _json(first))
        return call.reply(HistoryRecords=found[::-1])

    return list_history


def _writer(table: str) -> Callable[[Call], Reply]:
    """Return the answer of PUT /{Endpoint}/{id}/History."""

    def put_history(call: Call) -> Reply:
        parent = call.books.table(table).get(call.ids[0].lower())
        if parent is None:
            raise NotFound

        def apply(given: Json) -> Json:
            details = given.get("Details", "")
            if not 0 < len(details) <= MAX_DETAILS:
                raise Invalid(validation.NOTE_LENGTH)
            return _json(note(call, parent.id, "Note", details))

        return batch.run(call, SHAPE, FIELDS, apply)

    return put_history


def _json(entry: HistoryRecord) -> Json:
    return {
        "Changes": entry.changes,
        "DateUTCString": entry.written_at.strftime("%Y-%m-%dT%H:%M:%S"),
        "DateUTC": wire.instant(entry.written_at),
        "User": entry.user,
        "Details": entry.details,
    }


ROUTES = tuple(
    route
    for endpoint, (table, scope) in ENDPOINTS.items()
    for route in (
        Route("GET", f"/{endpoint}/{{Guid}}/History", scope, _lister(table)),
        Route("PUT", f"/{endpoint}/{{Guid}}/History", scope, _writer(table)),
    )
)
