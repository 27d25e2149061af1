"""Files on bank transactions: what is there, and adding one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

from daybook.errors import FinalError, Refused, UnknownOutcome
from daybook.xero.responses import validation_messages
from daybook.xero.wire import text_of

if TYPE_CHECKING:
    from daybook.xero.client import XeroClient


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file on a document in Xero."""

    name: str
    byte_count: int


def attached_files(client: XeroClient, id_xero: str) -> tuple[AttachedFile, ...]:
    """The files on a bank transaction."""
    content = client.get(f"/BankTransactions/{id_xero}/Attachments")
    rows = content.get("Attachments")
    if not isinstance(rows, list):
        raise FinalError("Xero's list of attachments cannot be read; nothing was changed.")
    return tuple(
        AttachedFile(text_of(row, "FileName"), int(row.get("ContentLength") or 0)) for row in rows
    )


def attach(
    client: XeroClient, id_xero: str, name: str, content: bytes, *, content_type: str
) -> AttachedFile:
    """Attach a file; one of the same name is replaced.

    Raises:
        Refused: Xero does not take it.
        UnknownOutcome: no answer; see what is attached before sending it again.
    """
    path = f"/BankTransactions/{id_xero}/Attachments/{quote(name, safe='')}"
    reply = client.upload(
        path, content, content_type=content_type, idempotency_key=f"daybook-{uuid4().hex}"
    )
    messages = validation_messages(reply)
    if messages:
        raise Refused(f"Xero does not take {name}: {' '.join(messages)}", messages)
    rows = reply.get("Attachments")
    if not isinstance(rows, list) or not rows:
        raise UnknownOutcome(f"Xero's reply does not mention {name}; Daybook looks it up.")
    return AttachedFile(text_of(rows[0], "FileName"), int(rows[0].get("ContentLength") or 0))
