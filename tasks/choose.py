"""Chooses the store-days a run is about."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from prefect import get_run_logger

from daybook import wiring
from daybook.jobs.choose_store_days import choose as choose_job
from daybook.jobs.choose_store_days import given_up as given_up_job
from tasks.step import step

if TYPE_CHECKING:
    from daybook.sales.store import StoreDay


@step("choose store-days")
def choose(
    stores: list[str] | None, dates: tuple[dt.date, dt.date] | None, now_at: dt.datetime
) -> list[StoreDay]:
    """Every store-day asked for that is not posted; else the trailing window and what is open."""
    wired = wiring.shared()
    chosen = choose_job(wired.engine, stores, dates, wired.closing_rule(_plain(now_at)))
    get_run_logger().info("%d store-days are not done yet", len(chosen))
    return chosen


@step("name given-up store-days")
def given_up(stores: list[str] | None, now_at: dt.datetime) -> tuple[str, ...]:
    """What to say of store-days that are not in Xero and too old for the night to choose."""
    wired = wiring.shared()
    return given_up_job(wired.engine, stores, wired.closing_rule(_plain(now_at)))


def _plain(at: dt.datetime) -> dt.datetime:
    """The same instant without Prefect's own type, whose dates nothing else can write down."""
    return dt.datetime.fromtimestamp(at.timestamp(), dt.UTC)
