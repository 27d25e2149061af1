"""Debits and credits behind the documents, and the summary a test compares with."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from daybook.sandbox.records import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from daybook.sandbox.books import Books
    from daybook.sandbox.records import Document

POSTED = frozenset({"AUTHORISED", "PAID"})
SALES_SIDE = frozenset({"ACCREC", "ACCPAYCREDIT", "RECEIVE"})


def balances(books: Books) -> dict[str, Decimal]:
    """Return debit minus credit per account id, from everything that is approved and live."""
    totals: dict[str, Decimal] = defaultdict(lambda: ZERO)
    control = {name: _system(books, name) for name in ("DEBTORS", "CREDITORS", "GST")}
    for document in _posted(books):
        sign = -1 if _is_credit_to_lines(document) else 1
        against = document.bank_account_id or control[_control_of(document)]
        totals[against] -= sign * document.total
        is_inclusive = document.line_amount_types == "Inclusive"
        for line in document.lines:
            net = line.line_amount - line.tax_amount if is_inclusive else line.line_amount
            if line.account_id:
                totals[line.account_id] += sign * net
            if line.tax_amount:
                totals[control["GST"]] += sign * line.tax_amount
    for payment in books.payments:
        if payment.status != "AUTHORISED":
            continue
        is_in = payment.type in {"ACCRECPAYMENT", "APCREDITPAYMENT"}
        side = "DEBTORS" if payment.type in {"ACCRECPAYMENT", "ARCREDITPAYMENT"} else "CREDITORS"
        sign = 1 if is_in else -1
        totals[payment.account_id] += sign * payment.bank_amount
        totals[control[side]] -= sign * payment.amount
    return dict(totals)


def _posted(books: Books) -> Iterator[Document]:
    for table in (books.invoices, books.credit_notes, books.bank_transactions):
        for document in table:
            if document.status in POSTED:
                yield document


def _is_credit_to_lines(document: Document) -> bool:
    """Tell whether the lines are credited: sales, supplier credits, money received."""
    return document.type in SALES_SIDE or document.type.startswith("RECEIVE")


def _control_of(document: Document) -> str:
    return "DEBTORS" if document.type.startswith("ACCREC") else "CREDITORS"


def _system(books: Books, name: str) -> str:
    """Return the id of a system account."""
    return books.accounts.find("system", name)[0].id


def summary(books: Books) -> dict[str, Any]:
    """Return counts, balances and every document with its amounts; decimals as text."""
    totals = balances(books)
    return {
        "tenant_id": books.organisation.id,
        "name": books.organisation.name,
        "currency": books.organisation.currency,
        "counts": {
            "invoices": dict(Counter(row.status for row in books.invoices)),
            "credit_notes": dict(Counter(row.status for row in books.credit_notes)),
            "bank_transactions": dict(Counter(row.status for row in books.bank_transactions)),
            "payments": dict(Counter(row.status for row in books.payments)),
            "batch_payments": dict(Counter(row.status for row in books.batch_payments)),
            "contacts": len(books.contacts),
            "attachments": len(books.attachments),
        },
        "accounts": [
            {
                "code": account.code,
                "name": account.name,
                "type": account.type,
                "balance": totals.get(account.id, ZERO),
            }
            for account in books.accounts
        ],
        "invoices": [_document_row(row) for row in books.invoices],
        "credit_notes": [_document_row(row) for row in books.credit_notes],
        "bank_transactions": [_document_row(row) for row in books.bank_transactions],
        "payments": [
            {
                "id": row.id,
                "document_id": row.document_id,
                "type": row.type,
                "status": row.status,
                "date": row.payment_date,
                "amount": row.amount,
                "reference": row.reference,
                "account_code": books.accounts.rows[row.account_id].code,
            }
            for row in books.payments
        ],
    }


def _document_row(row: Document) -> dict[str, Any]:
    return {
        "id": row.id,
        "type": row.type,
        "number": row.number,
        "reference": row.reference,
        "status": row.status,
        "date": row.document_date,
        "sub_total": row.sub_total,
        "total_tax": row.total_tax,
        "total": row.total,
        "amount_due": row.due,
        "amount_paid": row.paid,
        "amount_credited": row.credited,
    }
