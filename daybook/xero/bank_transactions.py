"""Reads and updates bank transactions; the updates are complete, so that repeating them is safe."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of public signatures
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from daybook.errors import FinalError
from daybook.posting.documents import DocumentKind
from daybook.xero.lookup import date_clause, pages
from daybook.xero.wire import amount_of, bank_transaction_body, date_of, real_id, text_of, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from daybook.posting.documents import SpendMoney
    from daybook.xero.client import XeroClient
    from daybook.xero.responses import Json


@dataclass(frozen=True, slots=True)
class BankLineInXero:
    """One line of it, its amount with tax; `tracking` holds category and option by name."""

    description: str
    account_code: str
    tax_type: str
    amount: Decimal
    tracking: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class BankTransactionInXero:
    """A spend money or receive money as Xero holds it; lists may come without lines."""

    kind: DocumentKind
    id_xero: str
    reference: str
    status: str
    date: dt.date
    total_amount: Decimal
    bank_account_code: str
    contact_name: str
    is_reconciled: bool
    lines: tuple[BankLineInXero, ...] = ()

    @property
    def is_removed(self) -> bool:
        """Whether it does not count in the books any more."""
        return self.status in {"DELETED", "VOIDED"}


def list_bank_transactions(
    client: XeroClient, kind: DocumentKind, first_date: dt.date, last_date: dt.date
) -> Iterator[BankTransactionInXero]:
    """Every one of this kind that counts in the books, dated in the period, ends included."""
    where = f'Type=="{type_of(kind)}" AND Status=="AUTHORISED"'
    where += f" AND {date_clause(first_date, last_date)}"
    params = {"where": where, "order": "BankTransactionID"}
    for element in pages(client, "BankTransactions", params):
        found = _read(element)
        if found is not None and found.status == "AUTHORISED" and found.kind is kind:
            yield found


def read_bank_transaction(client: XeroClient, id_xero: str) -> BankTransactionInXero:
    """One of them, as it is now."""
    elements = client.get(f"/BankTransactions/{id_xero}").get("BankTransactions") or []
    found = _read(elements[0]) if elements else None
    if found is None:
        raise FinalError(f"Xero's bank transaction {id_xero} cannot be read; look at it in Xero.")
    return found


def update_bank_transaction(
    client: XeroClient, id_xero: str, document: SpendMoney, *, contact_id: str
) -> BankTransactionInXero:
    """Replace what it says by this document; again after a lost reply it comes to the same.

    Raises:
        Refused: Xero does not let it change, for instance because it is reconciled.
        UnknownOutcome: no answer; repeat it.
    """
    body = {"BankTransactionID": id_xero, **bank_transaction_body(document, contact_id)}
    content = client.write(
        "POST",
        "/BankTransactions",
        {"BankTransactions": [body]},
        params={"unitdp": "4"},
        idempotency_key=f"daybook-{uuid4().hex}",
    )
    elements = content.get("BankTransactions") or []
    found = _read(elements[0]) if elements else None
    if found is None:
        raise FinalError(f"Xero's answer to the update of {document.reference} cannot be read.")
    return found


def _read(element: Json) -> BankTransactionInXero | None:
    """None for transfers, prepayments and overpayments."""
    kinds = {type_of(kind): kind for kind in (DocumentKind.SPEND_MONEY, DocumentKind.RECEIVE_MONEY)}
    kind, id_xero = kinds.get(text_of(element, "Type")), real_id(element.get("BankTransactionID"))
    if kind is None or id_xero is None:
        return None
    where = f"bank transaction {text_of(element, 'Reference') or id_xero}"
    return BankTransactionInXero(
        kind=kind,
        id_xero=id_xero,
        reference=text_of(element, "Reference"),
        status=text_of(element, "Status"),
        date=date_of(element.get("Date"), where),
        total_amount=amount_of(element.get("Total"), where),
        bank_account_code=text_of(element.get("BankAccount") or {}, "Code"),
        contact_name=text_of(element.get("Contact") or {}, "Name"),
        is_reconciled=element.get("IsReconciled") is True,
        lines=tuple(_line(element, line, where) for line in element.get("LineItems") or []),
    )


def _line(element: Json, line: Json, where: str) -> BankLineInXero:
    amount = amount_of(line.get("LineAmount") or 0, where)
    if text_of(element, "LineAmountTypes") == "Exclusive":
        amount += amount_of(line.get("TaxAmount") or 0, where)
    return BankLineInXero(
        text_of(line, "Description"),
        text_of(line, "AccountCode"),
        text_of(line, "TaxType"),
        amount,
        frozenset(
            (text_of(one, "Name"), text_of(one, "Option")) for one in line.get("Tracking") or []
        ),
    )
