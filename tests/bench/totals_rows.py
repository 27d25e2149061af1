"""The full rule of totalling, in memory, beside DuckDB and polars on the same receipts.

A year of a real chain as it is, and 10 million made-up lines; of these the grouping of the lines
alone too. How it grows, and in what memory, is measured in processes of their own.

The rule: newest version of each receipt, voids apart, business date from time zone and cut-off,
sums by category, tax and direction and by tender and direction, counts. Each engine has the data
in its own form before the clock starts; they take turns and each one's best time counts. All use
as many threads as they like. That they agree is checked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from daybook.pos.files import FilesSource
from daybook.sales.daily_totals import category_sums, days_of, total_frames
from daybook.sales.dense_codes import locator
from daybook.sales.frames import ReceiptBatch, joined
from deployments.demo.complete_journey import FIRST_DATE, LAST_DATE, TIME_ZONE, stores
from tests.bench import made_receipts
from tests.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from daybook.sales.store import Store

ROUNDS = 7
LARGE_ROUNDS = 3
LARGE_LINES = 10_000_000
_VERSION_EVERY = 50
_VOID_EVERY = 97
_MEMORY_MAX_MIB = 1536
_CHUNK_LINES = 1_000_000

_Sums = tuple[int, int, int, int]


@dataclass(frozen=True)
class Chain:
    """Stores that share a clock."""

    stores: Sequence[Store]
    zone: str
    cutoff_hour: int


def rows(year: Path) -> Iterator[Row]:
    """The year once as it is, then ten million lines, then up to thirty."""
    real = Chain(stores(), TIME_ZONE, 0)
    yield measured("totals_full_rule", _with_versions_and_voids(year_batch(year)), real)
    made = Chain(made_receipts.STORES, made_receipts.TIME_ZONE, made_receipts.CUTOFF_HOUR)
    batch = made_receipts.made_receipts(LARGE_LINES)
    yield measured("totals_full_rule_10m", batch, made, LARGE_ROUNDS)
    yield _grouped("totals_group_by_10m", batch, made)
    del batch
    yield from _growth_rows()


def measured(name: str, batch: ReceiptBatch, chain: Chain, rounds: int = ROUNDS) -> Row:
    """Every engine in turn on the same receipts, the best of several rounds."""

    def daybook() -> _Sums:
        frames = total_frames(batch, chain.stores)
        return (
            len(frames.days),
            len(frames.categories),
            int(frames.categories["net_minor"].sum() + frames.categories["tax_minor"].sum()),
            int(frames.tenders["amount_minor"].sum()),
        )

    engines = {
        "daybook": daybook,
        "duckdb": _duckdb(_database(batch), chain),
        "polars": _polars(batch, chain),
    }
    return _row(name, engines, rounds, len(batch.lines))


def _grouped(name: str, batch: ReceiptBatch, chain: Chain) -> Row:
    """The lines by day, category, tax and direction, once it is known of what day receipts are."""
    days = days_of(batch.receipts, chain.stores)
    locate = locator(batch.receipts["receipt_key"].to_numpy())

    def daybook() -> tuple[int, int]:
        sums = category_sums(batch.lines, days, locate)
        return len(sums), int(sums["net_minor"].sum() + sums["tax_minor"].sum())

    database = _database(batch)
    database.execute(_DUCKDB_NEWEST, {"time_zone": chain.zone, "cutoff": chain.cutoff_hour})

    def duck() -> tuple[int, int]:
        sums = database.sql(_DUCKDB_CATEGORIES).to_arrow_table()
        return len(sums), sum(_sum(sums[name]) for name in ("net_minor", "tax_minor"))

    lines, final = pl.from_pandas(batch.lines).lazy(), _polars_final(batch, chain)

    def polars() -> tuple[int, int]:
        sums = _polars_categories(lines, final).collect()
        return len(sums), sum(int(sums[name].sum()) for name in ("net_minor", "tax_minor"))

    engines = {"daybook": daybook, "duckdb": duck, "polars": polars}
    return _row(name, engines, LARGE_ROUNDS, len(batch.lines))


def _row(
    name: str, engines: Mapping[str, Callable[[], object]], rounds: int, line_count: int
) -> Row:
    best: dict[str, float] = {}
    answers: dict[str, object] = {}
    for _ in range(rounds):
        for engine, work in engines.items():
            started = time.perf_counter()
            answers[engine] = work()
            best[engine] = min(best.get(engine, 1e9), time.perf_counter() - started)
    assert len(set(answers.values())) == 1, answers
    note = f"{line_count:,} lines; polars {best['polars']:.3f} s"
    return Row(name, best["daybook"], "s", "duckdb", best["duckdb"], note)


def _growth_rows() -> Iterator[Row]:
    """Ten million lines at once, and one to thirty million in chunks: time and memory."""
    at_once = _child(LARGE_LINES, LARGE_LINES)
    note = "with the receipts themselves, which are in memory all at once"
    yield Row("totals_memory_10m", at_once["peak_mib"], "MiB", "most", _MEMORY_MAX_MIB, note)
    small, large = (_child(count * 1_000_000, _CHUNK_LINES) for count in (1, 30))
    each = [one["processor_seconds"] / one["line_count"] * 1e6 for one in (small, large)]
    note = "processor seconds for a million of 30 million lines; peer: of 1 million"
    yield Row("totals_growth_30m", each[1], "s", "1 million", each[0], note)
    note = "30 million lines in chunks of 1 million; peer: 1 million lines"
    yield Row("totals_memory_30m", large["peak_mib"], "MiB", "1 million", small["peak_mib"], note)


def _child(line_count: int, chunk_lines: int) -> dict[str, float]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.bench.totals_child", str(line_count), str(chunk_lines)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


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


_DAY = ["business_date", "store_id", "currency"]
_DUCKDB_NEWEST = """
    CREATE OR REPLACE TEMP TABLE newest AS
    SELECT receipt_key, store_id, currency, is_refund, is_voided,
           CAST(timezone($time_zone, sold_at) - to_hours($cutoff) AS date) AS business_date
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


def _database(batch: ReceiptBatch) -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    for name, frame in _tables(batch).items():
        database.register("incoming", pa.Table.from_pandas(frame, preserve_index=False))
        database.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")  # noqa: S608 - our own names
        database.unregister("incoming")
    return database


def _duckdb(database: duckdb.DuckDBPyConnection, chain: Chain) -> Callable[[], _Sums]:
    def work() -> _Sums:
        database.execute(_DUCKDB_NEWEST, {"time_zone": chain.zone, "cutoff": chain.cutoff_hour})
        days = database.sql(_DUCKDB_DAYS).to_arrow_table()
        categories = database.sql(_DUCKDB_CATEGORIES).to_arrow_table()
        tenders = database.sql(_DUCKDB_TENDERS).to_arrow_table()
        owed = sum(_sum(categories[name]) for name in ("net_minor", "tax_minor"))
        return len(days), len(categories), owed, _sum(tenders["amount_minor"])

    return work


def _sum(column: pa.ChunkedArray) -> int:
    return int(np.sum(column.cast(pa.int64()).to_numpy()))


def _polars(batch: ReceiptBatch, chain: Chain) -> Callable[[], _Sums]:
    tables = {name: pl.from_pandas(frame).lazy() for name, frame in _tables(batch).items()}

    def work() -> _Sums:
        newest = _polars_newest(tables["receipts"], chain).collect().lazy()
        final = newest.filter(~pl.col("is_voided"))
        days, categories, tenders = pl.collect_all(
            [
                newest.group_by(_DAY).agg(
                    pl.col("is_voided").not_().sum().alias("receipt_count"),
                    (pl.col("is_refund") & ~pl.col("is_voided")).sum().alias("refund_count"),
                    pl.col("is_voided").sum().alias("voided_count"),
                ),
                _polars_categories(tables["lines"], final),
                tables["tenders"]
                .join(final, on="receipt_key")
                .group_by([*_DAY, "tender", "is_refund"])
                .agg(pl.col("amount_minor").sum(), pl.len()),
            ]
        )
        owed = sum(int(categories[name].sum()) for name in ("net_minor", "tax_minor"))
        return len(days), len(categories), owed, int(tenders["amount_minor"].sum())

    return work


def _polars_newest(receipts: pl.LazyFrame, chain: Chain) -> pl.LazyFrame:
    local = pl.col("sold_at").dt.convert_time_zone(chain.zone).dt.replace_time_zone(None)
    date = (local - pl.duration(hours=chain.cutoff_hour)).dt.date()
    return (
        receipts.sort("updated_at", "receipt_key")
        .unique(["store_id", "receipt_id_pos"], keep="last", maintain_order=True)
        .with_columns(business_date=date)
        .select("receipt_key", "store_id", "currency", "is_refund", "is_voided", "business_date")
    )


def _polars_final(batch: ReceiptBatch, chain: Chain) -> pl.LazyFrame:
    newest = _polars_newest(pl.from_pandas(batch.receipts).lazy(), chain)
    return newest.filter(~pl.col("is_voided")).collect().lazy()


def _polars_categories(lines: pl.LazyFrame, final: pl.LazyFrame) -> pl.LazyFrame:
    return (
        lines.join(final, on="receipt_key")
        .group_by([*_DAY, "category", "tax_code", "is_refund"])
        .agg(pl.col("net_minor").sum(), pl.col("tax_minor").sum(), pl.len())
    )


def _tables(batch: ReceiptBatch) -> dict[str, pd.DataFrame]:
    return {"receipts": batch.receipts, "lines": batch.lines, "tenders": batch.tenders}
