"""The form of the files source: three tables and their columns (`docs/files-source.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from daybook.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsspec import AbstractFileSystem

TableName = Literal["receipts", "lines", "tenders"]
ColumnKind = Literal["name", "time", "position", "amount"]


@dataclass(frozen=True, slots=True)
class FormColumn:
    """One column of the form; an amount may also come as whole minor units."""

    name: str
    kind: ColumnKind = "name"
    is_required: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The names it may have in a file."""
        if self.kind != "amount":
            return (self.name,)
        return (self.name, f"{self.name.removesuffix('_amount')}_minor")


KEY_COLUMNS: Final = ("store_id", "receipt_id_pos")
_KEY: Final = tuple(map(FormColumn, KEY_COLUMNS))
COLUMNS: Final[dict[TableName, tuple[FormColumn, ...]]] = {
    "receipts": (
        *_KEY,
        FormColumn("sold_at", "time"),
        FormColumn("updated_at", "time"),
        FormColumn("currency"),
        FormColumn("kind"),
        FormColumn("status"),
    ),
    "lines": (
        *_KEY,
        FormColumn("line_no", "position"),
        FormColumn("category"),
        FormColumn("tax_code"),
        FormColumn("net_amount", "amount"),
        FormColumn("tax_amount", "amount"),
        FormColumn("discount_amount", "amount", is_required=False),
    ),
    "tenders": (
        *_KEY,
        FormColumn("tender_no", "position"),
        FormColumn("tender"),
        FormColumn("amount", "amount"),
    ),
}


@dataclass(frozen=True, slots=True)
class TableFile:
    """One file of one table; `url` is fit to be shown, without credentials.

    `is_shared` where the file is a workbook that holds all three tables, each on its own sheet.
    """

    table: TableName
    part: str
    file_system: AbstractFileSystem
    path: str
    url: str
    is_shared: bool = False

    @property
    def is_parquet(self) -> bool:
        """Whether it is Parquet; a file that is neither that nor a workbook is CSV."""
        return self.path.endswith(".parquet")

    @property
    def is_xlsx(self) -> bool:
        """Whether it is a workbook."""
        return self.path.endswith(".xlsx")


@dataclass(slots=True)
class MalformedRow:
    """A row that does not make cells to read; `key` is its store and receipt where they stand."""

    row_number: int
    reason: str
    key: tuple[str, str] | None


def chosen_columns(file: TableFile, header: Sequence[str]) -> list[str]:
    """The file's columns that are read; others are ignored.

    Raises:
        InputError: a column is missing, or stands in the file twice.
    """
    chosen = []
    for column in COLUMNS[file.table]:
        present = [name for name in header if name in column.names]
        if len(present) > 1:
            raise InputError(
                f"{file.url} has the column {column.name} more than once "
                f"({', '.join(present)}); keep one of them."
            )
        if not present and column.is_required:
            raise InputError(
                f"{file.url} has no column {' or '.join(column.names)}; its columns are "
                f"{', '.join(header) or 'none'}, they must be called "
                f"{', '.join(one.name for one in COLUMNS[file.table])}."
            )
        chosen += present
    return chosen
