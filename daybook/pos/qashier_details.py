"""Qashier's Transaction Details: a workbook with one row for each item sold, read into tickets.

The header is found by its words, in one of the first rows. Date, total, tax, payment method and
the mark of a void belong to the receipt and stand beside its items: they are taken once. Only the
columns named here are looked at; who the customer was is never read out of a row.
"""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from daybook.errors import InputError
from daybook.pos.cells import shown
from daybook.pos.qashier_receipt import NO_TAX
from daybook.pos.qashier_stores import Misspelt
from daybook.pos.qashier_text import Misfit, amount_minor, label, name
from daybook.pos.qashier_workbook import Cell, sheet_rows
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daybook.sales.store import Store

_SHEET: Final = "Transactions"
_HEADER_ROWS_MAX: Final = 25
_PROBLEMS_MAX: Final = 20
_DAY: Final = dt.timedelta(days=1)
_HALF_SECOND: Final = dt.timedelta(milliseconds=500)
_DATE: Final = re.compile(r"(\d\d?)/(\d\d?)/(\d{4})[ T]+(\d\d?):(\d\d)(?::(\d\d))?", re.ASCII)
_NUMBER_DIGITS: Final = 16
_RECEIPT_DATE: Final = re.compile(r"(\d\d)(\d\d)(\d{4})\d{8}", re.ASCII)
# A currency sign in brackets or behind the words, which differs from country to country.
_CURRENCY: Final = re.compile(r"\s*(\([^)]*\)|[^\w\s]|\b(s\$|rm|us\$|sgd|myr|thb|php))$")
_TRUE: Final = {"yes", "y", "true", "1", "voided", "void"}
_FALSE: Final = {"", "no", "n", "false", "0", "-", "n/a"}
MULTIPLE_METHODS: Final = "multiple methods"

_COLUMNS: Final = {
    "sold_at": (re.compile("date"), True),
    "receipt_id": (re.compile("receipt no"), True),
    "total": (re.compile("transaction total amount"), True),
    "tax": (re.compile("transaction total (gst|vat|sst|service tax|tax)"), False),
    "tender": (re.compile("transaction payment method"), True),
    "percent": (re.compile("transaction level percentage discount"), False),
    "dollars": (re.compile("transaction level (dollar|amount|cash) discount"), False),
    "voided": (re.compile("voided"), True),
    "item": (re.compile("transaction item"), True),
    "amount": (re.compile("transaction item final amount"), True),
    "store": (re.compile("store name"), True),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing sold: how its name compares, and its final amount in minor units."""

    label: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """A receipt as the export has it; minor units."""

    receipt_id_pos: str
    sold_at: dt.datetime
    row_number: int
    total_minor: int
    tax_minor: int
    tender: str
    is_voided: bool
    # What came off the whole receipt; whether the items have it off already is found out later.
    discount_minor: int
    discount_percent: Decimal
    items: tuple[Item, ...]

    @property
    def is_split(self) -> bool:
        """Whether it was paid in several ways that the export does not name."""
        return label(self.tender) == MULTIPLE_METHODS


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a row."""

    row_number: int
    column: str
    reason: str


@dataclass(slots=True)
class DetailsDay:
    """One store's tickets of one date; with a problem none of them counts."""

    tax_code: str
    tickets: list[Ticket] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    receipt_ids: set[str] = field(default_factory=set)

    @property
    def fingerprint(self) -> int:
        """Equal where two exports tell the same of a day, in whatever rows."""
        tickets = frozenset(replace(ticket, row_number=0) for ticket in self.tickets)
        return hash((self.tax_code, tickets, len(self.problems)))


@dataclass(slots=True)
class Details:
    """An export: its days, the stores in it nobody knows, and rows that may be of any day.

    With such a row, a misfit, none of its days counts.
    """

    days: dict[StoreDay, DetailsDay] = field(default_factory=dict)
    strangers: list[Misfit] = field(default_factory=list)
    misfits: list[Misfit] = field(default_factory=list)


def read_details(
    content: bytes,
    store_of: Callable[[str, int], Store | None],
    first_date: dt.date,
    last_date: dt.date,
) -> Details:
    """The tickets of the window, of the stores that `store_of` finds by the name in a row.

    Raises:
        Misfit: it is no such export, or torn.
    """
    rows = sheet_rows(content, _SHEET)
    columns = _columns(rows)
    reader = _Reader(columns.tax_code, store_of, first_date, last_date)
    for number, cells in rows:
        if any(cell not in ("", None) for cell in cells):
            reader.take(number, columns.of(cells))
    return reader.finished()


class _Cells(NamedTuple):
    """The cells of a row that are looked at, in the order of `_COLUMNS`."""

    sold_at: Cell
    receipt_id: Cell
    total: Cell
    tax: Cell
    tender: Cell
    percent: Cell
    dollars: Cell
    voided: Cell
    item: Cell
    amount: Cell
    store: Cell


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where each column stands, and what the tax is called."""

    places: tuple[int, ...]
    tax_code: str

    def of(self, cells: list[Cell]) -> _Cells:
        """The cells of these columns; one that the file does not have is empty."""
        cells.append("")
        return _Cells._make(map(cells.__getitem__, self.places))


def _columns(rows: Iterator[tuple[int, list[Cell]]]) -> _Columns:
    """Read on until a row has the words of the header."""
    for number, cells in rows:
        if number > _HEADER_ROWS_MAX:
            break
        heads = [_head(cell) for cell in cells]
        if "date" in heads and "receipt no" in heads:
            return _placed(heads, number)
    raise Misfit(
        "No row has the headings of Transaction Details (Date, Receipt No., ...); export it again, "
        "or remove the file."
    )


def _head(cell: Cell) -> str:
    """A heading without the currency behind it."""
    return label(_CURRENCY.sub("", label(cell))) if isinstance(cell, str) else ""


def _placed(heads: list[str], number: int) -> _Columns:
    places: list[int] = []
    tax_code = NO_TAX
    for column, (pattern, is_needed) in _COLUMNS.items():
        found = [place for place, head in enumerate(heads) if pattern.fullmatch(head)]
        if len(found) > 1 or (is_needed and not found):
            what = "stands twice" if found else "is missing"
            raise Misfit(
                f"The column '{pattern.pattern.title()}' {what}; export Transaction Details again.",
                number,
                pattern.pattern.title(),
            )
        # The place behind the last cell, which `_Columns.of` fills with nothing.
        places.append(found[0] if found else -1)
        if found and column == "tax":
            said = heads[found[0]].removeprefix("transaction total ")
            tax_code = said.upper() if len(said) == len("gst") else said.capitalize()
    return _Columns(tuple(places), tax_code)


@dataclass(slots=True)
class _Draft:
    """A receipt while its rows come in; texts are the first that were not empty."""

    store: Store
    day: StoreDay
    local: dt.datetime
    row_number: int
    said: dict[str, str]
    items: list[Item] = field(default_factory=list)
    is_refused: bool = False


class _Reader:
    """Takes rows in any order and puts receipts together."""

    def __init__(
        self,
        tax_code: str,
        store_of: Callable[[str, int], Store | None],
        first_date: dt.date,
        last_date: dt.date,
    ) -> None:
        self._tax_code = tax_code
        self._store_of = store_of
        self._dates = (first_date, last_date)
        self._stores: dict[str, Store | None] = {}
        self._drafts: dict[tuple[str, str], _Draft] = {}
        self._found = Details()

    def take(self, number: int, cells: _Cells) -> None:
        """One row."""
        try:
            self._take(number, cells)
        except Misfit as misfit:
            if len(self._found.misfits) < _PROBLEMS_MAX:
                self._found.misfits.append(misfit)

    def _take(self, number: int, cells: _Cells) -> None:
        store = self._store(cells, number)
        if store is None:
            return
        local = _local(cells.sold_at, number)
        receipt_id = _receipt_id(cells.receipt_id, number)
        _check_date(local, receipt_id, number)
        date = local.date()
        draft = self._drafts.get((store.store_id, receipt_id))
        if draft is None:
            if not self._dates[0] <= date <= self._dates[1]:
                return
            day = StoreDay(date, store.store_id)
            draft = _Draft(store, day, local, number, {})
            self._drafts[store.store_id, receipt_id] = draft
            self._day(day).receipt_ids.add(receipt_id)
        elif local != draft.local:
            said = f"Receipt {receipt_id} has two dates; export Transaction Details again."
            self._note(draft.day, Problem(number, "Date", said))
        try:
            self._add(draft, cells)
        except InputError as error:
            column = error.column if isinstance(error, Misfit) else ""
            said = f"{error} Receipt {receipt_id} cannot be read, so its day waits."
            self._note(draft.day, Problem(number, column, said))
            draft.is_refused = True

    def finished(self) -> Details:
        """All receipts, by day."""
        for (_, receipt_id), draft in self._drafts.items():
            if draft.is_refused:
                continue
            day = self._day(draft.day)
            try:
                day.tickets.append(_ticket(receipt_id, draft))
            except InputError as error:
                said = f"{error} Receipt {receipt_id} cannot be read, so its day waits."
                self._note(draft.day, Problem(draft.row_number, "", said))
        return self._found

    def _store(self, cells: _Cells, number: int) -> Store | None:
        said = _text(cells.store)
        if not said:
            raise Misfit(
                "The row has no store, so nobody can tell which day it belongs to, and the whole "
                "file waits. Export it again.",
                number,
                "Store Name",
            )
        if said not in self._stores:
            try:
                self._stores[said] = self._store_of(said, number)
            except Misspelt as misspelt:
                self._stores[said] = None
                self._found.misfits.append(misspelt)
            except Misfit as misfit:
                self._stores[said] = None
                self._found.strangers.append(misfit)
        return self._stores[said]

    def _day(self, day: StoreDay) -> DetailsDay:
        return self._found.days.setdefault(day, DetailsDay(self._tax_code))

    def _note(self, day: StoreDay, problem: Problem) -> None:
        problems = self._day(day).problems
        if len(problems) < _PROBLEMS_MAX:
            problems.append(problem)

    def _add(self, draft: _Draft, cells: _Cells) -> None:
        beside = {
            "total": cells.total,
            "tax": cells.tax,
            "tender": cells.tender,
            "voided": cells.voided,
            "percent": cells.percent,
            "dollars": cells.dollars,
        }
        for column, cell in beside.items():
            text = _text(cell)
            if text and draft.said.setdefault(column, text) != text:
                raise Misfit(
                    f"{shown(text)} stands beside {shown(draft.said[column])} on one receipt.",
                    column=column,
                )
        amount = amount_minor(_text(cells.amount), draft.store.currency)
        draft.items.append(Item(label(_text(cells.item)), amount))


def _ticket(receipt_id: str, draft: _Draft) -> Ticket:
    said, currency = draft.said, draft.store.currency
    total_minor = amount_minor(said.get("total", ""), currency)
    tender = said.get("tender", "")
    if total_minor:
        name(tender, "payment method", draft.row_number)
    return Ticket(
        receipt_id_pos=receipt_id,
        # A wall clock that shows a time twice shows it on one date only.
        sold_at=draft.local.replace(tzinfo=ZoneInfo(draft.store.time_zone)).astimezone(dt.UTC),
        row_number=draft.row_number,
        total_minor=total_minor,
        tax_minor=amount_minor(said.get("tax", "0"), currency),
        tender=tender,
        is_voided=_is_voided(said.get("voided", "")),
        discount_minor=abs(amount_minor(said.get("dollars", "0"), currency)),
        discount_percent=_percent(said.get("percent", "0")),
        items=tuple(draft.items),
    )


def _text(cell: Cell) -> str:
    """The cell as text; a number as a spreadsheet shows it, to 15 digits."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return format(cell, ".15g")
    return "" if cell is None else str(cell)


def _receipt_id(cell: Cell, number: int) -> str:
    if isinstance(cell, float) and cell.is_integer():
        # A number has lost the zero in front of the first nine days of a month.
        return f"{int(cell):0{_NUMBER_DIGITS}d}"
    return name(_text(cell), "receipt", number)


def _local(cell: Cell, number: int) -> dt.datetime:
    """The wall clock of the store; text has the day first."""
    if isinstance(cell, dt.datetime):
        # Spreadsheets keep fractions of days, which miss the second by a little.
        with suppress(OverflowError):
            return (cell + _HALF_SECOND).replace(microsecond=0, tzinfo=None)
    text = _text(cell)
    found = _DATE.fullmatch(text)
    try:
        if found:
            day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
            return dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - no zone yet
    except ValueError:
        pass
    raise Misfit(
        f"{shown(text)} is not a date and time like 31/12/2025 18:30:00, so nobody can tell which "
        "day the row belongs to, and the whole file waits. Export it again.",
        number,
        "Date",
    )


def _check_date(local: dt.datetime, receipt_id: str, number: int) -> None:
    """The receipt's own number tells of a date that a spreadsheet or a person changed."""
    found = _RECEIPT_DATE.fullmatch(receipt_id)
    if found is None:
        return
    day, month, year = (int(part) for part in found.groups())
    try:
        numbered = dt.date(year, month, day)
    except ValueError:
        return  # A number of another make.
    # A bill may be opened before midnight and paid after it.
    if abs(local.date() - numbered) <= _DAY:
        return
    exchanged = (local.day, local.month, local.year) == (month, day, year)
    said = "has day and month exchanged" if exchanged else f"says {local:%d/%m/%Y}"
    raise Misfit(
        f"Receipt {receipt_id} is of {numbered:%d/%m/%Y} by its number, but its date {said}; a "
        "spreadsheet may have changed the file. The whole file waits; export it again.",
        number,
        "Date",
    )


def _is_voided(text: str) -> bool:
    said = text.casefold()
    if said not in _TRUE | _FALSE:
        raise Misfit(f"{shown(text)} does not say whether the receipt is voided.", column="Voided")
    return said in _TRUE


def _percent(text: str) -> Decimal:
    try:
        percent = abs(Decimal(text.replace("%", "").strip()))
    except InvalidOperation:
        percent = Decimal(-1)
    if not percent.is_finite() or not 0 <= percent <= 100:  # noqa: PLR2004 - per cent
        raise Misfit(f"{shown(text)} is not a percentage.", column="Percentage Discount")
    return percent
