"""Expenses from a CSV file or a workbook (xlsx), local or at any fsspec URL.

Both have the same columns, which docs/expenses.md names.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import fsspec

from daybook.errors import InputError, Unavailable
from daybook.expenses.expense import Expense, SourceStatus
from daybook.money import parse_minor
from daybook.spend.expense_sheet import sheet_rows
from daybook.spend.source import SpendPage, SpendReject

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = "files"
_REQUIRED: Final = ("id", "account", "date", "amount", "currency", "merchant", "category")
_OPTIONAL: Final = ("status", "reference", "card", "note", "merchant_amount")
_PAGE_SIZE: Final = 1000
# A correcting entry has its expense's reference and "-C1", its natural key ":correction:1".
_LIKE_CORRECTION: Final = re.compile(r"-C[0-9]+$|:correction:", re.IGNORECASE)


class ExpenseFiles:
    """One file; money out is positive, money that came back negative."""

    name = NAME

    def __init__(self, url: str) -> None:
        """Read this file, anew each time."""
        self._url = url

    def expenses(self, first_date: dt.date, last_date: dt.date) -> Iterator[SpendPage]:
        """The rows dated in the window; a row that cannot be read is a reject."""
        expenses: list[Expense] = []
        rejects: list[SpendReject] = []
        seen: set[str] = set()
        for number, row in self._rows():
            where = f"{self._url} row {number}"
            try:
                one = _expense(row)
            except (InputError, ValueError) as error:
                rejects.append(SpendReject(where, f"It cannot be read: {error}"))
                continue
            if one.id_source in seen:
                said = f"The id '{one.id_source}' stands in the file twice; the first row counts."
                rejects.append(SpendReject(where, said))
                continue
            seen.add(one.id_source)
            if first_date <= one.spent_date <= last_date:
                expenses.append(one)
            if len(expenses) >= _PAGE_SIZE:
                yield SpendPage(tuple(expenses), tuple(rejects))
                expenses, rejects = [], []
        yield SpendPage(tuple(expenses), tuple(rejects))

    def _rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """The rows that say anything, with their numbers in the file."""
        header, *rows = self._table() or [[]]
        names = [name.strip() for name in header]
        missing = [name for name in _REQUIRED if name not in names]
        if missing:
            raise InputError(
                f"{self._url} has no column {', '.join(missing)}; its first row must name "
                f"{', '.join(_REQUIRED)}, and may name {', '.join(_OPTIONAL)}."
            )
        for number, cells in enumerate(rows, start=2):
            row = dict(zip_longest(names, map(str.strip, cells[: len(names)]), fillvalue=""))
            if any(row.values()):
                yield number, row

    def _table(self) -> list[list[str]]:
        content = self._content()
        if self._url.lower().endswith(".xlsx"):
            return sheet_rows(io.BytesIO(content), self._url)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"{self._url} is not UTF-8 text; save it as CSV UTF-8.") from error
        try:
            return list(csv.reader(io.StringIO(text), strict=True))
        except csv.Error as error:
            raise InputError(f"{self._url} is not a CSV file: {error}.") from error

    def _content(self) -> bytes:
        try:
            with fsspec.open(self._url, "rb") as file:
                content: bytes = file.read()
        except FileNotFoundError as error:
            raise InputError(f"There is no file {self._url}. Check DAYBOOK_SPEND_URL.") from error
        except OSError as error:
            raise Unavailable(f"{self._url} cannot be read: {error}.") from error
        return content


def _expense(row: dict[str, str]) -> Expense:
    empty = [name for name in ("id", "account", "date", "amount", "currency") if not row[name]]
    if empty:
        raise InputError(f"{', '.join(empty)} is empty.")
    if _LIKE_CORRECTION.search(row["id"]):
        raise InputError(
            f"the id '{row['id']}' ends like the entry that corrects an expense, and Xero could "
            "not tell them apart. Give it another ending."
        )
    return Expense(
        source=NAME,
        id_source=row["id"],
        account_id_source=row["account"],
        status=SourceStatus(row.get("status") or "settled"),
        spent_date=dt.date.fromisoformat(row["date"]),
        amount_minor=parse_minor(row["amount"], row["currency"]),
        currency=row["currency"],
        merchant=row["merchant"],
        category=row["category"],
        reference=row.get("reference", ""),
        card=row.get("card", ""),
        note=row.get("note", ""),
        merchant_amount=row.get("merchant_amount", ""),
    )
