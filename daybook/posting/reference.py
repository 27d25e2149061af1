"""Numbers, references and natural keys: the same fact always gets the same one.

Xero refuses a second sales invoice with the same number; payments have no number there, so their
`Reference` carries what the ledger's natural key says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


def invoice_number(
    prefix: str, store_id: str, business_date: dt.date, *, currency: str | None = None
) -> str:
    """`DB-356-20170315`; `currency` only where it is not the store's own."""
    parts = [prefix, store_id, f"{business_date:%Y%m%d}"]
    return "-".join(parts if currency is None else [*parts, currency])


def credit_note_number(invoice: str) -> str:
    """The number of the credit note that stands beside an invoice."""
    return f"{invoice}-CN"


def document_key(kind: str, store_id: str, business_date: dt.date, currency: str) -> str:
    """The natural key of a store-day's invoice or credit note."""
    return f"{kind}:{store_id}:{business_date.isoformat()}:{currency}"


def payment_key(of_document: str, tender: str) -> str:
    """The natural key of what one tender paid on a document."""
    return f"payment:{of_document}:{tender}"


def payment_reference(number: str, tender: str) -> str:
    """`DB-356-20170315 Credit card`: what tells the payments of one document apart in Xero."""
    return f"{number} {tender}"


def expense_key(expense_id: str) -> str:
    """The natural key of an expense's spend money or receive money."""
    return f"expense:{expense_id}"


def correction_key(of_expense: str, number: int) -> str:
    """The natural key of an expense's correcting entry; `of_expense` is the expense's own key."""
    return f"{of_expense}:correction:{number}"


def correction_reference(of_expense: str, number: int) -> str:
    """`DB-EXP-aspire-1f0c-C1`: the first correcting entry of that expense."""
    return f"{of_expense}-C{number}"


def expense_reference(prefix: str, expense_id: str) -> str:
    """`DB-EXP-aspire-1f0c`: what tells an expense's bank transaction from all others in Xero."""
    return f"{prefix}-EXP-{expense_id}"
