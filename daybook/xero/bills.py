"""Reads bills: what suppliers are owed or were paid."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of public signatures
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.xero.lookup import date_clause, pages
from daybook.xero.wire import amount_of, date_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from daybook.xero.client import XeroClient

_IN_THE_BOOKS: Final = frozenset(("AUTHORISED", "PAID"))


@dataclass(frozen=True, slots=True)
class BillInXero:
    """A bill as Xero holds it; `dates` are the bill's own and, once paid, that of the payment.

    `reference` is what the supplier calls it: Xero keeps that as the bill's number.
    """

    id_xero: str
    reference: str
    contact_name: str
    currency: str
    total_amount: Decimal
    dates: tuple[dt.date, ...]


def list_bills(client: XeroClient, first_date: dt.date, last_date: dt.date) -> Iterator[BillInXero]:
    """Every bill that counts in the books, dated in the period, ends included."""
    where = f'Type=="ACCPAY" AND {date_clause(first_date, last_date)}'
    for element in pages(client, "Invoices", {"where": where, "order": "InvoiceID"}):
        if text_of(element, "Type") != "ACCPAY" or text_of(element, "Status") not in _IN_THE_BOOKS:
            continue
        id_xero = text_of(element, "InvoiceID")
        where_said = f"bill {text_of(element, 'InvoiceNumber') or id_xero}"
        stated = [element.get("Date"), element.get("FullyPaidOnDate")]
        yield BillInXero(
            id_xero=id_xero,
            reference=" ".join(
                filter(None, (text_of(element, "InvoiceNumber"), text_of(element, "Reference")))
            ),
            contact_name=text_of(element.get("Contact") or {}, "Name"),
            currency=text_of(element, "CurrencyCode"),
            total_amount=amount_of(element.get("Total"), where_said),
            dates=tuple(date_of(one, where_said) for one in stated if one),
        )
