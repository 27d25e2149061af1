"""Spend money and receive money: computed tax, real bank accounts, frozen once reconciled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox import batch, documents, history, lines, listing, payments, validation, wire
from daybook.sandbox.batch import Shape
from daybook.sandbox.query import Schema
from daybook.sandbox.routing import Route
from daybook.sandbox.validation import Invalid, NotFound

if TYPE_CHECKING:
    from daybook.sandbox.books import Books
    from daybook.sandbox.records import Account, Document
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

SHAPE = Shape("BankTransactions", "BankTransaction", "BankTransactionID", has_status=True)
TYPES = frozenset({"SPEND", "RECEIVE"})
FIELDS = wire.Fields(
    **documents.COMMON_FIELDS,
    BankTransactionID=wire.text,
    Type=wire.text,
    BankAccount=wire.one(payments.ACCOUNT_FIELDS),
    IsReconciled=wire.boolean,
    Status=wire.choice("BankTransactionStatus", "AUTHORISED", "DELETED", "VOIDED"),
)
KIND = documents.Kind(
    default_status="AUTHORISED",
    line_amount_types="Inclusive",
    complete=frozenset({"AUTHORISED"}),
    texts=documents.COMMON_TEXTS,
    is_bank=True,
)

# Routes


def list_bank_transactions(call: Call) -> Reply:
    """GET /BankTransactions: without a page no line items."""
    found = listing.select(call, call.books.bank_transactions, LISTING)
    content: Json = {"pagination": found.pagination} if found.pagination else {}
    is_full = found.pagination is not None
    elements = [bank_transaction_json(call, row, is_full=is_full) for row in found.rows]
    return call.reply(**content, BankTransactions=elements)


def get_bank_transaction(call: Call) -> Reply:
    """GET /BankTransactions/{BankTransactionID}."""
    return call.reply(BankTransactions=[bank_transaction_json(call, _known(call), is_full=True)])


def put_bank_transactions(call: Call) -> Reply:
    """PUT /BankTransactions: create only."""
    return batch.run(call, SHAPE, FIELDS, lambda given: _create(call, given))


def post_bank_transactions(call: Call) -> Reply:
    """POST /BankTransactions: update what BankTransactionID names, create the rest."""

    def apply(given: Json) -> Json:
        if not given.get("BankTransactionID"):
            return _create(call, given)
        known = call.books.bank_transactions.get(given["BankTransactionID"].lower())
        if known is None:
            raise Invalid(validation.BANK_TRANSACTION_UNKNOWN)
        return _update(call, known, given)

    return batch.run(call, SHAPE, FIELDS, apply)


def post_bank_transaction(call: Call) -> Reply:
    """POST /BankTransactions/{BankTransactionID}."""
    known = _known(call)
    return batch.run(call, SHAPE, FIELDS, lambda given: _update(call, known, given))


def _known(call: Call) -> Document:
    found = call.books.bank_transactions.get(call.ids[0].lower())
    if found is None:
        raise NotFound
    return found


# Rules


def _create(call: Call, given: Json) -> Json:
    if given.get("Type") not in TYPES:
        raise Invalid(validation.BANK_TYPE)
    if given.get("Status", "AUTHORISED") != "AUTHORISED":
        raise Invalid(validation.BANK_STATUS)
    return _store(call, given, _plan(call, given, None))


def _plan(call: Call, given: Json, before: Document | None) -> documents.Planned:
    """Work out the transaction as it would be; stores nothing."""
    messages: list[str] = []
    account = _bank_account(call.books, given, before, messages)
    currency = (account.currency if account else "") or call.books.organisation.currency
    planned = documents.plan(call, given | {"CurrencyCode": currency}, before, KIND)
    transaction = planned.document
    transaction.bank_account_id = account.id if account else ""
    if before is None and given.get("IsReconciled"):
        transaction.is_reconciled = True
    if transaction.lines and transaction.total <= 0 and not _is_negative_only(planned):
        messages.append(validation.BANK_TOTAL_POSITIVE)
    planned.messages.extend(messages)
    return planned


def _is_negative_only(planned: documents.Planned) -> bool:
    """Tell whether the negative total was already refused."""
    return validation.NEGATIVE_TOTAL in planned.messages


def _bank_account(
    books: Books, given: Json, before: Document | None, messages: list[str]
) -> Account | None:
    """Return the account the money leaves or reaches; it must be an active bank account."""
    named = given.get("BankAccount")
    if not named and before is not None:
        return books.accounts.get(before.bank_account_id)
    account = lines.find_account(books, named) if named else None
    if account is None or account.type != "BANK" or account.status != "ACTIVE":
        messages.append(validation.BANK_ACCOUNT_INVALID)
        return None
    return account


def _store(call: Call, given: Json, planned: documents.Planned) -> Json:
    if "LineItems" in given and not given["LineItems"]:
        planned.messages.append(validation.NO_LINES)
    transaction, contact = planned.checked()
    documents.store_contact(call.books, contact, is_sale=transaction.type == "RECEIVE")
    call.books.bank_transactions.put(transaction)
    return bank_transaction_json(call, transaction, is_full=True, is_write=True)


def _update(call: Call, known: Document, given: Json) -> Json:
    """Change or delete, unless reconciled or gone."""
    if known.is_reconciled:
        raise Invalid(validation.BANK_RECONCILED)
    if known.status != "AUTHORISED":
        raise Invalid(validation.BANK_STATUS)
    status = given.get("Status", "AUTHORISED")
    if status != "AUTHORISED":
        return _delete(call, known, status)
    planned = _plan(call, given, known)
    element = _store(call, given, planned)
    history.note(call, known.id, "Edited", "Changed through the API.")
    return element


def _delete(call: Call, known: Document, status: str) -> Json:
    if status != "DELETED":
        raise Invalid(validation.BANK_STATUS)
    validation.refuse_if(documents.lock_messages(call.books, known.document_date))
    deleted = msgspec.structs.replace(known, status=status, updated_at=call.now)
    call.books.bank_transactions.put(deleted)
    history.note(call, known.id, "Deleted", "Deleted through the API.")
    return bank_transaction_json(call, deleted, is_full=True, is_write=True)


# Wire form


def bank_transaction_json(
    call: Call, row: Document, *, is_full: bool, is_write: bool = False
) -> Json:
    """Return a bank transaction; `is_full` adds lines and the whole contact."""
    account = call.books.accounts.rows[row.bank_account_id]
    element: Json = {
        "BankTransactionID": row.id,
        "BankAccount": {"AccountID": account.id, "Code": account.code, "Name": account.name},
        "Type": row.type,
        "Reference": row.reference,
        "IsReconciled": row.is_reconciled,
        "HasAttachments": row.has_attachments,
        "CurrencyRate": row.currency_rate,
    }
    if row.url:
        element["Url"] = row.url
    element["Contact"] = documents.contact_json(call, row, is_full=is_full)
    element.update(documents.dates_json(row))
    element["Status"] = row.status
    element["LineAmountTypes"] = row.line_amount_types
    element["LineItems"] = documents.lines_json(call, row, is_write=is_write) if is_full else []
    return element | documents.totals_json(row)


LISTING: listing.Listing[Document] = listing.Listing(
    Schema(
        {
            "banktransactionid": lambda row: row.id,
            "type": lambda row: row.type,
            "status": lambda row: row.status,
            "reference": lambda row: row.reference or None,
            "date": lambda row: row.document_date,
            "contact.contactid": lambda row: row.contact_id,
            "bankaccount.accountid": lambda row: row.bank_account_id,
            "isreconciled": lambda row: row.is_reconciled,
            "hasattachments": lambda row: row.has_attachments,
            "subtotal": lambda row: row.sub_total,
            "totaltax": lambda row: row.total_tax,
            "total": lambda row: row.total,
            "currencycode": lambda row: row.currency,
            "url": lambda row: row.url,
            "updateddateutc": lambda row: row.updated_at,
        },
        frozenset(
            {"type", "status", "contact.contactid", "date", "banktransactionid", "updateddateutc"}
        ),
    ),
    indexes={"contact.contactid": "contact", "reference": "reference"},
    id_fields=("banktransactionid",),
    date_field="date",
)

_SCOPE = "accounting.banktransactions"
_ONE = "/BankTransactions/{BankTransactionID}"
ROUTES = (
    Route("GET", "/BankTransactions", _SCOPE, list_bank_transactions),
    Route("PUT", "/BankTransactions", _SCOPE, put_bank_transactions),
    Route("POST", "/BankTransactions", _SCOPE, post_bank_transactions),
    Route("GET", _ONE, _SCOPE, get_bank_transaction),
    Route("POST", _ONE, _SCOPE, post_bank_transaction),
)
