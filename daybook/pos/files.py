"""The files source: receipts, lines and tenders as CSV, Parquet or xlsx, wherever fsspec reaches.

`docs/files-source.md` describes the form. A part (three files of one name) is read twice: first
its receipts, to see whether it has anything in the window and how much; then all three tables,
split into buckets of about `page_receipts` receipts, each of which becomes a page. So memory holds
one bucket, however long the files are and in whatever order their rows stand.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import pyarrow as pa
import pyarrow.compute as pc

from daybook.pos.file_blocks import open_reader
from daybook.pos.file_buckets import BUCKET_COUNT_MAX, split
from daybook.pos.file_form import TableName
from daybook.pos.file_page import Rows, Window, page_of
from daybook.pos.file_parts import find_parts, redacted
from daybook.pos.file_survey import extent_of, may_hold, survey
from daybook.pos.source import Page, Reach, Reject
from daybook.sales.business_date import utc_window
from daybook.sales.frames import joined

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from daybook.pos.file_blocks import FileReader
    from daybook.pos.file_form import MalformedRow, TableFile
    from daybook.pos.file_parts import Part
    from daybook.sales.store import Store

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_REJECTS_MAX: Final = 1000
_NO_KEY: Final = ("", "")
_TABLES: Final[tuple[TableName, ...]] = get_args(TableName)


class FilesSource:
    """Receipts in files under one URL; see the module's docstring."""

    def __init__(self, url: str, *, page_receipts: int = 20_000) -> None:
        """Remember where the files are; they are looked for when receipts are asked for."""
        self._url = url
        self._page_receipts = page_receipts

    @property
    def name(self) -> str:
        """The place of the files, without credentials."""
        return f"files at {redacted(self._url)}"

    def receipts(
        self,
        stores: Sequence[Store],
        first_date: dt.date,
        last_date: dt.date,
        *,
        known_store_ids: Collection[str] | None = None,
    ) -> Iterator[Page]:
        """The stores' receipts of the window, in pages of about `page_receipts`.

        Raises:
            InputError: a file is missing, cannot be read, or has not the form.
        """
        if not stores:
            return
        window = window_of(stores, first_date, last_date)
        store_ids = frozenset(store.store_id for store in stores)
        for part in find_parts(self._url):
            yield from part_pages(
                part,
                store_ids,
                window,
                known_store_ids=known_store_ids,
                page_receipts=self._page_receipts,
            )


@dataclass(frozen=True, slots=True)
class _Asked:
    """The stores that are asked for, the others there are, and whose rows need no word."""

    store_ids: frozenset[str]
    others: frozenset[str]
    silent: frozenset[str] | None


def part_pages(
    part: Part,
    store_ids: frozenset[str],
    window: Window,
    *,
    known_store_ids: Collection[str] | None,
    page_receipts: int,
    has_other_lines: bool = False,
) -> Iterator[Page]:
    """The stores' receipts of one part, in pages of about `page_receipts`.

    With `has_other_lines` lines and tenders may be of stores whose receipts were not asked for.

    Raises:
        InputError: a file cannot be read, or has not the form.
    """
    readers = {name: open_reader(getattr(part, name)) for name in _TABLES}
    if not may_hold(part, window):
        return
    surveyed = survey(readers["receipts"], store_ids, window, known_store_ids)
    if surveyed.rejects:
        yield Page(joined([]), surveyed.rejects)
    if surveyed.has_any_inside:
        bucket_count = min(max(-(-surveyed.receipt_count // page_receipts), 1), BUCKET_COUNT_MAX)
        silent = None if has_other_lines else surveyed.silent
        asked = _Asked(store_ids, frozenset(known_store_ids or ()) - store_ids, silent)
        pages = _pages(part, readers, asked, window=window, bucket_count=bucket_count)
        yield from _filled(pages, page_receipts)


def window_of(stores: Sequence[Store], first_date: dt.date, last_date: dt.date) -> Window:
    """The instants that cover the business dates of all the stores."""
    clocks = {(store.time_zone, store.cutoff) for store in stores}
    intervals = [utc_window(first_date, last_date, zone, cutoff) for zone, cutoff in clocks]
    start = min(start for start, _ in intervals)
    end = max(end for _, end in intervals)
    return Window((start - _EPOCH) // _MICROSECOND, (end - _EPOCH) // _MICROSECOND)


def _pages(
    part: Part,
    readers: dict[TableName, FileReader],
    asked: _Asked,
    *,
    window: Window,
    bucket_count: int,
) -> Iterator[Page]:
    """One page per bucket of the part, and one with the rows nobody could split into cells."""
    for reader in readers.values():
        reader.malformed.clear()
    extent = cache(lambda: extent_of(readers["receipts"]))
    with tempfile.TemporaryDirectory(prefix="daybook-") as folder:
        buckets = {
            name: split(_of_stores(reader, asked), Path(folder) / name, bucket_count, reader.empty)
            for name, reader in readers.items()
        }
        malformed = _malformed_rejects(readers.values(), asked)
        found: set[tuple[str, str]] = set()
        for number in range(bucket_count):
            tables = {name: bucket(number) for name, bucket in buckets.items()}
            found |= _keys_of(tables["receipts"], malformed)
            yield page_of(Rows(part, tables, malformed, extent, asked.store_ids), window)
    lost = {key: said for key, said in malformed.items() if key not in found}
    if lost:
        # Their receipts are nowhere else in the part, so nobody knows of what day they are.
        yield Page(
            joined([]),
            tuple(
                replace(one, reach=_reach_of_lost(key, extent()))
                for key, said in lost.items()
                for one in said
            ),
        )


def _of_stores(reader: FileReader, asked: _Asked) -> Iterator[pa.Table]:
    """The blocks with these stores' rows alone; a line or tender without a store is everybody's.

    So is one of a store that nobody has named: it may be a misspelt one's.
    """
    mine = pa.array(sorted({*asked.store_ids, ""} if reader.is_child else asked.store_ids))
    silent = None if asked.silent is None else pa.array(sorted(asked.silent), pa.string())
    for block in reader.blocks():
        is_wanted = pc.is_in(block["store_id"], mine)
        if reader.is_child and silent is not None:
            is_wanted = pc.or_(is_wanted, pc.invert(pc.is_in(block["store_id"], silent)))
        yield block.filter(is_wanted)


def _malformed_rejects(
    readers: Iterable[FileReader], asked: _Asked
) -> dict[tuple[str, str], list[Reject]]:
    """What is said of rows nobody could split into cells, by store and receipt where they stand.

    Only a row of one of the other stores may be passed over. Where a cell too many has shifted the
    rest, the store's cell holds anything, and the row may be of a store that is asked for.
    """
    said: defaultdict[tuple[str, str], list[Reject]] = defaultdict(list)
    for reader in readers:
        for row in reader.malformed:
            if row.key is None or row.key[0] not in asked.others:
                key = row.key if row.key and row.key[0] in asked.store_ids else _NO_KEY
                said[key].append(_malformed_reject(reader.file, row, key))
    return said


def _malformed_reject(file: TableFile, row: MalformedRow, key: tuple[str, str]) -> Reject:
    if key == _NO_KEY:
        said = (
            f"{row.reason} Its store cannot be told, so all stores wait on the dates of the file. "
            "Correct the row, or delete it if it is no receipt."
        )
        return Reject(file.url, row.row_number, "", said)
    store_id, receipt_id_pos = key
    said = f"{row.reason} Receipt {receipt_id_pos} of store {store_id} is left out."
    return Reject(file.url, row.row_number, "", said)


def _keys_of(receipts: pa.Table, wanted: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Which of these receipts, by store and id, are in the table."""
    if not wanted:
        return frozenset()
    ids = pa.array(sorted({receipt_id_pos for _, receipt_id_pos in wanted}), pa.string())
    some = receipts.filter(pc.is_in(receipts["receipt_id_pos"], ids))
    keys = zip(some["store_id"].to_pylist(), some["receipt_id_pos"].to_pylist(), strict=True)
    return frozenset(keys).intersection(wanted)


def _reach_of_lost(key: tuple[str, str], extent: Reach) -> Reach:
    return extent if key == _NO_KEY else replace(extent, store_ids=frozenset([key[0]]))


def _filled(pages: Iterator[Page], page_receipts: int) -> Iterator[Page]:
    """The same receipts and rejects in fewer pages, where a window leaves little of each."""
    waiting: list[Page] = []
    receipt_count = reject_count = 0
    for page in pages:
        waiting.append(page)
        receipt_count += len(page.batch.receipts)
        reject_count += len(page.rejects)
        if receipt_count >= page_receipts or reject_count >= _REJECTS_MAX:
            yield _joined(waiting)
            waiting, receipt_count, reject_count = [], 0, 0
    if receipt_count or reject_count:
        yield _joined(waiting)


def _joined(pages: Sequence[Page]) -> Page:
    if len(pages) == 1:
        return pages[0]
    batch = joined([page.batch for page in pages if len(page.batch.receipts)])
    return Page(batch, tuple(reject for page in pages for reject in page.rejects))
