"""Store-days that are not in Xero and should be: each with its reasons and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.jobs.choose_store_days import first_looked_at, unfinished
from daybook.ledger.store_days import read_store_days
from daybook.ledger.stores import read_stores

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Engine

    from daybook.jobs.choose_store_days import ClosingRule
    from daybook.ledger.store_days import StoreDayState
    from daybook.sales.store import StoreDay

# Days that nothing is wrong with: their run has not come to its end.
_BEGUN: Final = "It is not posted yet: the next run posts it."
_GIVEN_UP: Final = "It is too old for the night to look at: run backfill/ad-hoc over its date."


@dataclass(frozen=True, slots=True)
class WaitingDay:
    """A store-day that something keeps out of Xero; the sentences say what, and what to do."""

    store_day: StoreDay
    state: StoreDayState
    sentences: tuple[str, ...]


def waiting_days(engine: Engine, rule: ClosingRule) -> list[WaitingDay]:
    """Every missing, held, failed or begun store-day there is, the newest first."""
    with engine.connect() as connection:
        stores = {store_id: one.store for store_id, one in read_stores(connection).items()}
    first_dates = {store_id: first_looked_at(store, rule) for store_id, store in stores.items()}
    days = unfinished(engine, stores.values())
    with engine.connect() as connection:
        statuses = read_store_days(connection, days)
    return [
        WaitingDay(
            day,
            statuses[day].state,
            (
                *([hold.sentence for hold in statuses[day].holds] or [_BEGUN]),
                *([_GIVEN_UP] if day.business_date < first_dates[day.store_id] else []),
            ),
        )
        for day in sorted(days, key=lambda one: (-one.business_date.toordinal(), one.store_id))
    ]


def waiting_rows(days: Iterable[WaitingDay]) -> list[dict[str, str]]:
    """One row for each, as a table or JSON shows it."""
    return [
        {
            "date": one.store_day.business_date.isoformat(),
            "store": one.store_day.store_id,
            "state": one.state,
            "why, and what to do": " ".join(one.sentences),
        }
        for one in days
    ]
