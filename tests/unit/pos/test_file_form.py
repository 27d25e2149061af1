"""The form of the three tables."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from daybook.errors import InputError
from daybook.pos.file_form import COLUMNS, TableFile, chosen_columns

LINES = TableFile("lines", "", fsspec.filesystem("memory"), "/lines.csv", "memory:///lines.csv")
GOOD = ["store_id", "receipt_id_pos", "line_no", "category", "tax_code", "net_amount", "tax_amount"]


def test_columns_are_chosen_in_the_order_of_the_form() -> None:
    """Other columns are ignored, optional ones may be missing."""
    assert GOOD == chosen_columns(LINES, ["barcode", *reversed(GOOD)])


def test_an_amount_may_be_called_minor() -> None:
    """Whole minor units say so in their name."""
    header = [name.replace("_amount", "_minor") for name in GOOD]
    assert header == chosen_columns(LINES, header)


@pytest.mark.parametrize("missing", GOOD)
def test_a_missing_column_is_named_with_its_file(missing: str) -> None:
    """And what the file has instead."""
    header = [name for name in GOOD if name != missing]
    with pytest.raises(InputError, match=f"memory:///lines.csv has no column {missing}"):
        chosen_columns(LINES, header)


@pytest.mark.parametrize("twice", ["net_amount", "net_minor", "store_id"])
def test_a_column_that_stands_twice_is_refused(twice: str) -> None:
    """Nobody can tell which one is meant."""
    with pytest.raises(InputError, match="more than once"):
        chosen_columns(LINES, [*GOOD, twice])


def test_every_column_is_documented() -> None:
    """The page that a till's vendor reads names each of them."""
    page = Path("docs/files-source.md").read_text()
    names = {name for table in COLUMNS.values() for column in table for name in column.names}
    assert set() == {name for name in names if f"`{name}`" not in page}
