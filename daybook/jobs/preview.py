"""Shows what a run would do, writing nothing anywhere: source to plan, all in memory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.jobs.plan import plan_store_day
from daybook.jobs.unreadable_days import UnreadableRows
from daybook.ledger.documents import known_documents
from daybook.ledger.mappings import read_mappings
from daybook.ledger.store_days import StoreDayStatus
from daybook.ledger.stores import read_stores
from daybook.sales.daily_totals import daily_totals
from daybook.sales.frames import joined
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Engine

    from daybook.pos.source import ReceiptSource
    from daybook.posting.documents import Document
    from daybook.sales.daily_total import DailyTotal


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen to one store-day."""

    status: StoreDayStatus
    totals: tuple[DailyTotal, ...]
    documents: tuple[Document, ...]
    known_count: int


def preview(
    engine: Engine, source: ReceiptSource, store_days: Collection[StoreDay], *, prefix: str
) -> list[Preview]:
    """Plan the store-days from the source's receipts; `known_count` documents are there already."""
    if not store_days:
        return []
    with engine.connect() as connection:
        stores = read_stores(connection, {day.store_id for day in store_days})
        mappings = read_mappings(connection)
        known = defaultdict(set)
        for document in known_documents(connection, store_days):
            known[document.store_day].add(document.natural_key)
    places = [one.store for one in stores.values()]
    first, last = min(store_days).business_date, max(store_days).business_date
    totals: dict[StoreDay, list[DailyTotal]] = defaultdict(list)
    batches, unreadable = [], UnreadableRows()
    for page in source.receipts(places, first, last):
        batches.append(page.batch)
        unreadable.add(page.rejects)
    held = unreadable.holds(places, first, last)
    for total in daily_totals(joined(batches), places):
        totals[StoreDay(total.business_date, total.store_id)].append(total)
    previews = []
    for day in sorted(store_days):
        status, new = plan_store_day(
            day,
            [(0, total) for total in totals[day]],
            store=stores[day.store_id],
            mappings=mappings,
            prefix=prefix,
        )
        if day in held:
            status, new = StoreDayStatus(day, "held", (held[day],)), []
        documents = tuple(one.document for one in new)
        there = sum(one.natural_key in known[day] for one in documents)
        previews.append(Preview(status, tuple(totals[day]), documents, there))
    return previews
