"""The first look at a part: has it anything in the window, how much, and of whom."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daybook.pos import columns
from daybook.pos.columns import Problems
from daybook.pos.file_blocks import ROW_NUMBER, sold_between
from daybook.pos.source import NO_DAY, Reach, Reject

if TYPE_CHECKING:
    from collections.abc import Collection

    from daybook.pos.file_blocks import FileReader
    from daybook.pos.file_page import Window
    from daybook.pos.file_parts import Part

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_DAY: Final = dt.timedelta(days=1)
# So many unknown stores are another column under the store's name.
_STRANGERS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first look at a part's receipts says."""

    receipt_count: int
    has_any_inside: bool
    rejects: tuple[Reject, ...]


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
    strangers: dict[str, int] = {}
    asked = pa.array(sorted(store_ids), pa.string())
    for block in reader.blocks():
        if known_store_ids is not None:
            _note_strangers(block, known_store_ids, strangers)
        is_empty = is_empty and not block.num_rows
        mine = block.filter(pc.is_in(block["store_id"], asked))
        receipt_count += mine.num_rows
        if mine.num_rows and not has_any_inside:
            problems = Problems()
            instants = columns.instants(mine, "sold_at", problems)
            has_any_inside = bool(problems.by_row) or bool(window.holds(instants).any())
    rejects = tuple(
        Reject(
            reader.file.url,
            row_number,
            "store_id",
            f"Store '{store_id}' is not known to Daybook, its receipts are left out; "
            "add the store, or correct the id."
            if store_id
            else "It is empty; fill it in.",
            # A receipt without a store may be anybody's.
            NO_DAY if store_id else replace(extent_of(reader, frozenset([""])), store_ids=None),
        )
        for store_id, row_number in strangers.items()
    )
    # Where there is none at all, lines without their receipts say that the file is cut off.
    may_hold_any = has_any_inside or bool(reader.malformed) or is_empty
    return Survey(receipt_count, may_hold_any, rejects)


def extent_of(reader: FileReader, store_ids: frozenset[str]) -> Reach:
    """The stores' receipts of the file: which stores, from when to when, and a day on either side.

    A row that does not say its day makes those days incomplete that other rows of its file tell
    of. The whole file is read for it.
    """
    malformed = list(reader.malformed)
    found: set[str] = set()
    instants: list[int] = []
    for block in reader.blocks():
        mine = block.filter(pc.is_in(block["store_id"], pa.array(sorted(store_ids), pa.string())))
        problems = Problems()
        sold_us = columns.instants(mine, "sold_at", problems)
        if len(problems.by_row):
            sold_us = np.delete(sold_us, problems.rows())
        if len(sold_us):
            instants += [int(sold_us.min()), int(sold_us.max())]
            found.update(pc.unique(mine["store_id"]).to_pylist())
    reader.malformed[:] = malformed
    if not instants:
        return Reach()
    first_at, last_at = (_EPOCH + us * _MICROSECOND for us in (min(instants), max(instants)))
    return Reach(frozenset(found), first_at - _DAY, last_at + _DAY)


def _note_strangers(
    block: pa.Table, known_store_ids: Collection[str], strangers: dict[str, int]
) -> None:
    """Remember the first row of each store that nobody knows."""
    encoded = block["store_id"].combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    for code, store_id in enumerate(encoded.dictionary.to_pylist()):
        if len(strangers) == _STRANGERS_MAX:
            return
        if store_id not in known_store_ids and store_id not in strangers:
            first = int(np.argmax(codes == code))
            strangers[store_id] = block[ROW_NUMBER][first].as_py()
