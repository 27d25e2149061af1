"""A query's rows into a file."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fsspec
import pyarrow.parquet as pq
import pytest

from daybook.errors import InputError
from daybook.pos.file_form import TableFile
from daybook.pos.sql_spool import spool

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ["store_id", "receipt_id_pos", "sold_at", "updated_at", "currency", "kind", "status"]
AT = dt.datetime(2026, 3, 14, 4, 30, tzinfo=dt.UTC)


def spooled(folder: Path, *blocks: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """What the file holds after these blocks of rows."""
    path = folder / "receipts.parquet"
    file = TableFile("receipts", "", fsspec.filesystem("file"), str(path), "query receipts")
    assert sum(map(len, blocks)) == spool(file, HEADER, iter(blocks))
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def row(sold_at: object, store_id: object = "S01") -> tuple[Any, ...]:
    """A row with this time and store."""
    return (store_id, 1, sold_at, "2026-03-14T04:30:00Z", "SGD", "sale", None)


def test_values_become_text_and_times_stay_times(tmp_path: Path) -> None:
    """Numbers are written out exactly, in however many blocks they come."""
    key = uuid.UUID(int=7)
    blocks = [row(AT, Decimal("12.3000"))], [row(None, key), row(AT, 10**20)]
    found = spooled(tmp_path, *blocks)
    assert ["12.3", str(key), "1" + "0" * 20] == [one["store_id"] for one in found]
    assert [AT, None, AT] == [one["sold_at"] for one in found]
    assert {("1", "2026-03-14T04:30:00Z", None)} == {
        (one["receipt_id_pos"], one["updated_at"], one["status"]) for one in found
    }


def test_no_rows_are_an_empty_file(tmp_path: Path) -> None:
    """With all the columns."""
    assert [] == spooled(tmp_path)
    assert HEADER == pq.read_schema(tmp_path / "receipts.parquet").names


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row(AT), row(AT.replace(tzinfo=None))], "sold_at of query receipts .* without a time z"),
        ([row(AT), row("2026-03-14T04:30:00Z")], "sold_at of query receipts .* without a time z"),
        ([row(AT, 1.0)], "store_id of query receipts holds floating-point"),
        ([row(AT, b"x")], "store_id of query receipts holds bytes"),
    ],
)
def test_what_is_not_exact_is_refused(
    tmp_path: Path, rows: list[tuple[Any, ...]], said: str
) -> None:
    """With the column, the query and what to do."""
    with pytest.raises(InputError, match=said):
        spooled(tmp_path, rows)


def test_times_without_a_zone_are_refused_from_the_first_row_on(tmp_path: Path) -> None:
    """They could be any of 38 moments."""
    with pytest.raises(InputError, match="times without a time zone"):
        spooled(tmp_path, [row(AT.replace(tzinfo=None))])
