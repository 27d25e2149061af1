"""A store: one trading place, with the clock that dates its sales."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Store:
    """One store; `cutoff` is the local time at which its next business date begins."""

    store_id: str
    name: str
    time_zone: str
    currency: str
    cutoff: dt.time = dt.time(0, 0)
    opened_date: dt.date | None = None
    closed_date: dt.date | None = None


@dataclass(frozen=True, slots=True, order=True)
class StoreDay:
    """One store on one business date: what is totalled, planned and posted."""

    business_date: dt.date
    store_id: str
