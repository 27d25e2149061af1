"""Which store-days a run is about: every closed business date that is asked for or not yet done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from daybook.errors import InputError
from daybook.ledger.store_days import done_store_days, unfinished_store_days
from daybook.ledger.stores import read_stores
from daybook.sales.business_date import last_closed_date
from daybook.sales.store import StoreDay
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Engine

    from daybook.ledger.store_days import StoreDayState
    from daybook.sales.store import Store

_NAMED_MAX: Final = 10
# Days closer than this are read in one go, rather than the source once for each.
_GAP_MAX: Final = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ClosingRule:
    """When a date has closed, seen from `now_at`, and how many closed dates a night looks back.

    `now_at` is when the run was meant to start, so that a late start asks for the same dates.
    `closed_after` is the grace of the source: younger days are not final, so they are not chosen.
    Days that did not get into Xero are chosen for `unfinished_days`, the trailing ones in any case.
    """

    now_at: dt.datetime
    closed_after: dt.timedelta
    trailing_days: int
    unfinished_days: int


def choose(
    engine: Engine,
    store_ids: Collection[str] | None,
    dates: tuple[dt.date, dt.date] | None,
    rule: ClosingRule,
) -> list[StoreDay]:
    """Every date asked for that is not posted; by default, all that closed in the trailing window.

    The trailing window is read again every night, posted or not: receipts come late and change.
    What is held, missing, failed or planned stays chosen when it is older, for a bounded time.
    """
    stores = chosen_stores(engine, store_ids)
    if dates is not None:
        return _not_done(engine, _in_range(stores, *dates, rule))
    chosen = {day for store in stores for day in _latest_days(store, rule, rule.trailing_days)}
    older = {day for store in stores for day in _latest_days(store, rule, rule.unfinished_days)}
    chosen.update(older.intersection(unfinished(engine, stores)))
    return sorted(chosen)


def given_up(
    engine: Engine, store_ids: Collection[str] | None, rule: ClosingRule
) -> tuple[str, ...]:
    """A sentence on the store-days that are not in Xero and too old to be chosen by themselves."""
    stores = chosen_stores(engine, store_ids)
    looked_back = _looked_back(rule)
    first_dates = {store.store_id: first_looked_at(store, rule) for store in stores}
    days = {
        day: state
        for day, state in unfinished(engine, stores).items()
        if day.business_date < first_dates[day.store_id]
    }
    if not days:
        return ()
    named = ", ".join(
        f"{day.business_date} store {day.store_id} ({days[day]})"
        for day in sorted(days)[:_NAMED_MAX]
    )
    more = f" and {len(days) - _NAMED_MAX} more" if len(days) > _NAMED_MAX else ""
    sentence = (
        f"Not in Xero, and older than the {counted(looked_back, 'day')} that the night looks back: "
        f"{named}{more}. Correct what keeps them out and run backfill/ad-hoc over these dates; a "
        "date on which the store did not trade goes into closed under its [store.expected], and a "
        "backfill then settles it."
    )
    return (sentence,)


def runs_of_dates(store_days: Iterable[StoreDay]) -> Iterator[list[StoreDay]]:
    """The store-days, oldest first, cut where more than a week lies between two of them.

    A source reads whole spans: one old day must not make it read everything since.
    """
    run: list[StoreDay] = []
    for day in sorted(store_days):
        if run and day.business_date - run[-1].business_date > _GAP_MAX:
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def first_looked_at(store: Store, rule: ClosingRule) -> dt.date:
    """The oldest date of the store that a night looks at, if it is not in Xero."""
    return _last_closed(store, rule) - dt.timedelta(days=_looked_back(rule) - 1)


def _looked_back(rule: ClosingRule) -> int:
    return max(rule.trailing_days, rule.unfinished_days)


def unfinished(engine: Engine, stores: Iterable[Store]) -> dict[StoreDay, StoreDayState]:
    """What the ledger has of these stores, in the time they trade, that is not settled."""
    by_id = {store.store_id: store for store in stores}
    with engine.connect() as connection:
        found = unfinished_store_days(connection)
    return {
        day: state
        for day, state in found.items()
        if day.store_id in by_id
        and _days_of(by_id[day.store_id], day.business_date, day.business_date)
    }


def _latest_days(store: Store, rule: ClosingRule, count: int) -> list[StoreDay]:
    """So many of the store's closed dates, up to the last one."""
    last = _last_closed(store, rule)
    return _days_of(store, last - dt.timedelta(days=count - 1), last)


def _in_range(
    stores: Sequence[Store], first_date: dt.date, last_date: dt.date, rule: ClosingRule
) -> list[StoreDay]:
    if last_date < first_date:
        raise InputError(f"The last date, {last_date}, is before the first date, {first_date}.")
    for store in stores:
        closed = _last_closed(store, rule)
        if last_date > closed:
            what = "final" if _is_over(last_date, store, rule) else "over"
            raise InputError(
                f"{last_date} is not {what} yet at {store.name}: its last closed business date is "
                f"{closed}. Ask for {closed} or earlier."
            )
    return [day for one in stores for day in _days_of(one, first_date, last_date)]


def _is_over(date: dt.date, store: Store, rule: ClosingRule) -> bool:
    """Whether the day is over, though its source may still bring sales."""
    over = last_closed_date(rule.now_at, store.time_zone, store.cutoff, dt.timedelta(0))
    return date <= over


def _last_closed(store: Store, rule: ClosingRule) -> dt.date:
    return last_closed_date(rule.now_at, store.time_zone, store.cutoff, rule.closed_after)


def chosen_stores(engine: Engine, store_ids: Collection[str] | None) -> Sequence[Store]:
    """The stores asked for, or all of them; an id that is not known is refused by name."""
    with engine.connect() as connection:
        known = {store_id: one.store for store_id, one in read_stores(connection).items()}
    if not known:
        raise InputError("There is no store yet. Load them with: daybook stores load stores.toml")
    return stores_named(known, store_ids, "See them with: daybook stores list")


def stores_named(
    known: Mapping[str, Store], store_ids: Collection[str] | None, advice: str
) -> list[Store]:
    """Those of the known stores, or all of them.

    Raises:
        InputError: an id is not known; the sentence ends with the advice.
    """
    if not store_ids:
        return list(known.values())
    for store_id in store_ids:
        if store_id not in known:
            near = get_close_matches(store_id, known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InputError(f"There is no store '{store_id}'.{hint} {advice}")
    return [known[store_id] for store_id in sorted(set(store_ids))]


def _days_of(store: Store, first_date: dt.date, last_date: dt.date) -> list[StoreDay]:
    first = max(first_date, store.opened_date or first_date)
    last = min(last_date, store.closed_date or last_date)
    return [
        StoreDay(first + dt.timedelta(days=offset), store.store_id)
        for offset in range((last - first).days + 1)
    ]


def _not_done(engine: Engine, chosen: list[StoreDay]) -> list[StoreDay]:
    if not chosen:
        return []
    with engine.connect() as connection:
        done = done_store_days(connection, min(chosen).business_date, max(chosen).business_date)
    return sorted(day for day in chosen if day not in done)
