"""The whole documents of store-days, for comparing what was filed with what is wanted now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from daybook.ledger.documents import SENT_STATES, pairs
from daybook.posting.documents import DocumentKind, decode
from daybook.posting.revisions import Filed
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class FiledDocument:
    """A filed document and its row."""

    document_id: int
    organisation_id: int
    filed: Filed
    state: str
    id_xero: str | None


def filed_documents(
    connection: Connection, store_days: Collection[StoreDay], *, for_update: bool = False
) -> dict[StoreDay, list[FiledDocument]]:
    """Every document of these store-days, in the order in which it was stored.

    One that is in Xero, but not as we know it, does not count as sent: it may still be planned
    anew, and is adopted when that is what Xero holds.

    With `for_update` no loader claims one of them until the transaction ends: not between a
    comparison and what follows from it.
    """
    found: dict[StoreDay, list[FiledDocument]] = defaultdict(list)
    for row in connection.execute(_FILED_LOCKED if for_update else _FILED, pairs(store_days)):
        document = decode(DocumentKind(row.kind), row.content.encode())
        is_sent = row.state in SENT_STATES and not row.is_different
        filed = Filed(document, is_sent, row.daily_total_id)
        found[StoreDay(row.business_date, row.store_id)].append(
            FiledDocument(row.id, row.organisation_id, filed, row.state, row.id_xero)
        )
    return found


_FILED: Final = text("""
    SELECT d.id, d.organisation_id, d.business_date, d.store_id, d.kind, d.state, d.daily_total_id,
        d.id_xero, d.state = 'unknown' AND d.problem IS NOT NULL AS is_different,
        CAST(d.content AS text) AS content
    FROM documents d
    JOIN unnest(CAST(:dates AS date[]), CAST(:stores AS text[])) AS s(business_date, store_id)
      USING (business_date, store_id)
    ORDER BY d.id
""")
_FILED_LOCKED: Final = text(f"{_FILED.text} FOR UPDATE OF d")
