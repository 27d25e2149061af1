"""Frames to CSV text and back, in the dialect of PostgreSQL's COPY ... (FORMAT csv).

NULL is an empty field without quotes, the empty string one with quotes; times are UTC with
microseconds. pyarrow does the work, so a row costs well under a microsecond and the ledger never
sees a frame from the inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from pyarrow import csv

from daybook.errors import InputError
from daybook.sales.content_hash import receipt_hashes
from daybook.sales.daily_totals import newest_rows, receipt_dates
from daybook.sales.dense_codes import sorted_codes
from daybook.sales.frames import LINE_COLUMNS, RECEIPT_COLUMNS, TENDER_COLUMNS, ReceiptBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from daybook.sales.store import Store

_TIME: Final = pa.timestamp("us", tz="UTC")
_NAME: Final = pa.dictionary(pa.int32(), pa.string())

RECEIPT_TYPES: Final = dict(
    zip(
        RECEIPT_COLUMNS,
        (pa.int64(), _NAME, pa.string(), _TIME, _TIME, _NAME, pa.bool_(), pa.bool_()),
        strict=True,
    )
)
LINE_TYPES: Final = dict(
    zip(
        LINE_COLUMNS,
        (pa.int64(), pa.int32(), _NAME, _NAME, pa.int64(), pa.int64(), pa.int64()),
        strict=True,
    )
)
TENDER_TYPES: Final = dict(
    zip(TENDER_COLUMNS, (pa.int64(), pa.int32(), _NAME, pa.int64()), strict=True)
)
STAGED_COLUMNS: Final = (*RECEIPT_COLUMNS, "business_date", "content_hash")
_WRITTEN_TYPES: Final = {"receipt_key": pa.int64(), "receipt_id": pa.int64()}


def staged_receipts(batch: ReceiptBatch, stores: Sequence[Store]) -> bytes:
    """The newest version of each receipt as text: STAGED_COLUMNS."""
    store_codes, store_ids = sorted_codes(batch.receipts["store_id"])
    dates = receipt_dates(batch.receipts["sold_at"], store_codes, store_ids, stores=stores)
    staged = batch.receipts.assign(
        business_date=dates.astype("datetime64[s]"), content_hash=receipt_hashes(batch, dates)
    )[newest_rows(batch.receipts)]
    return to_text(staged, STAGED_COLUMNS, {"business_date": pa.date32()})


def lines_of(batch: ReceiptBatch, written: bytes) -> bytes:
    """The lines of the receipts that were written, under their ledger ids: LINE_COLUMNS.

    `written` is text with two columns: receipt_key, and the id the ledger gave.
    """
    return to_text(_rows_of(batch.lines, written), LINE_COLUMNS)


def tenders_of(batch: ReceiptBatch, written: bytes) -> bytes:
    """The tenders of the receipts that were written, under their ledger ids: TENDER_COLUMNS."""
    return to_text(_rows_of(batch.tenders, written), TENDER_COLUMNS)


def batch_of(receipts: bytes, lines: bytes, tenders: bytes) -> ReceiptBatch:
    """The batch that the three texts hold, in the columns of the frames."""
    return ReceiptBatch(
        receipts=from_text(receipts, RECEIPT_TYPES),
        lines=from_text(lines, LINE_TYPES),
        tenders=from_text(tenders, TENDER_TYPES),
    )


def to_text(
    frame: pd.DataFrame, columns: Sequence[str], types: dict[str, pa.DataType] | None = None
) -> bytes:
    """The columns as text, without a header.

    Raises:
        InputError: a name holds the NUL character, which PostgreSQL cannot store.
    """
    schema = [(types or {}).get(name) for name in columns]
    arrays = [
        pa.Array.from_pandas(frame[name], type=kind)
        for name, kind in zip(columns, schema, strict=True)
    ]
    sink = pa.BufferOutputStream()
    csv.write_csv(
        pa.table(arrays, names=list(columns)), sink, csv.WriteOptions(include_header=False)
    )
    content: bytes = sink.getvalue().to_pybytes()
    if b"\0" in content:
        raise InputError("A name in the receipts holds a NUL character; remove it at the source.")
    return content


def from_text(content: bytes, types: dict[str, pa.DataType]) -> pd.DataFrame:
    """The frame whose columns, in this order, the text holds; names become categories."""
    if not content:
        return _frame(pa.table({name: pa.array([], kind) for name, kind in types.items()}))
    table = csv.read_csv(
        pa.py_buffer(content),
        read_options=csv.ReadOptions(column_names=list(types)),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t", "true"],
            false_values=["f", "false"],
        ),
    )
    return _frame(table)


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(self_destruct=True)
    return frame


def _rows_of(rows: pd.DataFrame, written: bytes) -> pd.DataFrame:
    """The rows of the written receipts, with the ledger's id in place of the batch's key."""
    pairs = from_text(written, _WRITTEN_TYPES)
    keys = pairs["receipt_key"].to_numpy()
    order = np.argsort(keys)
    keys, ids = keys[order], pairs["receipt_id"].to_numpy()[order]
    wanted = rows["receipt_key"].to_numpy()
    if not len(keys):
        return rows.iloc[:0]
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    is_written = keys[place] == wanted
    kept: pd.DataFrame = rows.loc[is_written].assign(receipt_key=ids[place[is_written]])
    return kept
