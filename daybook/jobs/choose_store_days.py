"""Which store-days a run is about: every closed business date that is asked for or not yet done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from daybook.errors import InputError
from daybook.ledger.store_days import done_store_days
from daybook.ledger.stores import read_stores
from daybook.sales.business_date import last_closed_date
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Engine

    from daybook.sales.store import Store


@dataclass(frozen=True, slots=True)
class ClosingRule:
    """When a date has closed, seen from `now_at`, and how many closed dates a night looks back.

    `now_at` is when the run was meant to start, so that a late start asks for the same dates.
    `closed_after` is the grace of the source: younger days are not final, so they are not chosen.
    """

    now_at: dt.datetime
    closed_after: dt.timedelta
    trailing_days: int


def choose(
    engine: Engine,
    store_ids: Collection[str] | None,
    dates: tuple[dt.date, dt.date] | None,
    rule: ClosingRule,
) -> list[StoreDay]:
    """Every date asked for that is not posted; by default, all that closed in the trailing window.

    The trailing window is read again every night, posted or not: receipts come late and change.
    """
    stores = chosen_stores(engine, store_ids)
    if dates is not None:
        return _not_done(engine, _in_range(stores, *dates, rule))
    chosen: list[StoreDay] = []
    for store in stores:
        last = _last_closed(store, rule)
        chosen += _days_of(store, last - dt.timedelta(days=rule.trailing_days - 1), last)
    return sorted(chosen)


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
    if not store_ids:
        return list(known.values())
    for store_id in store_ids:
        if store_id not in known:
            near = get_close_matches(store_id, known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InputError(
                f"There is no store '{store_id}'.{hint} See them with: daybook stores list"
            )
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
