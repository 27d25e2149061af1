"""Which store-days a run is about: every closed business date that is asked for or not yet done."""

from __future__ import annotations

import datetime as dt
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


def choose_trailing(
    engine: Engine,
    store_ids: Collection[str] | None,
    *,
    now_at: dt.datetime,
    trailing_days: int,
    closed_after: dt.timedelta,
) -> list[StoreDay]:
    """Every date of the trailing window that has closed and that the ledger does not call done.

    `now_at` is when the run was meant to start, so that a late start asks for the same dates.
    """
    stores = chosen_stores(engine, store_ids)
    chosen: list[StoreDay] = []
    for store in stores:
        last = last_closed_date(now_at, store.time_zone, store.cutoff, closed_after)
        chosen += _days_of(store, last - dt.timedelta(days=trailing_days - 1), last)
    return _not_done(engine, chosen)


def choose_range(
    engine: Engine,
    store_ids: Collection[str] | None,
    first_date: dt.date,
    last_date: dt.date,
    *,
    now_at: dt.datetime,
    closed_after: dt.timedelta,
) -> list[StoreDay]:
    """Every date from first to last, oldest first, that the ledger does not call done."""
    if last_date < first_date:
        raise InputError(f"The last date, {last_date}, is before the first date, {first_date}.")
    stores = chosen_stores(engine, store_ids)
    for store in stores:
        closed = last_closed_date(now_at, store.time_zone, store.cutoff, closed_after)
        if last_date > closed:
            raise InputError(
                f"{last_date} is not over yet at {store.name}: its last closed business date is "
                f"{closed}. Ask for {closed} or earlier."
            )
    return _not_done(
        engine, [day for one in stores for day in _days_of(one, first_date, last_date)]
    )


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
