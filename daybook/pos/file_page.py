"""Rows of the three tables to a page of receipts: whole ones, and the reasons for the others."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from daybook.pos import cells, columns
from daybook.pos.columns import Problems
from daybook.pos.file_blocks import ROW_NUMBER
from daybook.pos.source import Page, Reach, Reject
from daybook.sales.frames import ReceiptBatch
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from numpy.typing import NDArray

    from daybook.pos.file_form import TableName
    from daybook.pos.file_parts import Part

# NUL cannot be part of a good id, so two ids never run into each other.
_KEY_SEPARATOR: Final = "\0"
# Of each table in a page: a person reads a few, and a million would fill the memory.
_REJECTS_MAX: Final = 1000
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Rows:
    """Some receipts of one part, raw: whoever has a receipt here has all its lines and tenders.

    `damaged` are receipts that also have a row nobody could split into cells, with what is said
    of it; `extent` looks up when the part's receipts were sold. `store_ids` are the stores that are
    asked for, where lines and tenders of others may be among the rows.
    """

    part: Part
    tables: dict[TableName, pa.Table]
    damaged: Mapping[tuple[str, str], Collection[Reject]] = field(default_factory=dict)
    extent: Callable[[], Reach] = Reach
    store_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The instants asked for, in microseconds since 1970: [start, end)."""

    start_us: int
    end_us: int

    def holds(self, instants: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the instants lie in it."""
        return (instants >= self.start_us) & (instants < self.end_us)


@dataclass(slots=True)
class _Rejects:
    """The first rejects of each table of a page, and how many more there are."""

    rows: Rows
    kept: list[Reject] = field(default_factory=list)
    counts: Counter[TableName] = field(default_factory=Counter)
    more: dict[TableName, Reach] = field(default_factory=dict)

    def add(self, name: TableName, row_number: int, problem: tuple[str, str], reach: Reach) -> None:
        """Say what is wrong in a row, unless very much has been said about its table."""
        self.counts[name] += 1
        if self.counts[name] <= _REJECTS_MAX:
            column, reason = problem
            self.kept.append(Reject(self._url(name), row_number, column, reason, reach))
        else:
            self.more[name] = self.more.get(name, reach) | reach

    def all(self) -> tuple[Reject, ...]:
        """The rejects, and one for all those that were not kept."""
        more = [
            Reject(
                self._url(name),
                0,
                "",
                f"{counted(count - _REJECTS_MAX, 'more row')} like these cannot be used; their "
                "receipts are left out.",
                self.more[name],
            )
            for name, count in self.counts.items()
            if count > _REJECTS_MAX
        ]
        return (*self.kept, *more)

    def _url(self, name: TableName) -> str:
        url: str = getattr(self.rows.part, name).url
        return url


@dataclass(slots=True)
class _Receipts:
    """The receipts of the rows; `is_good` loses those that turn out not to be whole."""

    frame: pd.DataFrame
    keys: pa.Array
    row_numbers: NDArray[np.int64]
    is_inside: NDArray[np.bool_]
    is_good: NDArray[np.bool_]
    # The text of the store, and the instants, of which those that cannot be read mean nothing.
    store_ids: pa.ChunkedArray
    sold_us: NDArray[np.int64]

    def reach(self, row: int) -> Reach:
        """The sale of a receipt whose time can be read."""
        return _reach(self.store_ids[row].as_py(), int(self.sold_us[row]))


@dataclass(frozen=True, slots=True)
class _Children:
    """Lines or tenders of receipts in the window; `place` is their receipt's position."""

    frame: pd.DataFrame
    place: NDArray[np.int64]


def page_of(rows: Rows, window: Window) -> Page:
    """The receipts in the window; one that has any bad row is left out whole, with the reason."""
    rejects = _Rejects(rows)
    receipts = _receipts(rows, window, rejects)
    lines = _children(rows, "lines", receipts, rejects)
    tenders = _children(rows, "tenders", receipts, rejects)
    _check_whole(rows, receipts, lines, tenders, rejects)
    good = receipts.frame[receipts.is_good]
    batch = ReceiptBatch(
        receipts=good.reset_index(drop=True),
        lines=lines.frame[receipts.is_good[lines.place]].reset_index(drop=True),
        tenders=tenders.frame[receipts.is_good[tenders.place]].reset_index(drop=True),
    )
    return Page(batch, rejects.all())


def _receipts(rows: Rows, window: Window, rejects: _Rejects) -> _Receipts:
    table, problems = rows.tables["receipts"], Problems()
    sold_at = columns.instants(table, "sold_at", problems)
    is_timed = np.ones(len(sold_at), dtype=bool)
    is_timed[problems.rows()] = False
    is_inside = is_timed & window.holds(sold_at)
    updated_at = columns.instants(table, "updated_at", problems)
    keys = _keys(table)
    frame = pd.DataFrame(
        {
            "receipt_key": np.arange(len(sold_at)),
            "store_id": columns.names(table, "store_id", problems),
            "receipt_id_pos": columns.ids(table, "receipt_id_pos", problems),
            "sold_at": _utc(sold_at),
            "updated_at": _utc(updated_at),
            "currency": columns.currencies(table, problems),
            "is_refund": columns.flags(table, "kind", problems, cells.is_refund),
            "is_voided": columns.flags(table, "status", problems, cells.is_voided),
        }
    )
    _note_repeated(keys, problems)
    row_numbers = table[ROW_NUMBER].to_numpy()
    is_good = is_inside.copy()
    is_good[problems.rows()] = False
    receipts = _Receipts(frame, keys, row_numbers, is_inside, is_good, table["store_id"], sold_at)
    # What is wrong outside the window is said when that window is asked for.
    seen = [row for row in problems.by_row if is_inside[row] or not is_timed[row]]
    for row in seen:
        store_id = frozenset([receipts.store_ids[row].as_py()])
        reach = receipts.reach(row) if is_timed[row] else replace(rows.extent(), store_ids=store_id)
        rejects.add("receipts", int(row_numbers[row]), problems.by_row[row], reach)
    _leave_out_damaged(rows, receipts, rejects)
    return receipts


def _leave_out_damaged(rows: Rows, receipts: _Receipts, rejects: _Rejects) -> None:
    """Say of what day a receipt is of which a row could not be split into cells."""
    if not rows.damaged:
        return
    found = {_KEY_SEPARATOR.join(key): said for key, said in rows.damaged.items()}
    is_damaged = pc.is_in(receipts.keys, pa.array(sorted(found))).to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(is_damaged & receipts.is_inside).tolist():
        reach = receipts.reach(row)
        said = found[receipts.keys[row].as_py()]
        rejects.kept += [replace(one, reach=reach) for one in said]
        receipts.is_good[row] = False


def _children(rows: Rows, name: TableName, receipts: _Receipts, rejects: _Rejects) -> _Children:
    table, problems = rows.tables[name], Problems()
    found = pc.fill_null(pc.index_in(_keys(table), receipts.keys), -1)
    place = found.to_numpy(zero_copy_only=False).astype(np.int64)
    row_numbers = table[ROW_NUMBER].to_numpy()
    for row in np.flatnonzero(place < 0).tolist():
        reason = f"It has no receipt in {rows.part.receipts.url}; add it, or remove this row."
        store_id = table["store_id"][row].as_py()
        reach = rows.extent()
        if store_id and (rows.store_ids is None or store_id in rows.store_ids):
            reach = replace(reach, store_ids=frozenset([store_id]))
        rejects.add(name, int(row_numbers[row]), ("receipt_id_pos", reason), reach)
    kept = np.flatnonzero(place >= 0)
    kept = kept[receipts.is_inside[place[kept]]]
    table = table.take(pa.array(kept))
    place, row_numbers = place[kept], row_numbers[kept]
    currency = receipts.frame["currency"].array[place]
    frame = _CHILD_FRAMES[name](table, currency, problems)
    _note_repeated_positions(frame, place, problems)
    for row, (column, reason) in problems.by_row.items():
        whose = receipts.frame.iloc[place[row]]
        said = f"{reason} Receipt {whose.receipt_id_pos} of store {whose.store_id} is left out."
        reach = receipts.reach(int(place[row]))
        rejects.add(name, int(row_numbers[row]), (column, said), reach)
    receipts.is_good[place[problems.rows()]] = False
    frame.insert(0, "receipt_key", place)
    return _Children(frame, place)


def _line_frame(table: pa.Table, currency: pd.Categorical[Any], problems: Problems) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "line_no": columns.positions(table, "line_no", problems),
            "category": columns.names(table, "category", problems),
            "tax_code": columns.names(table, "tax_code", problems),
            "net_minor": columns.amounts(table, "net_amount", currency, problems),
            "tax_minor": columns.amounts(table, "tax_amount", currency, problems),
            "discount_minor": columns.amounts(table, "discount_amount", currency, problems),
        }
    )


def _tender_frame(
    table: pa.Table, currency: pd.Categorical[Any], problems: Problems
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "tender_no": columns.positions(table, "tender_no", problems),
            "tender": columns.names(table, "tender", problems),
            "amount_minor": columns.amounts(table, "amount", currency, problems),
        }
    )


_CHILD_FRAMES: Final = {"lines": _line_frame, "tenders": _tender_frame}


def _check_whole(
    rows: Rows,
    receipts: _Receipts,
    lines: _Children,
    tenders: _Children,
    rejects: _Rejects,
) -> None:
    """Leave out receipts that lack lines or tenders, and refunds that take money in."""
    size = len(receipts.frame)
    has_lines = np.bincount(lines.place, minlength=size) > 0
    has_tenders = np.bincount(tenders.place, minlength=size) > 0
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, lines.place, (lines.frame["net_minor"] + lines.frame["tax_minor"]).to_numpy())
    is_final = ~receipts.frame["is_voided"].to_numpy()
    is_refund = receipts.frame["is_refund"].to_numpy()
    checks = (
        ("receipt_id_pos", ~has_lines, f"It has no lines in {rows.part.lines.url}."),
        (
            "receipt_id_pos",
            has_lines & (total != 0) & ~has_tenders,
            f"It has no tenders in {rows.part.tenders.url}.",
        ),
        ("kind", is_refund & (total > 0), "It is a refund, whose amounts must be negative."),
    )
    for column, is_wrong, reason in checks:
        for row in np.flatnonzero(is_wrong & is_final & receipts.is_good).tolist():
            number = int(receipts.row_numbers[row])
            rejects.add("receipts", number, (column, reason), receipts.reach(row))
            receipts.is_good[row] = False


def _reach(store_id: str, sold_us: int) -> Reach:
    at = _EPOCH + dt.timedelta(microseconds=sold_us)
    return Reach(frozenset([store_id]), at, at)


def _keys(table: pa.Table) -> pa.Array:
    """Store and receipt id as one text per row."""
    joined = pc.binary_join_element_wise(table["store_id"], table["receipt_id_pos"], _KEY_SEPARATOR)
    return joined.combine_chunks()


def _note_repeated(keys: pa.Array, problems: Problems) -> None:
    codes = keys.dictionary_encode().indices.to_numpy()
    is_repeated = np.bincount(codes)[codes] > 1 if len(codes) else np.empty(0, dtype=bool)
    problems.note(
        np.flatnonzero(is_repeated),
        "receipt_id_pos",
        "The receipt stands here more than once; keep one row, a newer version goes into "
        "another part.",
    )


def _note_repeated_positions(
    frame: pd.DataFrame, place: NDArray[np.int64], problems: Problems
) -> None:
    column = "line_no" if "line_no" in frame else "tender_no"
    where = pd.DataFrame({"place": place, "position": frame[column]})
    is_repeated = where.duplicated(keep=False).to_numpy()
    problems.note(np.flatnonzero(is_repeated), column, "The position stands twice on the receipt.")


def _utc(microseconds: NDArray[np.int64]) -> pd.Series[pd.Timestamp]:
    return pd.Series(microseconds.view("datetime64[us]")).dt.tz_localize("UTC")
