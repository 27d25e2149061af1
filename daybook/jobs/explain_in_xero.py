"""A store-day's documents: what the ledger has of them, and what Xero itself says of them now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from daybook.ledger.filed_documents import filed_documents
from daybook.money import amount_from_minor, minor_from_amount
from daybook.posting.documents import DocumentKind, Payment, SalesDocument
from daybook.xero.lookup import list_sales_documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Engine

    from daybook.ledger.filed_documents import FiledDocument
    from daybook.sales.store import StoreDay
    from daybook.xero.client import XeroClient
    from daybook.xero.wire import SalesDocumentInXero

_IN_FORCE = frozenset({"AUTHORISED", "PAID"})


@dataclass(frozen=True, slots=True)
class XeroFigures:
    """What Xero says of a document: PAID, AUTHORISED, VOIDED ..., and what is still due."""

    status: str
    total_minor: int
    due_minor: int


@dataclass(frozen=True, slots=True)
class DocumentFigures:
    """An invoice or credit note of the ledger; minor units, `paid_minor` by the ledger's payments.

    `in_xero` is None where Xero was not asked, or has no such document.
    """

    kind: DocumentKind
    number: str
    currency: str
    state: str
    id_xero: str | None
    total_minor: int
    paid_minor: int
    in_xero: XeroFigures | None = None

    @property
    def is_equal(self) -> bool:
        """Whether Xero holds it as the ledger has it, paid as the ledger paid it."""
        there = self.in_xero
        return (
            there is not None
            and there.status in _IN_FORCE
            and there.total_minor == self.total_minor
            and there.due_minor == self.total_minor - self.paid_minor
        )


def document_figures(engine: Engine, store_day: StoreDay) -> tuple[DocumentFigures, ...]:
    """The store-day's documents as the ledger has them; nothing is locked, nobody is asked."""
    with engine.connect() as connection:
        filed = filed_documents(connection, [store_day])[store_day]
    return tuple(_figures(filed))


def figures_in_xero(
    engine: Engine, store_day: StoreDay, client_of: Callable[[int], XeroClient]
) -> tuple[DocumentFigures, ...]:
    """The same, each with what Xero says of it now; `client_of` an organisation in the ledger."""
    with engine.connect() as connection:
        filed = filed_documents(connection, [store_day])[store_day]
    there: dict[tuple[str, str], SalesDocumentInXero] = {}
    for organisation_id, kinds in _kinds(filed).items():
        documents = [one.filed.document for one in filed]
        dates = [one.date for one in documents if isinstance(one, SalesDocument)]
        for kind in sorted(kinds):
            for found in list_sales_documents(
                client_of(organisation_id), kind, min(dates), max(dates)
            ):
                there[found.kind, found.number] = found
    return tuple(_beside(one, there.get((one.kind, one.number))) for one in _figures(filed))


def xero_sentence(figures: Sequence[DocumentFigures]) -> str:
    """Whether Xero says the same as the ledger, and what not."""
    if not figures:
        return "There is no document that Xero could have."
    odd = [_difference(one) for one in figures if not one.is_equal]
    return "; ".join(odd) + "." if odd else "Xero says the same to the cent."


def _kinds(filed: Iterable[FiledDocument]) -> dict[int, set[DocumentKind]]:
    """Which kinds of sales documents each organisation has."""
    kinds: defaultdict[int, set[DocumentKind]] = defaultdict(set)
    for one in filed:
        if isinstance(one.filed.document, SalesDocument):
            kinds[one.organisation_id].add(one.filed.document.kind)
    return kinds


def _figures(filed: Sequence[FiledDocument]) -> list[DocumentFigures]:
    """The invoices and credit notes, by number."""
    paid: defaultdict[str, int] = defaultdict(int)
    for one in filed:
        document = one.filed.document
        if isinstance(document, Payment) and one.state == "posted":
            paid[document.document_key] += minor_from_amount(document.amount, document.currency)
    found = [
        DocumentFigures(
            document.kind,
            document.number,
            document.currency,
            one.state,
            one.id_xero,
            minor_from_amount(document.total_amount, document.currency),
            paid[document.natural_key],
        )
        for one in filed
        if isinstance(document := one.filed.document, SalesDocument)
    ]
    return sorted(found, key=lambda one: one.number)


def _beside(one: DocumentFigures, found: SalesDocumentInXero | None) -> DocumentFigures:
    if found is None:
        return one
    total, due = (
        minor_from_amount(amount, one.currency) for amount in (found.total_amount, found.due_amount)
    )
    return replace(one, in_xero=XeroFigures(found.status, total, due))


def _difference(one: DocumentFigures) -> str:
    there = one.in_xero
    if there is None:
        return f"Xero has no {one.kind.replace('_', ' ')} {one.number}, the ledger says {one.state}"
    ours, due = (
        amount_from_minor(minor, one.currency)
        for minor in (one.total_minor, one.total_minor - one.paid_minor)
    )
    theirs, their_due = (
        amount_from_minor(minor, one.currency) for minor in (there.total_minor, there.due_minor)
    )
    return (
        f"Xero says {theirs} {one.currency} with {their_due} due of {one.number} ({there.status}), "
        f"the ledger {ours} with {due} due ({one.state})"
    )
