"""Plans the documents of store-days; what cannot be planned is held with its reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.ledger.daily_totals import read_daily_totals
from daybook.ledger.documents import (
    SENT_STATES,
    NewDocument,
    delete_unsent,
    known_documents,
    retry_rejected,
    write_planned,
)
from daybook.ledger.mappings import read_mappings
from daybook.ledger.store_days import StoreDayStatus, settle_store_days, write_store_days
from daybook.ledger.stores import read_stores
from daybook.posting.control_holds import hold_of
from daybook.posting.documents import payload_hash
from daybook.posting.holds import Hold, HoldCode
from daybook.posting.plan import Plan, plan_documents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock
    from daybook.ledger.documents import KnownDocument
    from daybook.ledger.mappings import DatedMappings
    from daybook.ledger.stores import LedgerStore
    from daybook.sales.control_totals import ControlFailure
    from daybook.sales.daily_total import DailyTotal
    from daybook.sales.store import StoreDay


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning came to: documents newly planned, and where each store-day stands."""

    document_count: int
    statuses: tuple[StoreDayStatus, ...]

    @property
    def sentences(self) -> list[str]:
        """One sentence per hold, with store and date."""
        return [
            f"{one.store_day.business_date} store {one.store_day.store_id} is {one.state}: "
            f"{hold.sentence}"
            for one in self.statuses
            for hold in one.holds
        ]

    def __str__(self) -> str:
        """For the log."""
        states = Counter(one.state.replace("_", " ") for one in self.statuses)
        counted = ", ".join(f"{count} {state}" for state, count in states.items())
        return f"{self.document_count} documents planned; store-days: {counted}"


def plan(
    engine: Engine,
    store_days: Collection[StoreDay],
    *,
    control_failures: Iterable[ControlFailure] = (),
    prefix: str,
    run_id: str,
    clock: Clock,
) -> Planned:
    """Plan every store-day from its current daily totals; run again, it changes nothing.

    A store-day with a control failure is held, whatever its totals say.
    """
    now_at = clock.now()
    failed = defaultdict(list)
    for failure in control_failures:
        failed[failure.store_day].append(hold_of(failure))
    with engine.begin() as connection:
        stores = read_stores(connection, {day.store_id for day in store_days})
        mappings = read_mappings(connection)
        totals = defaultdict(list)
        for stored in read_daily_totals(connection, store_days):
            day = stored.store_day
            totals[day].append((stored.daily_total_id, stored.total))
        known = defaultdict(list)
        for document in known_documents(connection, store_days, for_update=True):
            known[document.store_day].append(document)
        statuses: list[StoreDayStatus] = []
        wanted: list[NewDocument] = []
        vanished: list[int] = []
        for day in sorted(store_days):
            new: list[NewDocument] = []
            if failed[day]:
                status = StoreDayStatus(day, "held", tuple(failed[day]))
            else:
                status, new = plan_store_day(
                    day, totals[day], store=stores[day.store_id], mappings=mappings, prefix=prefix
                )
            if changed := _changed_after_posting(day, new, known[day]):
                status, new = changed, []
            else:
                keys = {one.document.natural_key for one in new}
                vanished += [d.document_id for d in known[day] if d.natural_key not in keys]
            statuses.append(status)
            wanted += _to_write(new, known[day])
        delete_unsent(connection, vanished)
        retry_rejected(connection, store_days)
        count = write_planned(connection, wanted, run_id=run_id, now_at=now_at)
        _write_statuses(connection, statuses, run_id=run_id, clock=clock)
    return Planned(count, tuple(statuses))


def plan_store_day(
    day: StoreDay,
    totals: Sequence[tuple[int, DailyTotal]],
    *,
    store: LedgerStore,
    mappings: Mapping[int, DatedMappings],
    prefix: str,
) -> tuple[StoreDayStatus, list[NewDocument]]:
    """One store-day's documents over all its currencies, or the reasons why there are none."""
    if not totals:
        return StoreDayStatus(day, "no_sales"), []
    if store.organisation_id is None:
        return StoreDayStatus(day, "held", (_no_organisation(store),)), []
    dated = mappings.get(store.organisation_id)
    mapping = dated.on(day.business_date) if dated else None
    if mapping is None:
        return StoreDayStatus(day, "held", (_no_mapping(day),)), []
    plans: list[tuple[int, Plan]] = [
        (total_id, plan_documents(total, store=store.store, mapping=mapping, prefix=prefix))
        for total_id, total in totals
    ]
    if holds := tuple(hold for _, one in plans for hold in one.holds):
        return StoreDayStatus(day, "held", holds), []
    return StoreDayStatus(day, "planned"), [
        NewDocument(store.organisation_id, day, total_id, document)
        for total_id, one in plans
        for document in one.documents
    ]


def _to_write(new: Sequence[NewDocument], known: Sequence[KnownDocument]) -> list[NewDocument]:
    same = {one.natural_key: one.payload_hash for one in known}
    return [one for one in new if same.get(one.document.natural_key) != payload_hash(one.document)]


def _changed_after_posting(
    day: StoreDay, new: Sequence[NewDocument], known: Sequence[KnownDocument]
) -> StoreDayStatus | None:
    """A failed status when a document that has left for Xero is not what would be posted today."""
    wanted = {one.document.natural_key: payload_hash(one.document) for one in new}
    stale = [
        one.natural_key
        for one in known
        if one.state in SENT_STATES and wanted.get(one.natural_key) != one.payload_hash
    ]
    if not stale:
        return None
    hold = Hold(
        HoldCode.CHANGED_AFTER_POSTING,
        ", ".join(sorted(stale)),
        f"The receipts of {day.business_date} at store {day.store_id} have changed since the day "
        "was posted. What is in Xero was left as it is: compare the two and post the difference.",
    )
    return StoreDayStatus(day, "failed", (hold,))


def _write_statuses(
    connection: Connection, statuses: Sequence[StoreDayStatus], *, run_id: str, clock: Clock
) -> None:
    """Store the states; a planned day whose documents are all in Xero already is posted."""
    now_at = clock.now()
    write_store_days(connection, statuses, run_id=run_id, now_at=now_at)
    settle_store_days(connection, [one.store_day for one in statuses], run_id=run_id, now_at=now_at)


def _no_organisation(store: LedgerStore) -> Hold:
    return Hold(
        HoldCode.NO_ORGANISATION,
        store.store.store_id,
        f"{store.store.name} belongs to no Xero organisation yet. Connect one with 'daybook "
        "connect' and load the stores for it.",
    )


def _no_mapping(day: StoreDay) -> Hold:
    return Hold(
        HoldCode.NO_MAPPING,
        day.business_date.isoformat(),
        f"No mapping is in force on {day.business_date}. Load one whose effective_date is not "
        "later: daybook mapping load mapping.toml",
    )
