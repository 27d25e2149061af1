"""Reading table files block by block."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daybook.errors import InputError
from daybook.pos.file_blocks import ROW_NUMBER, open_reader, sold_between
from daybook.pos.file_form import TableFile

if TYPE_CHECKING:
    from pathlib import Path

    from daybook.pos.file_form import TableName

HEADER = "store_id,receipt_id_pos,tender_no,tender,amount\n"
LONG = b"s,r,1,Cash,1.00\n" * 9999
LOCAL = fsspec.filesystem("file")


def file_of(path: Path, content: bytes | pa.Table, table: TableName = "tenders") -> TableFile:
    """A table file with this content."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pq.write_table(content, path, row_group_size=2)
    return TableFile(table, "", LOCAL, str(path), str(path))


def rows(file: TableFile) -> list[dict[str, Any]]:
    """Every row of the file."""
    return [row for block in open_reader(file).blocks() for row in block.to_pylist()]


def test_rows_of_a_csv_file_are_numbered_from_the_header_on(tmp_path: Path) -> None:
    """Blank rows and line ends inside quotes count as a reader sees them."""
    content = b"\xef\xbb\xbf" + HEADER.encode() + b's,r,1,"a\nb",1.00\n\n\n s , r ,2,c,2.00\n'
    assert [("a\nb", 2, "s", "r"), ("c", 5, "s", "r")] == [
        (row["tender"], row[ROW_NUMBER], row["store_id"], row["receipt_id_pos"])
        for row in rows(file_of(tmp_path / "tenders.csv", content))
    ]


def test_a_gzipped_file_is_read_alike(tmp_path: Path) -> None:
    """The name says that it is compressed."""
    content = gzip.compress(HEADER.encode() + b"s,r,1,Cash,1.00\n")
    assert ["Cash"] == [
        row["tender"] for row in rows(file_of(tmp_path / "tenders.csv.gz", content))
    ]


def test_a_malformed_row_is_remembered_and_the_next_keeps_its_number(tmp_path: Path) -> None:
    """Its receipt is told where its first cells are there."""
    content = HEADER.encode() + b"s,r,1\ns\ns,r,2,Cash,1.00\ns,r,3,Cash,1.00,extra\n"
    reader = open_reader(file_of(tmp_path / "tenders.csv", content))
    assert [4] == [number for block in reader.blocks() for number in block[ROW_NUMBER].to_pylist()]
    assert [(2, ("s", "r")), (3, None), (5, ("s", "r"))] == [
        (row.row_number, row.key) for row in reader.malformed
    ]
    assert "It has 3 cells where the header has 5." == reader.malformed[0].reason


def test_a_parquet_file_is_read_with_its_types(tmp_path: Path) -> None:
    """Ids become text, amounts stay what they are."""
    table = pa.table(
        {
            "store_id": [1, 1, 2],
            "receipt_id_pos": [7, 8, 9],
            "tender_no": [1, 1, 1],
            "tender": pa.array(["Cash", "Visa", "Cash"]).dictionary_encode(),
            "amount_minor": [100, 200, 300],
            "till": ["x", "y", "z"],
        }
    )
    assert [("1", "7", 100, 2), ("1", "8", 200, 3), ("2", "9", 300, 4)] == [
        (row["store_id"], row["receipt_id_pos"], row["amount_minor"], row[ROW_NUMBER])
        for row in rows(file_of(tmp_path / "tenders.parquet", table))
    ]


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("amount", pa.array([1.5]), "amount .* holds double; it must hold decimals or text"),
        ("amount", pa.array([1]), "amount .* holds int64; it must hold decimals or text"),
        ("tender", pa.array([1]), "tender .* holds int64; it must hold text"),
        ("tender_no", pa.array([1.0]), "tender_no .* holds double; it must hold whole numbers"),
    ],
)
def test_a_column_of_a_wrong_type_is_refused(
    tmp_path: Path, column: str, values: pa.Array, said: str
) -> None:
    """A float amount has lost cents already; the file is refused whole."""
    table = pa.table(
        {"store_id": ["s"], "receipt_id_pos": ["r"], "tender_no": [1], "tender": ["x"]}
        | {"amount": ["1"]}
        | {column: values}
    )
    with pytest.raises(InputError, match=said):
        open_reader(file_of(tmp_path / "tenders.parquet", table))


def test_times_without_a_zone_are_refused(tmp_path: Path) -> None:
    """A naive timestamp could be any of 38 moments."""
    naive = pa.array([0], pa.timestamp("us"))
    table = pa.table({name: ["x"] for name in ("store_id", "receipt_id_pos", "currency")})
    for name, values in (("kind", ["sale"]), ("status", ["final"]), ("sold_at", naive)):
        table = table.append_column(name, pa.array(values))
    table = table.append_column("updated_at", naive)
    with pytest.raises(InputError, match=r"sold_at .* must hold timestamps with a time zone"):
        open_reader(file_of(tmp_path / "receipts.parquet", table, "receipts"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("tenders.csv", b"", "has no column store_id"),
        ("tenders.csv", b"store_id;receipt_id_pos\n", "has no column store_id"),
        ("tenders.csv", HEADER.encode("utf-16"), "is not UTF-8 text"),
        ("tenders.csv", HEADER.encode() + b"s,r,1,Caf\xe9,1.00\n", "is not UTF-8 text"),
        ("tenders.csv", HEADER.encode() + LONG + b"s,r,1,Caf\xe9,1.00\n", "cannot be read"),
        ("tenders.csv.gz", b"not gzip", "cannot be read"),
        ("tenders.csv.gz", gzip.compress(HEADER.encode() * 9999)[:-40], "cannot be read"),
        ("tenders.parquet", b"PAR1 but no more", "cannot be read"),
        ("tenders.csv", HEADER.encode() + b'"' + b"x" * (9 << 20), "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    """Empty, damaged, in another encoding or endless: a sentence that names the file."""
    with pytest.raises(InputError, match=said) as caught:
        rows(file_of(tmp_path / name, content))
    assert name in str(caught.value)


def test_a_file_that_has_gone_is_named(tmp_path: Path) -> None:
    """Between being listed and being read it may be moved away."""
    path = tmp_path / "tenders.csv"
    with pytest.raises(InputError, match="is not there any more"):
        open_reader(TableFile("tenders", "", LOCAL, str(path), str(path)))


def test_statistics_tell_between_which_times_a_part_was_sold(tmp_path: Path) -> None:
    """Over all row groups; without statistics nothing is promised."""
    at = pa.array([5, 1, 3, 9, 7], pa.timestamp("us", tz="UTC"))
    table = pa.table({"store_id": ["s"] * 5, "sold_at": at})
    file = file_of(tmp_path / "receipts.parquet", table, "receipts")
    between = sold_between(file)
    assert between is not None
    assert [1, 9] == [one.microsecond for one in between]
    pq.write_table(table, tmp_path / "receipts.parquet", write_statistics=False)
    assert sold_between(file) is None
    pq.write_table(table.slice(0, 0), tmp_path / "receipts.parquet")
    assert sold_between(file) is None
