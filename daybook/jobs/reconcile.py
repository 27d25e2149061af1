"""Holds the ledger against what Xero says it holds: per store-day, to the cent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.errors import DaybookError, passes_soon
from daybook.ledger.store_day_lines import store_day_lines
from daybook.money import minor_from_amount
from daybook.posting.documents import DocumentKind
from daybook.xero.lookup import list_sales_documents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy import Engine

    from daybook.ledger.store_day_lines import StoreDayLine
    from daybook.sales.store import StoreDay
    from daybook.xero.client import XeroClient
    from daybook.xero.wire import SalesDocumentInXero


@dataclass(frozen=True, slots=True)
class ReconciledLine:
    """One store-day beside what Xero holds for it, in minor units and by Xero's own figures.

    Where its organisation could not be read, both figures are zero.
    """

    line: StoreDayLine
    xero_minor: int
    due_minor: int
    is_read: bool = True

    @property
    def difference_minor(self) -> int:
        """What Xero holds more than the receipts say; zero when the books equal the tills."""
        return self.xero_minor - self.line.receipts_minor

    @property
    def is_equal(self) -> bool:
        """Receipts, daily total, documents and Xero all say the same, and so do payments.

        What Xero says is due has to be what our payments leave open: nothing, or tenders that the
        mapping calls unpaid.
        """
        line = self.line
        sums = {line.receipts_minor, line.total_minor, line.documents_minor, self.xero_minor}
        return len(sums) == 1 and line.paid_minor + self.due_minor == line.documents_minor


def reconcile(
    engine: Engine,
    clients: Mapping[int, XeroClient],
    store_days: Collection[StoreDay],
    unread: dict[int, DaybookError] | None = None,
) -> list[ReconciledLine]:
    """Read back every organisation's documents of these dates and lay them beside the ledger.

    `clients` by the organisation's id in the ledger. One call reads back up to 1,000 documents.
    An organisation that cannot be read goes into `unread`, where that is given, and stops no other.
    """
    with engine.connect() as connection:
        lines = store_day_lines(connection, store_days)
    by_organisation = defaultdict(list)
    for line in lines:
        if line.organisation_id is not None and line.numbers:
            by_organisation[line.organisation_id].append(line)
    there: dict[tuple[int, str], SalesDocumentInXero] = {}
    for organisation_id, with_documents in by_organisation.items():
        try:
            for found in _read_back(clients[organisation_id], with_documents):
                there[organisation_id, found.number] = found
        except DaybookError as error:
            if unread is None or passes_soon(error):  # the step is tried again
                raise
            unread[organisation_id] = error
    return [
        ReconciledLine(line, 0, 0, is_read=False)
        if line.numbers and (line.organisation_id or 0) in (unread or {})
        else _beside(line, there)
        for line in lines
    ]


def _read_back(client: XeroClient, lines: Sequence[StoreDayLine]) -> Iterator[SalesDocumentInXero]:
    """What Xero holds of the dates of these lines."""
    dates = [line.store_day.business_date for line in lines]
    kinds = [DocumentKind.INVOICE]
    if any(line.has_credit_note for line in lines):
        kinds.append(DocumentKind.CREDIT_NOTE)
    for kind in kinds:
        yield from list_sales_documents(client, kind, min(dates), max(dates))


def _beside(
    line: StoreDayLine, there: Mapping[tuple[int, str], SalesDocumentInXero]
) -> ReconciledLine:
    xero_minor = due_minor = 0
    for number in line.numbers:
        found = there.get((line.organisation_id or 0, number))
        if found is not None and found.status in ("AUTHORISED", "PAID"):
            sign = -1 if found.kind is DocumentKind.CREDIT_NOTE else 1
            xero_minor += sign * minor_from_amount(found.total_amount, line.currency)
            due_minor += sign * minor_from_amount(found.due_amount, line.currency)
    return ReconciledLine(line, xero_minor, due_minor)
