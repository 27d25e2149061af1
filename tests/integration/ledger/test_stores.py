"""Stores in the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from till import SINGAPORE, opened_ledger

from daybook.ledger.stores import LedgerStore, read_stores, write_stores
from daybook.sales.store import TradingDays


def test_when_a_store_trades_comes_back_as_it_was(database_url: str) -> None:
    """And goes when the stores file says it no more."""
    days = TradingDays((0, 1), (dt.date(2026, 2, 17),), (dt.date(2026, 2, 22),))
    calendar = replace(SINGAPORE, expected=days)
    with opened_ledger(database_url, calendar) as engine, engine.begin() as connection:
        assert {"S01": LedgerStore(calendar, None)} == read_stores(connection)
        write_stores(connection, [SINGAPORE], None)
        assert {"S01": LedgerStore(SINGAPORE, None)} == read_stores(connection)
