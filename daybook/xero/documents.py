"""Writes sales documents and payments in batches; tells for every element what became of it.

Every batch is sent with `summarizeErrors=false`: one refused element never blocks the others, and
each element of the reply says for itself whether it was saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from daybook.errors import FinalError, Refused, RefusedWhole, UnknownOutcome
from daybook.posting.documents import DocumentKind
from daybook.xero.batches import ELEMENT_COUNT_MAX
from daybook.xero.responses import messages_of, validation_messages
from daybook.xero.wire import (
    amount_of,
    bank_transaction_body,
    credit_note_body,
    id_of,
    invoice_body,
    number_of,
    payment_body,
    real_id,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    from daybook.posting.documents import SalesDocument, SpendMoney
    from daybook.xero.client import XeroClient
    from daybook.xero.responses import Json, JsonAny
    from daybook.xero.wire import PaymentToSend

_BATCH_PARAMS: Final = {"summarizeErrors": "false"}
_SALES_PARAMS: Final = {**_BATCH_PARAMS, "unitdp": "4"}


@dataclass(frozen=True, slots=True)
class Posted:
    """Saved: Xero gave it an id. `total_amount` is what Xero makes of it; compare it."""

    id_xero: str
    number: str
    total_amount: Decimal
    status: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """Not saved; `messages` are Xero's own words."""

    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unclear:
    """The reply says neither that it was saved nor why not: look it up, as after a lost reply."""

    reason: str


Outcome: TypeAlias = Posted | Rejected | Unclear


def put_invoices(
    client: XeroClient,
    documents: Sequence[SalesDocument],
    *,
    contact_ids: Mapping[str, str],
    idempotency_key: str,
) -> tuple[Outcome, ...]:
    """Create invoices in one call; the outcomes are in the order of the documents.

    Raises:
        UnknownOutcome: nothing is known of any of them; look them all up. `RefusedWhole` when Xero
            refused the batch without saying which of them is at fault.
        DaybookError: none was saved.
    """
    bodies = [invoice_body(document, contact_ids[document.contact_name]) for document in documents]
    elements = _put(client, "Invoices", bodies, idempotency_key)
    return _sales_outcomes(documents, elements, DocumentKind.INVOICE)


def put_credit_notes(
    client: XeroClient,
    documents: Sequence[SalesDocument],
    *,
    contact_ids: Mapping[str, str],
    idempotency_key: str,
) -> tuple[Outcome, ...]:
    """Create credit notes in one call, as `put_invoices` does."""
    bodies = [
        credit_note_body(document, contact_ids[document.contact_name]) for document in documents
    ]
    elements = _put(client, "CreditNotes", bodies, idempotency_key)
    return _sales_outcomes(documents, elements, DocumentKind.CREDIT_NOTE)


def put_payments(
    client: XeroClient, payments: Sequence[PaymentToSend], *, idempotency_key: str
) -> tuple[Outcome, ...]:
    """Create payments and refunds in one call, as `put_invoices` does."""
    bodies = [payment_body(payment) for payment in payments]
    elements = _put(client, "Payments", bodies, idempotency_key)
    wanted = [_payment_name(payment) for payment in payments]
    found = _matched(wanted, elements, _payment_name_in_reply)
    return tuple(
        _outcome(element, real_id(text_of(element, "PaymentID")), "Amount", "Reference")
        if element is not None
        else _missing(payment.payment.reference)
        for payment, element in zip(payments, found, strict=True)
    )


def put_bank_transactions(
    client: XeroClient,
    documents: Sequence[SpendMoney],
    *,
    contact_ids: Mapping[str, str],
    idempotency_key: str,
) -> tuple[Outcome, ...]:
    """Create spend money and receive money in one call, as `put_invoices` does."""
    bodies = [bank_transaction_body(one, contact_ids[one.contact_name]) for one in documents]
    elements = _put(client, "BankTransactions", bodies, idempotency_key)
    wanted = [document.reference for document in documents]
    found = _matched(wanted, elements, lambda element: text_of(element, "Reference"))
    return tuple(
        _outcome(element, real_id(element.get("BankTransactionID")), "Total", "Reference")
        if element is not None
        else _missing(document.reference)
        for document, element in zip(documents, found, strict=True)
    )


def _put(
    client: XeroClient, collection: str, bodies: list[Json], idempotency_key: str
) -> list[JsonAny]:
    """Send one batch and return the reply's elements."""
    assert 0 < len(bodies) <= ELEMENT_COUNT_MAX
    params = _BATCH_PARAMS if collection == "Payments" else _SALES_PARAMS
    path = f"/{collection}"
    try:
        content = client.write(
            "PUT", path, {collection: bodies}, params=params, idempotency_key=idempotency_key
        )
    except Refused as refusal:
        if len(bodies) == 1:
            return [{"ValidationErrors": [{"Message": text} for text in refusal.messages]}]
        # A summarised refusal of a batch has saved its valid elements all the same.
        raise RefusedWhole(
            f"Xero refused PUT {path} as a whole, which may have saved some of the {len(bodies)} "
            f"elements; Daybook looks them up. Xero said: {' '.join(refusal.messages)}",
            refusal.messages,
        ) from refusal
    elements = content.get(collection)
    if not isinstance(elements, list):
        raise UnknownOutcome(
            f"Xero's reply to PUT {path} has no {collection}, so it is not known what was saved; "
            "Daybook looks it up before it goes on."
        )
    return elements


def _sales_outcomes(
    documents: Sequence[SalesDocument], elements: list[JsonAny], kind: DocumentKind
) -> tuple[Outcome, ...]:
    wanted = [document.number for document in documents]
    found = _matched(wanted, elements, lambda element: number_of(element, kind))
    number_field = "InvoiceNumber" if kind is DocumentKind.INVOICE else "CreditNoteNumber"
    return tuple(
        _outcome(element, id_of(element, kind), "Total", number_field)
        if element is not None
        else _missing(document.number)
        for document, element in zip(documents, found, strict=True)
    )


def _matched(
    wanted: Sequence[str], elements: list[JsonAny], name_of: Callable[[Json], str]
) -> list[Json | None]:
    """Return for each wanted name its element: the one at its position, if that has the name.

    Xero keeps the order as far as anyone has seen. Where it does not, the name decides, if just one
    element has it. An element that failed without echoing its name counts by position.
    """
    by_name: dict[str, list[Json]] = {}
    for element in elements:
        if isinstance(element, dict):
            by_name.setdefault(name_of(element), []).append(element)
    matched: list[Json | None] = []
    for position, name in enumerate(wanted):
        at_position = elements[position] if position < len(elements) else None
        candidates = by_name.get(name, [])
        if isinstance(at_position, dict) and _may_be(name_of(at_position), name, at_position):
            matched.append(at_position)
        else:
            matched.append(candidates[0] if len(candidates) == 1 else None)
    return matched


def _may_be(found: str, wanted: str, element: Json) -> bool:
    return found == wanted or (found == "" and bool(validation_messages(element)))


def _outcome(element: Json, identity: str | None, amount_field: str, name_field: str) -> Outcome:
    """Judge one element: only an id without errors is success."""
    name = text_of(element, name_field)
    messages, warnings = messages_of(element)
    has_failed = text_of(element, "StatusAttributeString") == "ERROR"
    if messages or has_failed:
        return Rejected(messages or ("Xero marked it as an error without saying why.",))
    if identity is None:
        return Unclear(f"Xero's reply gives {name or 'an element'} no id and no error.")
    try:
        amount = amount_of(element.get(amount_field), name)
    except FinalError as error:  # it is saved: this must not look like a refusal
        return Unclear(str(error))
    return Posted(
        identity,
        name,
        amount,
        text_of(element, "Status"),
        warnings,
    )


def _missing(name: str) -> Unclear:
    return Unclear(f"Xero's reply does not mention {name}.")


def _payment_name(to_send: PaymentToSend) -> str:
    return f"{to_send.parent_id_xero.lower()} {to_send.payment.reference}"


def _payment_name_in_reply(element: Json) -> str:
    """Name a payment by the document it pays and its reference; "" when it echoes neither."""
    parent = element.get("Invoice") or element.get("CreditNote") or {}
    parent_id = text_of(parent, "InvoiceID") or text_of(parent, "CreditNoteID")
    return f"{parent_id.lower()} {text_of(element, 'Reference')}".strip()
