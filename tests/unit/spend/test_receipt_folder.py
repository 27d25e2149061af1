"""Receipts in a folder: what is listed, what is read, and what leads out of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from daybook.errors import InputError
from daybook.expenses.expense import Expense, SourceStatus
from daybook.spend.receipt_folder import ReceiptFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of receipts beside a file that is nobody's business."""
    (tmp_path / "secret.txt").write_text("the key")
    receipts = tmp_path / "receipts"
    (receipts / "E-2").mkdir(parents=True)
    (receipts / "E-1.txt").write_text("taxi")
    (receipts / "E-2" / "hotel.txt").write_text("night")
    return receipts


def expense(number: int) -> Expense:
    """The expense E-1, E-2 ..."""
    date = dt.date(2026, 3, 5)
    return Expense(
        "files", f"E-{number}", "a", SourceStatus.SETTLED, date, 100, "SGD", "Grab", "Transport"
    )


def test_files_are_read_by_their_path(folder: Path) -> None:
    """Those in folders too."""
    receipts = ReceiptFolder(str(folder))
    assert [b"taxi", b"night"] == [receipts.read(key) for key in ("E-1.txt", "E-2/hotel.txt")]
    with pytest.raises(InputError, match=r"is not in .* any more"):
        receipts.read("E-9.txt")
    with pytest.raises(InputError, match="is not a path below"):
        receipts.read("../secret.txt")


def test_links_are_not_followed(folder: Path) -> None:
    """Neither when they are listed nor when they took a file's or folder's place since."""
    receipts = ReceiptFolder(str(folder))
    (folder / "E-3.txt").symlink_to(folder.parent / "secret.txt")
    assert ["files-E-1", "files-E-2"] == sorted(
        receipts.find([expense(number) for number in (1, 2, 3)]).by_expense
    )
    (folder / "E-1.txt").unlink()
    (folder / "E-1.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "E-2" / "hotel.txt").unlink()
    (folder / "E-2").rmdir()
    (folder / "E-2").symlink_to(folder.parent)
    for key in ("E-1.txt", "E-2/secret.txt", "E-3.txt"):
        with pytest.raises(InputError, match="is a link or no file"):
            receipts.read(key)
    assert {} == receipts.find([expense(number) for number in (1, 2, 3)]).by_expense


def test_folder_itself_is_no_receipt(folder: Path) -> None:
    """What is not a file is refused like a link."""
    with pytest.raises(InputError, match="is a link or no file"):
        ReceiptFolder(str(folder)).read("E-2")


def test_missing_folder_names_its_setting(tmp_path: Path) -> None:
    """The one that a person has to look at."""
    with pytest.raises(InputError, match=r"Check DAYBOOK_RECEIPTS_URL\."):
        ReceiptFolder(str(tmp_path / "nowhere")).find([])
