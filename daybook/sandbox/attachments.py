"""Files on documents, contacts and accounts: ten each, 10 MB each, of known types."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from daybook.sandbox import batch, history, records, validation
from daybook.sandbox.routing import Reply, Route
from daybook.sandbox.validation import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from daybook.sandbox.records import Attachment
    from daybook.sandbox.routing import Call
    from daybook.sandbox.wire import Json

PARENTS = {
    "Invoices": "invoices",
    "CreditNotes": "credit_notes",
    "BankTransactions": "bank_transactions",
    "Contacts": "contacts",
    "Accounts": "accounts",
}
WITH_ONLINE = frozenset({"Invoices", "CreditNotes"})
Parent: TypeAlias = Any
"""A record of any of those tables."""
MAX_COUNT = 10
MAX_NAME = 255
MAX_BYTES = 10 * 1024 * 1024
ILLEGAL = frozenset('<>:"/\\|?*+\0')
TYPES = frozenset(
    [
        "7z",
        "bmp",
        "csv",
        "doc",
        "docx",
        "eml",
        "gif",
        "jpeg",
        "jpg",
        "keynote",
        "msg",
        "numbers",
        "odf",
        "ods",
        "odt",
        "pages",
        "pdf",
        "png",
        "ppt",
        "pptx",
        "rar",
        "rtf",
        "tif",
        "tiff",
        "txt",
        "xls",
        "xlsx",
        "zip",
    ]
)

# Routes


def _routes(endpoint: str) -> tuple[Route, ...]:
    """Return the routes under one endpoint."""
    scope = "accounting.attachments"
    all_of = f"/{endpoint}/{{Guid}}/Attachments"
    one = f"{all_of}/{{FileName}}"
    return (
        Route("GET", all_of, scope, _for(endpoint, _list)),
        Route("GET", one, scope, _for(endpoint, _download)),
        Route("PUT", one, scope, _for(endpoint, _upload)),
        Route("POST", one, scope, _for(endpoint, _upload)),
    )


def _for(endpoint: str, act: Callable[[Call, str, Parent], Reply]) -> Callable[[Call], Reply]:
    """Find the parent, then act on it."""

    def answer(call: Call) -> Reply:
        parent = call.books.table(PARENTS[endpoint]).get(call.ids[0].lower())
        if parent is None:
            raise NotFound
        return act(call, endpoint, parent)

    return answer


def _list(call: Call, endpoint: str, parent: Parent) -> Reply:
    found = call.books.attachments.find("parent", (endpoint, parent.id))
    return call.reply(Attachments=[_json(call, row) for row in found])


def _download(call: Call, endpoint: str, parent: Parent) -> Reply:
    key = call.ids[1]
    for row in call.books.attachments.find("parent", (endpoint, parent.id)):
        if key in {row.id, row.file_name}:
            return Reply(200, row.content, row.mime_type)
    raise NotFound


def _upload(call: Call, endpoint: str, parent: Parent) -> Reply:
    name = call.ids[1]
    known = call.books.attachments.find("parent", (endpoint, parent.id))
    before = next((row for row in known if row.file_name == name), None)
    call.element_count = 1
    try:
        validation.refuse_if(_problems(name, call.body, known, before))
    except Invalid as invalid:
        element = {"FileName": name}
        shape = batch.Shape("Attachments", "Attachment", "AttachmentID", has_zero_id=False)
        return batch.validation_reply([batch.refused(shape, element, invalid)])
    attachment = records.Attachment(
        id=before.id if before else call.new_id(),
        endpoint=endpoint,
        parent_id=parent.id,
        file_name=name,
        mime_type=_mime_type(call, name),
        content=call.body,
        include_online=call.query.get("includeonline", "").lower() == "true"
        and endpoint in WITH_ONLINE,
    )
    call.books.attachments.put(attachment)
    if not parent.has_attachments:
        parent.has_attachments = True
        parent.updated_at = call.now
        call.books.table(PARENTS[endpoint]).put(parent)
    details = f"Attached the file {name} through the Xero API using {call.app_name}"
    history.note(call, parent.id, "Attached a file", details)
    return call.reply(Attachments=[_json(call, attachment)])


# Rules


def _problems(
    name: str, content: bytes, known: list[Attachment], before: Attachment | None
) -> list[str]:
    """Return what is wrong with a file about to be stored."""
    messages = []
    if ILLEGAL.intersection(name) or len(name) > MAX_NAME:
        messages.append(validation.ATTACHMENT_NAME)
    if name.rpartition(".")[2].lower() not in TYPES or "." not in name:
        messages.append(validation.ATTACHMENT_TYPE)
    if not content:
        messages.append(validation.ATTACHMENT_EMPTY)
    if len(content) > MAX_BYTES:
        messages.append(validation.ATTACHMENT_SIZE)
    if before is None and len(known) >= MAX_COUNT:
        messages.append(validation.ATTACHMENT_COUNT)
    return messages


def _mime_type(call: Call, name: str) -> str:
    """Return the type sent, or the one of the extension when only bytes were announced."""
    sent = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent and sent != "application/octet-stream" and "/" in sent:
        return sent
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


# Wire form


def _json(call: Call, row: Attachment) -> Json:
    url = f"{call.base_url}/api.xro/2.0/{row.endpoint}/{row.parent_id}/Attachments/"
    element: Json = {
        "AttachmentID": row.id,
        "FileName": row.file_name,
        "Url": url + quote(row.file_name),
        "MimeType": row.mime_type,
        "ContentLength": len(row.content),
    }
    if row.endpoint in WITH_ONLINE:
        element["IncludeOnline"] = row.include_online
    return element


ROUTES = tuple(route for endpoint in PARENTS for route in _routes(endpoint))
