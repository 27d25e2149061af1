"""Shows what a run would do, writing nothing anywhere: source to plan, all in memory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.errors import InputError
from daybook.jobs.choose_store_days import runs_of_dates
from daybook.jobs.plan import plan_store_day
from daybook.jobs.unreadable_days import UnreadableRows
from daybook.ledger.documents import known_documents
from daybook.ledger.mappings import read_mappings
from daybook.ledger.store_days import StoreDayStatus
from daybook.ledger.stores import read_stores
from daybook.pos.qashier_balance import receipt_id
from daybook.posting.holds import Hold, HoldCode
from daybook.sales.daily_totals import daily_totals
from daybook.sales.frames import joined
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Engine

    from daybook.pos.source import ReceiptSource
    from daybook.posting.documents import Document
    from daybook.sales.daily_total import DailyTotal
    from daybook.sales.store import Store


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
        stores = read_stores(connection)
        mappings = read_mappings(connection)
        known = defaultdict(set)
        for document in known_documents(connection, store_days):
            known[document.store_day].add(document.natural_key)
    totals: dict[StoreDay, list[DailyTotal]] = {}
    held: dict[StoreDay, Hold] = {}
    sums_only: set[StoreDay] = set()
    runs = list(runs_of_dates(store_days))
    for run in runs:
        places = [stores[key].store for key in sorted({day.store_id for day in run})]
        try:
            found, holds, reported = _read(source, places, run, known_store_ids=stores)
        except InputError as error:
            if len(runs) == 1:
                raise
            # Dates that the source does not give out stop no others.
            hold = Hold(HoldCode.UNREADABLE, source.name, str(error))
            found, holds, reported = {}, dict.fromkeys(run, hold), set()
        sums_only |= reported
        totals.update(found)
        held.update(holds)
    previews = []
    for day in sorted(store_days):
        status, new = plan_store_day(
            day,
            [(0, total) for total in totals.get(day, [])],
            store=stores[day.store_id],
            mappings=mappings,
            prefix=prefix,
            is_sums_only=day in sums_only,
        )
        if day in held:
            status, new = StoreDayStatus(day, "held", (held[day],)), []
        documents = tuple(one.document for one in new)
        there = sum(one.natural_key in known[day] for one in documents)
        previews.append(Preview(status, tuple(totals.get(day, [])), documents, there))
    return previews


def _read(
    source: ReceiptSource,
    stores: Sequence[Store],
    run: Sequence[StoreDay],
    *,
    known_store_ids: Collection[str],
) -> tuple[dict[StoreDay, list[DailyTotal]], Mapping[StoreDay, Hold], set[StoreDay]]:
    """The stores' daily totals between the first and the last day, days to be held, sums only."""
    first, last = run[0].business_date, run[-1].business_date
    batches, unreadable = [], UnreadableRows()
    reports = {(day.store_id, receipt_id(day.business_date)): day for day in run}
    reported: set[StoreDay] = set()
    for page in source.receipts(stores, first, last, known_store_ids=known_store_ids):
        batches.append(page.batch)
        keys = page.batch.receipts[["store_id", "receipt_id_pos"]].itertuples(
            index=False, name=None
        )
        reported.update(reports[key] for key in keys if key in reports)
        unreadable.add(page.rejects)
    totals: defaultdict[StoreDay, list[DailyTotal]] = defaultdict(list)
    for total in daily_totals(joined(batches), stores):
        totals[StoreDay(total.business_date, total.store_id)].append(total)
    return totals, unreadable.holds(stores, first, last), reported
