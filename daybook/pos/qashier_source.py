"""The Qashier source: Sales reports and Transaction Details from a drop folder or saved mails.

Qashier has no interface that gives out receipts; what it has are files. `docs/qashier.md` describes
them, and every assumption made about them. Of a store's day the newest file counts, whole: if that
cannot be taken over, the day is left out and the rejects say why.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from daybook.pos.file_parts import redacted
from daybook.pos.qashier_arrivals import Arrival, Unreadable, arrivals
from daybook.pos.qashier_balance import REPORT
from daybook.pos.qashier_days import (
    Day,
    DetailsVersion,
    ReportVersion,
    cutoff_refused,
    day_receipts,
    too_early,
)
from daybook.pos.qashier_details import Details, read_details
from daybook.pos.qashier_receipt import DayReceipts, receipt_batch
from daybook.pos.qashier_report import read_figures, read_report
from daybook.pos.qashier_stores import StoreNames
from daybook.pos.qashier_text import Misfit
from daybook.pos.source import NO_DAY, Page, Reach, Reject
from daybook.sales.business_date import utc_window
from daybook.sales.store import StoreDay
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from daybook.pos.qashier_report import Figures, ReportFile
    from daybook.sales.store import Store

_PAGE_RECEIPTS: Final = 20_000
_ORIGIN: Final = "qashier"
_INSTANT: Final = dt.timedelta(microseconds=1)


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
        came = list(arrivals(self._url, asked.start_at))
        yield from _unreadable(came)
        files = [one for one in came if isinstance(one, Arrival)]
        reports, rejects = _reports([one for one in files if one.kind == "report"], asked)
        yield from _pages(
            itertools.chain(
                rejects, _days([one for one in files if one.kind == "details"], reports, asked)
            )
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which stores and dates are wanted, and how stores are recognised."""

    stores: dict[str, Store]
    names: StoreNames
    first_date: dt.date
    last_date: dt.date
    is_early_allowed: bool

    def store(self, said: str, row_number: int) -> Store | None:
        """The store of this name, if it is asked for."""
        return self.stores.get(self.names.store_id(said, row_number))

    def refused(self, day: StoreDay, store: Store, file: Arrival) -> Reject | None:
        """Why the file cannot tell of this day, if it cannot."""
        early = None if self.is_early_allowed else too_early(day, store, file.written_at)
        said = cutoff_refused(store) or early
        return Reject(file.url, 1, "", said, NO_DAY) if said else None

    @property
    def start_at(self) -> dt.datetime:
        """The first instant that is wanted in any store."""
        zones = {store.time_zone for store in self.stores.values()}
        dates = (self.first_date, self.last_date)
        return min(utc_window(*dates, zone, dt.time(0, 0))[0] for zone in zones)


def _unreadable(came: Iterable[Arrival | Unreadable]) -> Iterator[Page]:
    rejects = [
        Reject(one.url, 1, "", one.reason, NO_DAY) for one in came if isinstance(one, Unreadable)
    ]
    if rejects:
        yield Page(receipt_batch([]), tuple(rejects))


def _reports(
    files: Iterable[Arrival], asked: _Asked
) -> tuple[dict[StoreDay, ReportVersion], list[Reject]]:
    """The newest report of each day, readable or not; and files that belong to no day."""
    newest: dict[StoreDay, ReportVersion] = {}
    with_sales: dict[StoreDay, ReportVersion] = {}
    rejects: list[Reject] = []
    for file in files:
        try:
            found = _report_version(file, asked)
        except Misfit as misfit:
            rejects.append(_reject(file.url, misfit))
            continue
        if found is None:
            continue
        day, version = found
        newest[day] = _beside(version, newest.get(day), with_sales.get(day))
        if version.figures and not version.figures.is_nothing:
            with_sales[day] = version
    return newest, rejects


def _beside(
    version: ReportVersion, before: ReportVersion | None, with_sales: ReportVersion | None
) -> ReportVersion:
    """The newest report, with why it may not count after all beside the older ones of its day."""
    if before and before.written_at == version.written_at:
        if _told(before.figures) == _told(version.figures):
            return replace(version, problems=before.problems, doubts=before.doubts)
        return replace(version, problems=(*version.problems, _as_old(version.url, before.url)))
    if not with_sales or not version.figures or not version.figures.is_nothing:
        return version
    doubt = Reject(
        version.url,
        1,
        "",
        f"It says that nothing was sold, but {with_sales.url}, which is older, has sales of the "
        "day. Put the day's Transaction Details beside it, or remove the file that is wrong; the "
        "day waits.",
    )
    return replace(version, doubts=(doubt,))


def _told(figures: Figures | None) -> Figures | None:
    """What a report says, wherever in the file it says so."""
    return replace(figures, rows={}) if figures else None


def _as_old(url: str, other: str) -> Reject:
    return Reject(
        url,
        1,
        "",
        f"It is as old as {other}, as far as can be told, and says something else, so nobody "
        "knows which is right. Remove the one that is out of date; the day waits.",
    )


def _report_version(file: Arrival, asked: _Asked) -> tuple[StoreDay, ReportVersion] | None:
    """What the report says about its day; nothing if that is not wanted."""
    report = read_report(file.read())
    if report.last_date < asked.first_date or report.first_date > asked.last_date:
        return None
    store = asked.store(report.store_name, 1)
    if store is None:
        return None
    _check_one_day(report)
    day = StoreDay(report.first_date, store.store_id)
    refused = asked.refused(day, store, file)
    if refused:
        return day, ReportVersion(file.url, file.written_at, None, (refused,))
    try:
        _check_whole_day(report)
        figures = read_figures(report, store.currency)
    except Misfit as misfit:
        return day, ReportVersion(file.url, file.written_at, None, (_reject(file.url, misfit),))
    return day, ReportVersion(file.url, file.written_at, figures)


def _check_one_day(report: ReportFile) -> None:
    if report.first_date != report.last_date:
        raise Misfit(
            f"The report covers {report.first_date.isoformat()} to {report.last_date.isoformat()}; "
            "what belongs to which day cannot be told. Export one report for each day.",
            2,
        )


def _check_whole_day(report: ReportFile) -> None:
    if not report.is_whole_days:
        raise Misfit(
            "The report covers a part of the day only; export it from 00:00:00 to 23:59:59.", 2
        )


def _days(
    exports: Sequence[Arrival], reports: dict[StoreDay, ReportVersion], asked: _Asked
) -> Iterator[DayReceipts | Reject]:
    """Every day of either kind of file; an export is held in memory one at a time."""
    newest: dict[StoreDay, Arrival] = {}
    missing: dict[StoreDay, Reject] = {}
    if len(exports) > 1:
        newest, missing = _newest_exports(exports, asked)
    told = set()
    for number, export in enumerate(exports):
        try:
            details = _read(export, asked)
        except Misfit as misfit:
            yield _of_unknown_days(export.url, misfit, has_older=number > 0)
            continue
        yield from (_reject(export.url, stranger) for stranger in details.strangers)
        if not details.days:
            yield from (_reject(export.url, misfit) for misfit in details.misfits)
        for day in sorted(details.days):
            if newest.get(day, export) is export:
                told.add(day)
                version = _details_version(day, export, details, asked)
                if day in missing:
                    version = replace(version, problems=(*version.problems, missing[day]))
                yield from _day(day, reports.get(day), version, asked)
    for day in sorted(reports.keys() - told):
        yield from _day(day, reports[day], None, asked)


def _day(
    day: StoreDay, report: ReportVersion | None, details: DetailsVersion | None, asked: _Asked
) -> Iterator[DayReceipts | Reject]:
    store = asked.stores[day.store_id]
    taken = day_receipts(Day(day, store, report, details))
    if isinstance(taken, DayReceipts):
        yield taken
        return
    start, end = utc_window(day.business_date, day.business_date, store.time_zone, store.cutoff)
    reach = Reach(frozenset([store.store_id]), start, end - _INSTANT)
    yield from (replace(reject, reach=reach) for reject in taken)


def _newest_exports(
    exports: Sequence[Arrival], asked: _Asked
) -> tuple[dict[StoreDay, Arrival], dict[StoreDay, Reject]]:
    """Which export tells of a day last; and days of which it has lost receipts."""
    newest: dict[StoreDay, Arrival] = {}
    said: dict[StoreDay, int] = {}
    whole: dict[StoreDay, tuple[Arrival, frozenset[int]]] = {}
    missing: dict[StoreDay, Reject] = {}
    for export in exports:
        try:
            details = _read(export, asked)
        except Misfit:
            continue  # It is said when the export is read for good.
        for day, found in details.days.items():
            last = newest.get(day)
            if last is None or last.written_at != export.written_at:
                missing.pop(day, None)
            elif said[day] != found.fingerprint:
                missing[day] = _as_old(export.url, last.url)
            newest[day], said[day] = export, found.fingerprint
            ids = frozenset(map(hash, found.receipt_ids))
            before, known = whole.get(day, (export, ids))
            lost_count = len(known - ids)
            if lost_count:
                missing[day] = _lost(day, export, before, lost_count)
                # What is lost stays lost, however often the export is made again without it.
                whole[day] = before, known | ids
            else:
                whole[day] = export, ids
    return newest, missing


def _lost(day: StoreDay, export: Arrival, before: Arrival, count: int) -> Reject:
    stand = "is missing that stands" if count == 1 else "are missing that stand"
    return Reject(
        export.url,
        1,
        "Receipt No.",
        f"Of {day.business_date.isoformat()}, {counted(count, 'receipt')} of store {day.store_id} "
        f"{stand} in {before.url}, which is older. Export the day again without a filter, or "
        "remove the file that is wrong; the day waits.",
    )


def _read(export: Arrival, asked: _Asked) -> Details:
    return read_details(export.read(), asked.store, asked.first_date, asked.last_date)


def _details_version(
    day: StoreDay, export: Arrival, details: Details, asked: _Asked
) -> DetailsVersion:
    refused = asked.refused(day, asked.stores[day.store_id], export)
    problems = [_reject(export.url, misfit) for misfit in details.misfits]
    if refused:
        problems.append(refused)
    return DetailsVersion(export.url, export.written_at, details.days[day], tuple(problems))


def _reject(url: str, misfit: Misfit) -> Reject:
    """A file that was not taken over at all; of its days nothing else of it was either."""
    return Reject(url, misfit.row_number, misfit.column, str(misfit), NO_DAY)


def _of_unknown_days(url: str, misfit: Misfit, *, has_older: bool) -> Reject:
    """An export that nobody can look into holds no day, but what is used instead is said."""
    used = "Until then the days that it may tell of are taken from the files that are older."
    reject = _reject(url, misfit)
    return replace(reject, reason=f"{reject.reason} {used}") if has_older else reject


def _pages(found: Iterable[DayReceipts | Reject]) -> Iterator[Page]:
    """Several days to a page."""
    days: list[DayReceipts] = []
    rejects: list[Reject] = []
    for one in found:
        if isinstance(one, Reject):
            rejects.append(one)
        else:
            days.append(one)
        if sum(len(day.receipts) for day in days) + len(rejects) >= _PAGE_RECEIPTS:
            yield _page(days, rejects)
            days, rejects = [], []
    if days or rejects:
        yield _page(days, rejects)


def _page(days: Sequence[DayReceipts], rejects: Iterable[Reject]) -> Page:
    return Page(
        receipt_batch(days),
        tuple(rejects),
        whole_days=tuple(day.store_day for day in days),
        origin=_ORIGIN,
        kept_days=tuple(day.store_day for day in days if not day.is_proven),
        stand_in=REPORT,
    )
