"""Splits a table's rows by receipt into buckets on disk, so that a page fits into memory.

All rows of one receipt, in all three tables, fall into the bucket of the same number, in whatever
order they stand in the files.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from daybook.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

# Each bucket of a table is an open file while the table is split.
BUCKET_COUNT_MAX: Final = 256
# Ten times what a bucket should hold, some hundred bytes each.
_BUCKET_ROWS_MAX: Final = 2_000_000


def split(
    blocks: Iterable[pa.Table], folder: Path, bucket_count: int, empty: pa.Table
) -> Callable[[int], pa.Table]:
    """Take every row into its receipt's bucket; a function that gives a bucket's rows.

    One bucket stays in memory; more are files in the folder, which is made.

    Raises:
        InputError: so many rows belong to a few receipts that they would not fit into memory.
    """
    sizes = [0] * bucket_count
    if bucket_count == 1:
        kept = [empty]
        for block in blocks:
            _grow(sizes, 0, block, folder.name)
            kept.append(block)
        everything = pa.concat_tables(kept)
        return lambda _: everything
    folder.mkdir()
    with ExitStack() as stack:
        writers: dict[int, pa.ipc.RecordBatchStreamWriter] = {}
        for block in blocks:
            for bucket, rows in _parts(block, bucket_count):
                _grow(sizes, bucket, rows, folder.name)
                if bucket not in writers:
                    sink = stack.enter_context(pa.OSFile(str(folder / str(bucket)), "wb"))
                    writers[bucket] = stack.enter_context(pa.ipc.new_stream(sink, empty.schema))
                writers[bucket].write_table(rows)
    return lambda bucket: _bucket_rows(folder / str(bucket), empty)


def _grow(sizes: list[int], bucket: int, rows: pa.Table, table: str) -> None:
    sizes[bucket] += rows.num_rows
    if sizes[bucket] > _BUCKET_ROWS_MAX:
        raise InputError(
            f"More than {_BUCKET_ROWS_MAX:,} {table} of one part belong to a few receipts; look for"
            " an id that is repeated on every row, or split the files into parts by month."
        )


def _bucket_rows(path: Path, empty: pa.Table) -> pa.Table:
    if not path.exists():
        return empty
    with pa.OSFile(str(path), "rb") as source:
        return pa.ipc.open_stream(source).read_all()


def _parts(block: pa.Table, bucket_count: int) -> Iterator[tuple[int, pa.Table]]:
    ids = pd.Series(block["receipt_id_pos"].to_pandas(), dtype="str")
    hashes = pd.util.hash_pandas_object(ids, index=False, categorize=False).to_numpy()
    buckets = (hashes % np.uint64(bucket_count)).astype(np.int64)
    order = np.argsort(buckets, kind="stable")
    present, starts = np.unique(buckets[order], return_index=True)
    sorted_block = block.take(pa.array(order))
    ends = [*starts[1:].tolist(), len(order)]
    for bucket, start, end in zip(present.tolist(), starts.tolist(), ends, strict=True):
        yield bucket, sorted_block.slice(start, end - start)
