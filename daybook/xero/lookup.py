"""Reads back what Xero holds: documents of unknown outcome, and whole periods to reconcile.

Lookups are batched, 40 numbers or ids a call; lists come 1,000 a page.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of public signatures
from typing import TYPE_CHECKING, Final

from daybook.errors import FinalError
from daybook.posting.documents import DocumentKind
from daybook.xero.batches import lookup_chunks
from daybook.xero.wire import number_of, payment_in_xero, sales_document, text_of, type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from daybook.xero.client import XeroClient
    from daybook.xero.responses import Json
    from daybook.xero.wire import PaymentInXero, SalesDocumentInXero

PAGE_SIZE: Final = 1000
_PAGE_COUNT_MAX: Final = 1000
# A unique order: pages cut at a tie could repeat or miss a document.
_ID_FIELDS: Final = {DocumentKind.INVOICE: "InvoiceID", DocumentKind.CREDIT_NOTE: "CreditNoteID"}
_COLLECTIONS: Final = {DocumentKind.INVOICE: "Invoices", DocumentKind.CREDIT_NOTE: "CreditNotes"}


def find_by_number(
    client: XeroClient, kind: DocumentKind, numbers: Sequence[str]
) -> dict[str, SalesDocumentInXero]:
    """Return the documents with these numbers, lines and payments included; absent ones are not in.

    Where Xero holds a number twice (a deleted document and its successor) the live one is returned.

    Raises:
        DaybookError: Xero did not answer or refused.
    """
    found: dict[str, SalesDocumentInXero] = {}
    wanted = frozenset(numbers)
    for chunk in lookup_chunks(numbers, _clause_of(kind)):
        for element in pages(client, _COLLECTIONS[kind], _by_number(kind, chunk)):
            number = number_of(element, kind)
            if number not in wanted or text_of(element, "Type") != type_of(kind):
                continue
            document = sales_document(element, kind)
            if number not in found or (document.is_live and not found[number].is_live):
                found[number] = document
    return found


def list_sales_documents(
    client: XeroClient, kind: DocumentKind, first_date: dt.date, last_date: dt.date
) -> Iterator[SalesDocumentInXero]:
    """Read every invoice or credit note dated in the period, both ends included, in any status."""
    where = f'Type=="{type_of(kind)}" AND {date_clause(first_date, last_date)}'
    params = {"where": where, "order": _ID_FIELDS[kind], "unitdp": "4"}
    for element in pages(client, _COLLECTIONS[kind], params):
        yield sales_document(element, kind)


def payments_of(client: XeroClient, parent_ids_xero: Sequence[str]) -> tuple[PaymentInXero, ...]:
    """Return the payments in force on these invoices or credit notes, with reference and account.

    The payments listed on a document itself have a reference but no account: this call has both.
    """
    wanted = frozenset(parent_id.lower() for parent_id in parent_ids_xero)
    found: list[PaymentInXero] = []
    for chunk in lookup_chunks(parent_ids_xero, _parent_clause):
        any_parent = " OR ".join(_parent_clause(parent_id) for parent_id in chunk)
        where = f'Status=="AUTHORISED" AND ({any_parent})'
        for element in pages(client, "Payments", {"where": where}):
            payment = payment_in_xero(element)
            if payment.status != "DELETED" and payment.parent_id_xero.lower() in wanted:
                found.append(payment)
    return tuple(found)


def _by_number(kind: DocumentKind, numbers: tuple[str, ...]) -> dict[str, str]:
    """Invoices have a parameter for numbers; credit notes need a filter."""
    if kind is DocumentKind.INVOICE:
        return {"InvoiceNumbers": ",".join(numbers), "unitdp": "4"}
    clause = _clause_of(kind)
    any_number = " OR ".join(clause(number) for number in numbers)
    return {"where": f'Type=="{type_of(kind)}" AND ({any_number})', "unitdp": "4"}


def _clause_of(kind: DocumentKind) -> Callable[[str], str]:
    return str if kind is DocumentKind.INVOICE else _number_clause


def _number_clause(number: str) -> str:
    return f'CreditNoteNumber=="{number}"'


def _parent_clause(parent_id: str) -> str:
    return f'Invoice.InvoiceID==guid("{parent_id}")'


def date_clause(first_date: dt.date, last_date: dt.date) -> str:
    """Write a filter for a period, both ends included."""
    return f"Date>={_date_time(first_date)} AND Date<={_date_time(last_date)}"


def _date_time(date: dt.date) -> str:
    return f"DateTime({date.year}, {date.month:02}, {date.day:02})"


def pages(client: XeroClient, collection: str, params: dict[str, str]) -> Iterator[Json]:
    """Read all pages of a list; stops at Xero's page count, or at a page that is not full."""
    for page in range(1, _PAGE_COUNT_MAX + 1):
        paging = {"page": str(page), "pageSize": str(PAGE_SIZE)}
        content = client.get(f"/{collection}", {**params, **paging})
        elements = content.get(collection)
        if not isinstance(elements, list):
            raise FinalError(f"Xero's list of {collection} cannot be read; nothing was changed.")
        yield from elements
        if page >= _page_count(content) or not elements:
            return
    raise FinalError(f"Xero's list of {collection} has too many pages; choose a shorter period.")


def _page_count(content: Json) -> int:
    """Return how many pages Xero says there are; 1 when it does not page this list."""
    paging = content.get("pagination")
    count = paging.get("pageCount") if isinstance(paging, dict) else None
    return count if isinstance(count, int) else 1
