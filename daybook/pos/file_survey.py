"""The first look at a part: has it anything in the window, how much, and of whom."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daybook.pos import cells, columns
from daybook.pos.columns import Problems
from daybook.pos.file_blocks import ROW_NUMBER, sold_between
from daybook.pos.source import NO_DAY, Reach, Reject
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from daybook.pos.file_blocks import FileReader
    from daybook.pos.file_page import Window
    from daybook.pos.file_parts import Part

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_DAY: Final = dt.timedelta(days=1)
# So many unknown stores are another column under the store's name; a person reads a few.
_STRANGERS_MAX: Final = 1000
_SHIFTED_MAX: Final = 1000
_MOVED: Final = (
    " The cells may stand in the wrong columns, so the row may be of any store. Put them right, or "
    "delete the row if it is no receipt."
)


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first look at a part's receipts says.

    `silent` are the stores whose rows may be passed over: known ones, and those a reject names;
    None where there are too many of the latter to tell.
    """

    receipt_count: int
    has_any_inside: bool
    rejects: tuple[Reject, ...]
    silent: frozenset[str] | None = None


def may_hold(part: Part, window: Window) -> bool:
    """Whether a Parquet file's own statistics leave any receipt of the window possible."""
    if not part.receipts.is_parquet:
        return True
    between = sold_between(part.receipts)
    if between is None or not all(isinstance(one, dt.datetime) for one in between):
        return True
    first, last = ((one - _EPOCH) // _MICROSECOND for one in between)
    return bool(last >= window.start_us and first < window.end_us)


def survey(
    reader: FileReader,
    store_ids: frozenset[str],
    window: Window,
    known_store_ids: Collection[str] | None,
) -> Survey:
    """Count the stores' receipts, see whether any may be inside, and name unknown stores."""
    receipt_count = 0
    has_any_inside = False
    is_empty = True
    strangers = None if known_store_ids is None else _Strangers(frozenset(known_store_ids))
    asked = pa.array(sorted(store_ids), pa.string())
    for block in reader.blocks():
        if strangers is not None:
            strangers.note(block)
        is_empty = is_empty and not block.num_rows
        mine = block.filter(pc.is_in(block["store_id"], asked))
        receipt_count += mine.num_rows
        if mine.num_rows and not has_any_inside:
            problems = Problems()
            instants = columns.instants(mine, "sold_at", problems)
            has_any_inside = bool(problems.by_row) or bool(window.holds(instants).any())
    # Where there is none at all, lines without their receipts say that the file is cut off.
    may_hold_any = has_any_inside or bool(reader.malformed) or is_empty
    if strangers is None:
        return Survey(receipt_count, may_hold_any, ())
    return Survey(
        receipt_count,
        may_hold_any or strangers.has_exchanged,
        tuple(strangers.rejects(reader.file.url, cache(lambda: extent_of(reader)))),
        strangers.silent,
    )


def extent_of(reader: FileReader) -> Reach:
    """When the file's receipts were sold, and a day on either side; of any store.

    A row that does not say its day makes those days incomplete that other rows of its file tell
    of. The whole file is read for it.
    """
    malformed = list(reader.malformed)
    instants: list[int] = []
    for block in reader.blocks():
        problems = Problems()
        sold_us = columns.instants(block, "sold_at", problems)
        if len(problems.by_row):
            sold_us = np.delete(sold_us, problems.rows())
        if len(sold_us):
            instants += [int(sold_us.min()), int(sold_us.max())]
    reader.malformed[:] = malformed
    if not instants:
        return Reach()
    return Reach(None, _at(min(instants)) - _DAY, _at(max(instants)) + _DAY)


def _at(us: int) -> dt.datetime:
    return _EPOCH + us * _MICROSECOND


@dataclass(frozen=True, slots=True)
class _Shifted:
    """A row whose store cannot be trusted; `sold_at` where the rest of it can be read."""

    store_id: str
    row_number: int
    column: str
    reason: str
    sold_at: dt.datetime | None

    def reach(self, extent: Callable[[], Reach]) -> Reach:
        """Any store, at its time, or else whenever the file's receipts are of."""
        return extent() if self.sold_at is None else Reach(None, self.sold_at, self.sold_at)


@dataclass(slots=True)
class _Strangers:
    """Rows of stores that nobody knows; of very many the first, and how many more.

    A row that can be read but for its store is of a store that was not loaded, and so is a bad row
    that names the same one. Any other may have its cells in the wrong columns: then it is of a
    store that is known, whichever it is.
    """

    known: frozenset[str]
    has_exchanged: bool = False
    _first_rows: dict[str, int] = field(default_factory=dict)
    _more_count: int = 0
    _shifted: list[_Shifted] = field(default_factory=list)
    _more_shifted_count: int = 0
    # Where they reach: their times, or any time of the file.
    _more_reach: Reach | None = None
    _is_more_anywhen: bool = False

    def note(self, block: pa.Table) -> None:
        """Remember what the block has of them."""
        known = pa.array(sorted(self.known), pa.string())
        strange = block.filter(pc.invert(pc.is_in(block["store_id"], known)))
        if not strange.num_rows:
            return
        exchanged = pc.any(pc.is_in(strange["receipt_id_pos"], known)).as_py()
        self.has_exchanged = self.has_exchanged or bool(exchanged)
        problems = Problems()
        sold_us = columns.instants(strange, "sold_at", problems)
        columns.instants(strange, "updated_at", problems)
        columns.currencies(strange, problems)
        columns.flags(strange, "kind", problems, cells.is_refund)
        columns.flags(strange, "status", problems, cells.is_voided)
        store_ids = strange["store_id"].to_pylist()
        row_numbers = strange[ROW_NUMBER].to_pylist()
        for row, (store_id, row_number) in enumerate(zip(store_ids, row_numbers, strict=True)):
            if row in problems.by_row:
                column, reason = problems.by_row[row]
                said = (
                    f"Store {cells.shown(store_id)} is not known to Daybook, and {column} says: "
                    f"{reason}"
                )
                self._note_shifted(_Shifted(store_id, row_number, "store_id", said, None))
            elif not store_id:
                at = _at(int(sold_us[row]))
                self._note_shifted(
                    _Shifted("", row_number, "store_id", "It is empty; fill it in.", at)
                )
            elif len(self._first_rows) < _STRANGERS_MAX:
                self._first_rows.setdefault(store_id, row_number)
            elif store_id not in self._first_rows:
                self._more_count += 1

    def _note_shifted(self, row: _Shifted) -> None:
        if len(self._shifted) < _SHIFTED_MAX:
            self._shifted.append(row)
            return
        self._more_shifted_count += 1
        if row.sold_at is None:
            self._is_more_anywhen = True
        else:
            at = Reach(None, row.sold_at, row.sold_at)
            self._more_reach = self._more_reach | at if self._more_reach else at

    @property
    def silent(self) -> frozenset[str] | None:
        """The stores whose rows need no word more."""
        return None if self._more_count else self.known.union(self._first_rows)

    def rejects(self, url: str, extent: Callable[[], Reach]) -> Iterator[Reject]:
        """Each store once, each row that may be of any store, and how many more there are."""
        for store_id, row_number in self._first_rows.items():
            said = (
                f"Store '{store_id}' is not known to Daybook, its receipts are left out; "
                "add the store, or correct the id."
            )
            yield Reject(url, row_number, "store_id", said, NO_DAY)
        if self._more_count:
            said = (
                f"{counted(self._more_count, 'more row is', 'more rows are')} of other stores that "
                "are not known to Daybook, their receipts are left out; add the stores, or correct "
                "the ids."
            )
            yield Reject(url, 0, "store_id", said, NO_DAY)
        for row in self._shifted:
            reach, said = row.reach(extent), row.reason
            if row.store_id in self._first_rows:
                reach = NO_DAY
            elif row.store_id:
                said += _MOVED
            yield Reject(url, row.row_number, row.column, said, reach)
        if self._more_shifted_count:
            more = counted(self._more_shifted_count, "more row has", "more rows have")
            said = (
                f"{more} no store, or cells in the wrong columns; correct them, or export the file "
                "again."
            )
            timed = None if self._is_more_anywhen else self._more_reach
            reach = extent() if timed is None else timed
            yield Reject(url, 0, "store_id", said, reach)
