"""Plans the documents of store-days; what cannot be planned is held with its reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.ledger.daily_totals import read_daily_totals
from daybook.ledger.documents import (
    NewDocument,
    delete_unsent,
    retry_rejected,
    write_planned,
)
from daybook.ledger.filed_documents import filed_documents
from daybook.ledger.mappings import read_mappings
from daybook.ledger.store_days import StoreDayStatus, settle_store_days, write_store_days
from daybook.ledger.stores import read_stores
from daybook.ledger.sum_days import sum_days
from daybook.pos.qashier_balance import receipt_id
from daybook.posting.control_holds import hold_of
from daybook.posting.holds import Hold, HoldCode
from daybook.posting.plan import Plan, plan_documents
from daybook.posting.revisions import not_begun, revise
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock
    from daybook.ledger.filed_documents import FiledDocument
    from daybook.ledger.mappings import DatedMappings
    from daybook.ledger.stores import LedgerStore
    from daybook.posting.mapping import Mapping as MappingInForce
    from daybook.sales.control_totals import ControlFailure
    from daybook.sales.daily_total import DailyTotal
    from daybook.sales.store import StoreDay


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning came to: documents newly planned, and where each store-day stands."""

    document_count: int
    statuses: tuple[StoreDayStatus, ...]
    adjusted_count: int = 0

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
        told = ", ".join(f"{count} {state}" for state, count in states.items())
        days = counted(self.adjusted_count, "posted day")
        adjusted = f", {days} adjusted" if self.adjusted_count else ""
        planned = counted(self.document_count, "document")
        return f"{planned} planned{adjusted}; store-days: {told}"


def plan(  # noqa: PLR0913 - which days, what keeps them back, for whom
    engine: Engine,
    store_days: Collection[StoreDay],
    *,
    control_failures: Iterable[ControlFailure] = (),
    held: Mapping[StoreDay, Hold] | None = None,
    prefix: str,
    run_id: str,
    clock: Clock,
) -> Planned:
    """Plan every store-day from its current daily totals; run again, it changes nothing.

    A store-day that is `held`, or has a control failure, is held, whatever its totals say.
    """
    now_at = clock.now()
    failed = defaultdict(list, {day: [hold] for day, hold in (held or {}).items()})
    for failure in control_failures:
        failed[failure.store_day].append(hold_of(failure))
    with engine.begin() as connection:
        stores = read_stores(connection, {day.store_id for day in store_days})
        mappings = read_mappings(connection)
        totals = defaultdict(list)
        for stored in read_daily_totals(connection, store_days):
            day = stored.store_day
            totals[day].append((stored.daily_total_id, stored.total))
        sums_only = sum_days(connection, {day: receipt_id(day.business_date) for day in store_days})
        filed = filed_documents(connection, store_days, for_update=True)
        changes: list[_Change] = []
        new: list[NewDocument]
        for day in sorted(store_days):
            store = stores[day.store_id]
            if failed[day]:
                status, new = StoreDayStatus(day, "held", tuple(failed[day])), []
            else:
                status, new = plan_store_day(
                    day,
                    totals[day],
                    store=store,
                    mappings=mappings,
                    prefix=prefix,
                    is_sums_only=day in sums_only,
                )
            mapping = _mapping_of(store, day, mappings)
            changes.append(_change(status, new, filed[day], totals[day], mapping))
        delete_unsent(connection, [row for one in changes for row in one.drop])
        retry_rejected(connection, store_days)
        wanted = [document for one in changes for document in one.write]
        count = write_planned(connection, wanted, run_id=run_id, now_at=now_at)
        statuses = tuple(one.status for one in changes)
        _write_statuses(connection, statuses, run_id=run_id, clock=clock)
    return Planned(count, statuses, sum(one.is_adjustment for one in changes))


def plan_store_day(
    day: StoreDay,
    totals: Sequence[tuple[int, DailyTotal]],
    *,
    store: LedgerStore,
    mappings: Mapping[int, DatedMappings],
    prefix: str,
    is_sums_only: bool = False,
) -> tuple[StoreDayStatus, list[NewDocument]]:
    """One store-day's documents over all its currencies, or the reasons why there are none."""
    if not totals:
        if store.store.expects_sales_on(day.business_date):
            return StoreDayStatus(day, "missing", (_missing(day, store),)), []
        return StoreDayStatus(day, "no_sales"), []
    if store.organisation_id is None:
        return StoreDayStatus(day, "held", (_no_organisation(store),)), []
    mapping = _mapping_of(store, day, mappings)
    if mapping is None:
        return StoreDayStatus(day, "held", (_no_mapping(day),)), []
    plans: list[tuple[int, Plan]] = [
        (
            total_id,
            plan_documents(
                total,
                store=store.store,
                mapping=mapping,
                prefix=prefix,
                is_sums_only=is_sums_only,
            ),
        )
        for total_id, total in totals
    ]
    if holds := tuple(hold for _, one in plans for hold in one.holds):
        return StoreDayStatus(day, "held", holds), []
    return StoreDayStatus(day, "planned"), [
        NewDocument(store.organisation_id, day, total_id, document)
        for total_id, one in plans
        for document in one.documents
    ]


@dataclass(frozen=True, slots=True)
class _Change:
    """What planning one store-day changes: its state, documents to write, rows to delete."""

    status: StoreDayStatus
    write: tuple[NewDocument, ...] = ()
    drop: tuple[int, ...] = ()
    is_adjustment: bool = False


def _change(
    status: StoreDayStatus,
    new: Sequence[NewDocument],
    filed: Sequence[FiledDocument],
    totals: Sequence[tuple[int, DailyTotal]],
    mapping: MappingInForce | None,
) -> _Change:
    """Compare what is wanted of a store-day with what was filed for it."""
    if not filed:
        return _Change(status, tuple(new))
    if status.state in ("held", "missing") and any(one.filed.is_sent for one in filed):
        # What is in Xero stays until the cause is mended; what has not begun to leave does not go.
        return _Change(status, drop=_not_begun(filed))
    total_ids = {one.filed.document.currency: one.filed.daily_total_id for one in filed}
    current_ids = {total.currency: total_id for total_id, total in totals}
    revision = revise([one.filed for one in filed], [one.document for one in new], current_ids)
    if revision.is_adjustment and mapping is not None and mapping.changed_days == "hold":
        return _Change(_changed_after_posting(status.store_day, filed), drop=_not_begun(filed))
    organisation_id = filed[0].organisation_id
    write = tuple(
        NewDocument(
            organisation_id,
            status.store_day,
            {**total_ids, **current_ids}[document.currency],
            document,
        )
        for document in revision.write
    )
    drop = tuple(
        one.document_id for one in filed if one.filed.document.natural_key in revision.drop
    )
    if status.state == "no_sales":
        status = StoreDayStatus(status.store_day, "planned")
    return _Change(status, write, drop, revision.is_adjustment)


def _not_begun(filed: Sequence[FiledDocument]) -> tuple[int, ...]:
    """The ids of documents that belong to a revision of which nothing has left."""
    keys = not_begun([one.filed for one in filed])
    return tuple(one.document_id for one in filed if one.filed.document.natural_key in keys)


def _changed_after_posting(day: StoreDay, filed: Sequence[FiledDocument]) -> StoreDayStatus:
    """Failed, because the mapping wants a person to decide on days that changed after posting."""
    hold = Hold(
        HoldCode.CHANGED_AFTER_POSTING,
        ", ".join(sorted(one.filed.document.natural_key for one in filed if one.filed.is_sent)),
        f"The receipts of {day.business_date} at store {day.store_id} have changed since the day "
        "was posted. What is in Xero was left as it is, because the mapping says changed_days = "
        '"hold": compare the two, and load a mapping with "adjust" to have the difference posted.',
    )
    return StoreDayStatus(day, "failed", (hold,))


def _write_statuses(
    connection: Connection, statuses: Sequence[StoreDayStatus], *, run_id: str, clock: Clock
) -> None:
    """Store the states; a planned day whose documents are all in Xero already is posted."""
    now_at = clock.now()
    write_store_days(connection, statuses, run_id=run_id, now_at=now_at)
    settle_store_days(connection, [one.store_day for one in statuses], run_id=run_id, now_at=now_at)


def _mapping_of(
    store: LedgerStore, day: StoreDay, mappings: Mapping[int, DatedMappings]
) -> MappingInForce | None:
    """The mapping in force for this store-day, if its organisation has one that early."""
    dated = mappings.get(store.organisation_id or 0)
    return dated.on(day.business_date) if dated else None


def _missing(day: StoreDay, store: LedgerStore) -> Hold:
    return Hold(
        HoldCode.MISSING_DAY,
        day.business_date.isoformat(),
        f"{store.store.name} should have traded on {day.business_date:%A}, {day.business_date}, "
        "but no receipt was found. Check that the sales reached the point of sale's files or "
        "account. If the store was closed, add the date to closed under its [store.expected] in "
        "the stores file and load it.",
    )


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
