"""Finding the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from daybook.errors import InputError
from daybook.pos.file_parts import find_parts, redacted

if TYPE_CHECKING:
    from pathlib import Path

TABLES = ("receipts", "lines", "tenders")


def touch(folder: Path, *names: str) -> None:
    """Make empty files, and the folders they are in."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_three_files_are_one_part(tmp_path: Path) -> None:
    """Each table may have its own format; other files are no part."""
    touch(tmp_path, "receipts.csv", "lines.csv.gz", "tenders.parquet", "stores.toml", "readme.csv")
    (part,) = find_parts(str(tmp_path))
    assert ["receipts.csv", "lines.csv.gz", "tenders.parquet"] == [
        getattr(part, table).path.rsplit("/", 1)[-1] for table in TABLES
    ]


def test_folders_hold_parts_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Files of one name belong together."""
    for part in ("2025-02", "2025-01"):
        touch(tmp_path, *(f"{table}/{part}.parquet" for table in TABLES))
    touch(tmp_path, "receipts/notes.txt")
    assert ["2025-01", "2025-02"] == [part.receipts.part for part in find_parts(str(tmp_path))]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With what to do about it."""
    with pytest.raises(InputError, match=r"no folder .*/nowhere; create it .* DAYBOOK_POS_URL"):
        find_parts(str(tmp_path / "nowhere"))


def test_an_empty_folder_is_not_an_empty_day(tmp_path: Path) -> None:
    """Files that did not arrive are an error, not a closed shop."""
    with pytest.raises(
        InputError, match=r"There is no receipts.csv, .parquet or .xlsx and no folder"
    ):
        find_parts(str(tmp_path))


def test_a_part_that_lacks_a_table_is_refused(tmp_path: Path) -> None:
    """Receipts without their tenders would be half receipts."""
    touch(tmp_path, "receipts/a.csv", "lines/a.csv", "tenders/b.csv")
    with pytest.raises(InputError, match=r"/a.csv is there, but its tenders are not"):
        find_parts(str(tmp_path))


def test_the_same_part_in_two_formats_is_refused(tmp_path: Path) -> None:
    """One of the two is a leftover; which one is not for us to guess."""
    touch(tmp_path, "receipts.csv", "receipts.csv.gz", "lines.csv", "tenders.csv")
    with pytest.raises(InputError, match=r"are the same part; remove one of them"):
        find_parts(str(tmp_path))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sftp://till:s3cret@host/pos", "sftp://host/pos"),
        ("https://host/pos?token=s3cret", "https://host/pos"),
        ("zip://::sftp://till:s3cret@host/pos.zip", "zip://::sftp://host/pos.zip"),
        ("/mnt/pos?odd@name", "/mnt/pos?odd@name"),
    ],
)
def test_credentials_are_never_shown(url: str, shown: str) -> None:
    """Neither user, password nor token reach a log, a table or a message."""
    assert shown == redacted(url)


@pytest.mark.parametrize("url", ["nonsense://till:s3cret@host/pos", "gopher://till:s3cret@host"])
def test_an_unreachable_url_is_a_sentence_without_its_password(url: str) -> None:
    """The cause is not chained: it could quote the URL."""
    with pytest.raises(InputError, match="cannot be reached") as caught:
        find_parts(url)
    assert "s3cret" not in str(caught.value)
    assert (None, True) == (caught.value.__cause__, caught.value.__suppress_context__)
