"""One store on one day: what of Qashier's two files is taken over, and why if nothing is.

A Sales report that adds up is a day by itself. So are tickets whose items come to their totals.
Where both are there they must agree to the cent. The tickets are taken over if they give the very
day the report gives, account by account; otherwise the report is. Either is the whole day: what
the ledger has of it from the other kind of file gives way, so that no sale counts twice.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from daybook.money import amount_from_minor
from daybook.pos.qashier_balance import imbalances, report_receipt
from daybook.pos.qashier_receipt import NO_TAX, DayReceipts, SoldReceipt
from daybook.pos.qashier_tickets import is_explained, receipts_of, with_tenders
from daybook.pos.source import Reject
from daybook.sales.business_date import utc_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from daybook.pos.qashier_details import DetailsDay
    from daybook.pos.qashier_report import Figures
    from daybook.sales.store import Store, StoreDay

_REJECTS_MAX: Final = 20
_NAMED_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class ReportVersion:
    """What a Sales report says about its day; `figures` is None where it cannot be read.

    `doubts` are problems unless an export of the day confirms what it says.
    """

    url: str
    written_at: dt.datetime | None
    figures: Figures | None
    problems: tuple[Reject, ...] = ()
    doubts: tuple[Reject, ...] = ()


@dataclass(frozen=True, slots=True)
class DetailsVersion:
    """What an export says about one of its days."""

    url: str
    written_at: dt.datetime | None
    details: DetailsDay
    problems: tuple[Reject, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """A store-day with the newest file of each kind."""

    store_day: StoreDay
    store: Store
    report: ReportVersion | None
    details: DetailsVersion | None

    @property
    def updated_at(self) -> dt.datetime:
        """When the newest of its files was written."""
        versions = [one for one in (self.report, self.details) if one]
        times = [one.written_at for one in versions if one.written_at]
        return max(times, default=_end(self.store_day, self.store))

    def said(self, minor: int) -> str:
        """An amount as a sentence says it."""
        currency = self.store.currency
        return f"{amount_from_minor(minor, currency)} {currency}"


def day_receipts(day: Day) -> DayReceipts | list[Reject]:
    """The day's receipts, or the reasons why there are none; never a part of them."""
    problems = [*_report_problems(day), *_details_problems(day)]
    if problems:
        return problems[:_REJECTS_MAX]
    reported = _reported(day)
    if day.details is None:
        return _taken(day, [reported] if reported else [])
    if reported is None:
        return _details_alone(day, day.details)
    return _both(day, reported, day.details)


def _details_alone(day: Day, version: DetailsVersion) -> DayReceipts | list[Reject]:
    """The tickets, if every one of them is explained."""
    unexplained = list(_unexplained(day, version))
    if unexplained:
        return unexplained[:_REJECTS_MAX]
    return replace(_taken(day, receipts_of(version.details, {})), is_proven=False)


def _both(day: Day, reported: SoldReceipt, version: DetailsVersion) -> DayReceipts | list[Reject]:
    """The tickets if they give the report's day, otherwise the report; neither if they differ."""
    assert day.report is not None
    assert day.report.figures is not None
    differences = list(_differences(day, day.report, reported, version))
    if differences:
        return differences[:_REJECTS_MAX]
    tickets = receipts_of(version.details, day.report.figures.product_categories)
    is_told = not any(_unexplained(day, version))
    split = with_tenders(tickets, reported.tenders) if is_told else None
    if split is not None and _figures(split) == _figures([reported]):
        return _taken(day, split)
    return _taken(day, [reported])


def too_early(day: StoreDay, store: Store, written_at: dt.datetime | None) -> str | None:
    """Why a file that was written before the day was over cannot tell of it, if it was."""
    if written_at is None or written_at >= _end(day, store):
        return None
    return (
        f"The file was written before {day.business_date.isoformat()} was over in {store.name}, "
        "so sales may be missing in it. Export the day again, or, if the store had closed by then, "
        "allow early files."
    )


def cutoff_refused(store: Store) -> str | None:
    """Why this store cannot be read from files of whole calendar days, if it cannot."""
    if store.cutoff == dt.time(0, 0):
        return None
    return (
        f"Store {store.name} begins its day at {store.cutoff.isoformat('minutes')}, but Qashier's "
        "files hold days from midnight to midnight, so its day cannot be made from them. Set its "
        "cutoff to 00:00, or read its receipts from another source."
    )


def _end(day: StoreDay, store: Store) -> dt.datetime:
    return utc_window(day.business_date, day.business_date, store.time_zone, store.cutoff)[1]


def _taken(day: Day, receipts: Iterable[SoldReceipt]) -> DayReceipts:
    return DayReceipts(day.store_day, day.store, day.updated_at, tuple(receipts))


def _report_problems(day: Day) -> Iterator[Reject]:
    report = day.report
    if report is None:
        return
    yield from report.problems
    if day.details is None:
        yield from report.doubts
    if report.figures and not report.problems:
        for found in imbalances(report.figures, day.store.currency):
            yield Reject(report.url, found.row_number, found.column, found.sentence)


def _details_problems(day: Day) -> Iterator[Reject]:
    if day.details is None:
        return
    yield from day.details.problems
    for problem in day.details.details.problems:
        yield Reject(day.details.url, problem.row_number, problem.column, problem.reason)


def _reported(day: Day) -> SoldReceipt | None:
    if day.report is None or day.report.figures is None:
        return None
    date = day.store_day.business_date
    return report_receipt(day.report.figures, date, day.store.time_zone)


def _unexplained(day: Day, version: DetailsVersion) -> Iterator[Reject]:
    """Tickets whose items do not come to their total."""
    for ticket in version.details.tickets:
        if ticket.is_voided or is_explained(ticket):
            continue
        items = sum(item.amount_minor for item in ticket.items)
        yield Reject(
            version.url,
            ticket.row_number,
            "Transaction Total Amount",
            f"The items of receipt {ticket.receipt_id_pos} come to {day.said(items)} and its tax "
            f"to {day.said(ticket.tax_minor)}, but its total is {day.said(ticket.total_minor)}: "
            "what else is in it (service charge, surcharge, rounding) stands in no column. Put the "
            "day's Sales report beside this file; the day waits for it.",
        )


def _differences(
    day: Day, report: ReportVersion, reported: SoldReceipt, version: DetailsVersion
) -> Iterator[Reject]:
    """Where the two files contradict each other, with both figures and what may explain them."""
    figures = report.figures
    assert figures is not None
    tickets = [ticket for ticket in version.details.tickets if not ticket.is_voided]
    total = sum(ticket.total_minor for ticket in tickets)
    sales = sum(line.net_minor + line.tax_minor for line in reported.lines)
    if total not in {figures.total, sales}:
        yield _difference(day, version, "The receipts", total, figures.total)
    tax = sum(ticket.tax_minor for ticket in tickets)
    if version.details.tax_code != NO_TAX and tax != figures.tax:
        yield _difference(day, version, "The taxes of the receipts", tax, figures.tax)
    if total != sales:
        return
    known = _by_tender((t.tender, t.total_minor) for t in tickets if not t.is_split)
    there = _by_tender((paid.tender, paid.amount_minor) for paid in reported.tenders)
    has_split = any(ticket.is_split for ticket in tickets)
    for tender in sorted(known | there):
        if known[tender] > there[tender] or (known[tender] < there[tender] and not has_split):
            what = f"The receipts paid by {tender}"
            yield _difference(day, version, what, known[tender], there[tender])


def _by_tender(amounts: Iterable[tuple[str, int]]) -> Counter[str]:
    sums = Counter[str]()
    for tender, amount in amounts:
        sums[tender] += amount
    return sums


def _difference(day: Day, version: DetailsVersion, what: str, found: int, reported: int) -> Reject:
    assert day.report is not None
    apart = abs(found - reported)
    alike = [
        f"{ticket.receipt_id_pos}{' (voided)' if ticket.is_voided else ''}"
        for ticket in version.details.tickets
        if ticket.total_minor == apart
    ]
    hint = f" That is exactly receipt {' or '.join(alike[:_NAMED_MAX])}." if alike else ""
    return Reject(
        version.url,
        1,
        "",
        f"{what} of {day.store.name} on {day.store_day.business_date.isoformat()} come to "
        f"{day.said(found)}, the Sales report {day.report.url} says {day.said(reported)}: "
        f"{day.said(apart)} apart.{hint} Export both again; the day waits until they agree.",
    )


def _figures(receipts: Iterable[SoldReceipt]) -> tuple[dict[str, int], dict[str, int], int]:
    """What makes a day's documents: net per category, amount per tender, and the tax."""
    nets, tenders, tax = Counter[str](), Counter[str](), 0
    for receipt in receipts:
        for line in receipt.lines:
            nets[line.category] += line.net_minor
            tax += line.tax_minor
        for paid in receipt.tenders:
            tenders[paid.tender] += paid.amount_minor
    return _filled(nets), _filled(tenders), tax


def _filled(amounts: Counter[str]) -> dict[str, int]:
    return {name: amount for name, amount in amounts.items() if amount}
