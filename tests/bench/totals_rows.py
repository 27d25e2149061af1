"""The full rule of totalling, in memory, beside DuckDB and polars on the same receipts.

The rule: newest version of each receipt, voids apart, business date from time zone and cut-off,
sums by category, tax and direction and by tender and direction, counts. Each engine has the data
in its own form before the clock starts; they take turns and each one's best time counts. All use
as many threads as they like. That they agree is checked.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from daybook.pos.files import FilesSource
from daybook.sales.daily_totals import total_frames
from daybook.sales.frames import ReceiptBatch, joined
from deployments.demo.complete_journey import FIRST_DATE, LAST_DATE, TIME_ZONE, stores
from tests.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROUNDS = 7
_VERSION_EVERY = 50
_VOID_EVERY = 97

_Sums = tuple[int, int, int, int]


def rows(year: Path) -> Iterator[Row]:
    """Measure the year once as it is."""
    yield measured("totals_full_rule", _with_versions_and_voids(year_batch(year)))


def measured(name: str, batch: ReceiptBatch) -> Row:
    """Every engine in turn on the same receipts, the best of several rounds."""
    chain = stores()

    def daybook() -> _Sums:
        frames = total_frames(batch, chain)
        return (
            len(frames.days),
            len(frames.categories),
            int(frames.categories["net_minor"].sum() + frames.categories["tax_minor"].sum()),
            int(frames.tenders["amount_minor"].sum()),
        )

    engines = {"daybook": daybook, "duckdb": _duckdb(batch), "polars": _polars(batch)}
    best: dict[str, float] = {}
    answers: dict[str, _Sums] = {}
    for _ in range(ROUNDS):
        for engine, work in engines.items():
            started = time.perf_counter()
            answers[engine] = work()
            best[engine] = min(best.get(engine, 1e9), time.perf_counter() - started)
    assert len(set(answers.values())) == 1, answers
    note = f"{len(batch.lines):,} lines; polars {best['polars']:.3f} s"
    return Row(name, best["daybook"], "s", "duckdb", best["duckdb"], note)


def year_batch(year: Path) -> ReceiptBatch:
    """The year's receipts in memory."""
    pages = FilesSource(str(year / "files")).receipts(stores(), FIRST_DATE, LAST_DATE)
    return joined([page.batch for page in pages])


def _with_versions_and_voids(batch: ReceiptBatch) -> ReceiptBatch:
    """Some receipts come a second time, newer; some are voided: the rule has something to do."""
    receipts = batch.receipts.assign(is_voided=batch.receipts["receipt_key"] % _VOID_EVERY == 0)
    newer = receipts.iloc[::_VERSION_EVERY]
    shift = len(receipts)
    chosen = newer["receipt_key"]
    later = newer.assign(
        receipt_key=chosen + shift, updated_at=newer["updated_at"] + pd.Timedelta(hours=1)
    )

    def repeated(frame: pd.DataFrame) -> pd.DataFrame:
        again = frame[frame["receipt_key"].isin(chosen)]
        again = again.assign(receipt_key=again["receipt_key"] + shift)
        return pd.concat([frame, again], ignore_index=True)

    return ReceiptBatch(
        pd.concat([receipts, later], ignore_index=True),
        repeated(batch.lines),
        repeated(batch.tenders),
    )


_DUCKDB_NEWEST = """
    CREATE OR REPLACE TEMP TABLE newest AS
    SELECT receipt_key, store_id, currency, is_refund, is_voided,
           CAST(timezone($time_zone, sold_at) - INTERVAL 0 HOUR AS date) AS business_date
    FROM receipts
    QUALIFY row_number() OVER (
        PARTITION BY store_id, receipt_id_pos ORDER BY updated_at DESC, receipt_key DESC) = 1
"""
_DUCKDB_DAYS = """
    SELECT business_date, store_id, currency, count(*) FILTER (NOT is_voided),
           count(*) FILTER (NOT is_voided AND is_refund), count(*) FILTER (is_voided)
    FROM newest GROUP BY ALL
"""
_DUCKDB_CATEGORIES = """
    SELECT business_date, store_id, currency, category, tax_code, is_refund,
           sum(net_minor) AS net_minor, sum(tax_minor) AS tax_minor, count(*)
    FROM lines JOIN newest USING (receipt_key) WHERE NOT is_voided GROUP BY ALL
"""
_DUCKDB_TENDERS = """
    SELECT business_date, store_id, currency, tender, is_refund,
           sum(amount_minor) AS amount_minor, count(*)
    FROM tenders JOIN newest USING (receipt_key) WHERE NOT is_voided GROUP BY ALL
"""


def _duckdb(batch: ReceiptBatch) -> Callable[[], _Sums]:
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    for name, frame in _tables(batch).items():
        database.register("incoming", pa.Table.from_pandas(frame, preserve_index=False))
        database.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")  # noqa: S608 - our own names
        database.unregister("incoming")

    def work() -> _Sums:
        database.execute(_DUCKDB_NEWEST, {"time_zone": TIME_ZONE})
        days = database.sql(_DUCKDB_DAYS).to_arrow_table()
        categories = database.sql(_DUCKDB_CATEGORIES).to_arrow_table()
        tenders = database.sql(_DUCKDB_TENDERS).to_arrow_table()
        owed = sum(_sum(categories[name]) for name in ("net_minor", "tax_minor"))
        return len(days), len(categories), owed, _sum(tenders["amount_minor"])

    return work


def _sum(column: pa.ChunkedArray) -> int:
    return int(np.sum(column.cast(pa.int64()).to_numpy()))


def _polars(batch: ReceiptBatch) -> Callable[[], _Sums]:
    tables = {name: pl.from_pandas(frame).lazy() for name, frame in _tables(batch).items()}

    def work() -> _Sums:
        newest = (
            tables["receipts"]
            .sort("updated_at", "receipt_key")
            .unique(["store_id", "receipt_id_pos"], keep="last", maintain_order=True)
            .with_columns(business_date=pl.col("sold_at").dt.convert_time_zone(TIME_ZONE).dt.date())
            .select(
                "receipt_key", "store_id", "currency", "is_refund", "is_voided", "business_date"
            )
            .collect()
            .lazy()
        )
        final = newest.filter(~pl.col("is_voided"))
        day = ["business_date", "store_id", "currency"]
        days, categories, tenders = pl.collect_all(
            [
                newest.group_by(day).agg(
                    pl.col("is_voided").not_().sum().alias("receipt_count"),
                    (pl.col("is_refund") & ~pl.col("is_voided")).sum().alias("refund_count"),
                    pl.col("is_voided").sum().alias("voided_count"),
                ),
                tables["lines"]
                .join(final, on="receipt_key")
                .group_by([*day, "category", "tax_code", "is_refund"])
                .agg(pl.col("net_minor").sum(), pl.col("tax_minor").sum(), pl.len()),
                tables["tenders"]
                .join(final, on="receipt_key")
                .group_by([*day, "tender", "is_refund"])
                .agg(pl.col("amount_minor").sum(), pl.len()),
            ]
        )
        owed = sum(int(categories[name].sum()) for name in ("net_minor", "tax_minor"))
        return len(days), len(categories), owed, int(tenders["amount_minor"].sum())

    return work


def _tables(batch: ReceiptBatch) -> dict[str, pd.DataFrame]:
    return {"receipts": batch.receipts, "lines": batch.lines, "tenders": batch.tenders}
