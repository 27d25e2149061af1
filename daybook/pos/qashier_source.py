"""The Qashier source: daily Sales reports from a drop folder, saved mails or any fsspec URL.

Qashier has no interface that sells receipts; what it has are files. `docs/qashier.md` describes
them, and every assumption made about them. Of a store's day the newest file counts, whole: if that
cannot be taken over, the day is left out and the rejects say why.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.pos.file_parts import redacted
from daybook.pos.qashier_arrivals import Arrival, Unreadable, arrivals
from daybook.pos.qashier_days import Version, cut_off_refused, day_receipts, too_early
from daybook.pos.qashier_receipt import DayReceipts, receipt_batch
from daybook.pos.qashier_report import read_figures, read_report
from daybook.pos.qashier_stores import StoreNames
from daybook.pos.qashier_text import Misfit
from daybook.pos.source import Page, Reject
from daybook.sales.business_date import utc_window
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from daybook.pos.qashier_report import ReportFile
    from daybook.sales.store import Store

_PAGE_RECEIPTS: Final = 20_000


class QashierSource:
    """Qashier's files under one URL; see the module's docstring."""

    def __init__(
        self, url: str, store_names: Mapping[str, str], *, is_early_allowed: bool = False
    ) -> None:
        """Remember where the files are, and the names of all stores there are with their ids.

        With `is_early_allowed` a file counts although it was written before its day was over.
        """
        self._url = url
        self._store_names = store_names
        self._is_early_allowed = is_early_allowed

    @property
    def name(self) -> str:
        """The place of the files, without credentials."""
        return f"Qashier's files at {redacted(self._url)}"

    def receipts(
        self,
        stores: Sequence[Store],
        first_date: dt.date,
        last_date: dt.date,
        *,
        known_store_ids: Collection[str] | None = None,
    ) -> Iterator[Page]:
        """The stores' days of the window; a report is one receipt.

        Raises:
            InputError: the folder is not there or cannot be read.
        """
        del known_store_ids  # The files know names only; all there are were given already.
        asked = _Asked(
            {store.store_id: store for store in stores},
            StoreNames(self._store_names, stores),
            first_date,
            last_date,
            self._is_early_allowed,
        )
        rejects: list[Reject] = []
        newest: dict[StoreDay, Version] = {}
        for arrival in arrivals(self._url, asked.start_at):
            if isinstance(arrival, Unreadable):
                rejects.append(Reject(arrival.url, 1, "", arrival.reason))
                continue
            try:
                version = _report_version(arrival, asked)
            except Misfit as misfit:
                rejects.append(_reject(arrival.url, misfit))
                continue
            if version is not None:
                newest[version[0]] = version[1]
        yield from _pages(newest, asked, rejects)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which stores and dates are wanted, and how stores are recognised."""

    stores: dict[str, Store]
    names: StoreNames
    first_date: dt.date
    last_date: dt.date
    is_early_allowed: bool

    @property
    def start_at(self) -> dt.datetime:
        """The first instant that is wanted in any store."""
        zones = {store.time_zone for store in self.stores.values()}
        dates = (self.first_date, self.last_date)
        return min(utc_window(*dates, zone, dt.time(0, 0))[0] for zone in zones)


def _report_version(arrival: Arrival, asked: _Asked) -> tuple[StoreDay, Version] | None:
    """What the report says about its day; nothing if that is not wanted."""
    report = read_report(arrival.read())
    if report.last_date < asked.first_date or report.first_date > asked.last_date:
        return None
    store = asked.stores.get(asked.names.store_id(report.store_name))
    if store is None:
        return None
    _check_one_whole_day(report)
    day = StoreDay(report.first_date, store.store_id)
    early = None if asked.is_early_allowed else too_early(day, store, arrival.written_at)
    refused = cut_off_refused(store) or early
    if refused:
        problem = Reject(arrival.url, 2, "", refused)
        return day, Version(arrival.url, arrival.written_at, problems=(problem,))
    try:
        figures = read_figures(report, store.currency)
    except Misfit as misfit:
        problem = _reject(arrival.url, misfit)
        return day, Version(arrival.url, arrival.written_at, problems=(problem,))
    return day, Version(arrival.url, arrival.written_at, figures)


def _check_one_whole_day(report: ReportFile) -> None:
    if report.first_date != report.last_date:
        raise Misfit(
            f"The report covers {report.first_date.isoformat()} to {report.last_date.isoformat()}; "
            "what belongs to which day cannot be told. Export one report for each day.",
            2,
        )
    if not report.is_whole_days:
        raise Misfit(
            "The report covers a part of the day only; export it from 00:00:00 to 23:59:59.", 2
        )


def _reject(url: str, misfit: Misfit) -> Reject:
    return Reject(url, misfit.row_number, misfit.column, str(misfit))


def _pages(newest: dict[StoreDay, Version], asked: _Asked, rejects: list[Reject]) -> Iterator[Page]:
    """The days in order, several to a page."""
    waiting: list[DayReceipts] = []
    for day, version in sorted(newest.items(), key=lambda item: item[0]):
        taken = day_receipts(day, asked.stores[day.store_id], version)
        if isinstance(taken, DayReceipts):
            waiting.append(taken)
        else:
            rejects += taken
        if sum(len(one.receipts) for one in waiting) >= _PAGE_RECEIPTS:
            yield Page(receipt_batch(waiting), tuple(rejects))
            waiting, rejects = [], []
    if waiting or rejects:
        yield Page(receipt_batch(waiting), tuple(rejects))
