"""Trying a source."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from till import DATE, NOON, SINGAPORE, Receipt, batch, write_csv

from daybook.errors import InputError
from daybook.jobs.check_source import (
    Checked,
    check_source,
    day_rows,
    imbalances,
    last_common_date,
    reject_rows,
)
from daybook.pos.files import FilesSource
from daybook.pos.source import Page, Reject
from daybook.sales.store import Store, StoreDay, TradingDays

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from daybook.pos.source import ReceiptSource

DAY = dt.timedelta(days=1)
BAR = Store("S02", "Bar", "Asia/Tokyo", "JPY", cutoff=dt.time(4, 0))


@dataclass(frozen=True)
class Shelf:
    """A source whose pages lie ready."""

    pages: tuple[Page, ...]
    name: str = "shelf"

    def receipts(
        self,
        stores: Sequence[Store],
        first_date: dt.date,
        last_date: dt.date,
        *,
        known_store_ids: Collection[str] | None = None,
    ) -> Iterator[Page]:
        """The pages, whatever is asked for."""
        del stores, first_date, last_date, known_store_ids
        return iter(self.pages)


def checked(source: ReceiptSource, *stores: Store, first: dt.date = DATE) -> Checked:
    """What comes of trying it on the usual day."""
    asked = stores or (SINGAPORE,)
    known = {one.store_id for one in asked}
    return check_source(source, asked, first, DATE, known_store_ids=known)


def test_every_day_of_every_store_is_shown_with_its_figures(tmp_path: Path) -> None:
    """Sales, refunds and voids are counted; amounts have the currency's decimals."""
    receipts = [
        Receipt("R1"),
        Receipt("R2", is_refund=True, lines=(("Food", "GST", -50, -5),), tenders=(("Cash", -55),)),
        Receipt("R3", is_voided=True, lines=(), tenders=()),
        Receipt("R4", "S02", currency="USD", lines=(("Sake", "VAT", 500, 0),), tenders=()),
    ]
    found = checked(FilesSource(str(write_csv(tmp_path, receipts[:3]))), SINGAPORE, BAR)
    assert [
        {
            "date": "2026-03-14",
            "store": "S01",
            "currency": "SGD",
            "receipts": 2,
            "refunds": 1,
            "voids": 1,
            "net": "9.50",
            "tax": "0.85",
            "total": "10.35",
            "tenders": "10.35",
            "balanced": "yes",
        }
    ] == day_rows(found)
    assert found.is_fine
    assert ("S02",) == found.silent_store_ids


def test_a_day_that_does_not_balance_names_the_receipt() -> None:
    """The figures stand in the row, the reason beside it."""
    receipts = [Receipt("R1"), Receipt("R2", tenders=(("Cash", 1089),))]
    found = checked(Shelf((Page(batch(receipts)),)))
    (row,) = day_rows(found)
    assert ("21.80", "21.79", "no") == (row["total"], row["tenders"], row["balanced"])
    (sentence,) = imbalances(found)
    assert sentence.startswith("2026-03-14 store S01: Lines and tax come to 21.80 SGD but tenders")
    assert "-0.01 apart on receipt R2" in sentence
    assert not found.is_fine


def test_two_errors_that_cancel_out_are_found() -> None:
    """The day agrees by luck; its receipts do not."""
    receipts = [Receipt("R1", tenders=(("Cash", 1091),)), Receipt("R2", tenders=(("Cash", 1089),))]
    found = checked(Shelf((Page(batch(receipts)),)))
    (row,) = day_rows(found)
    assert ("21.80", "21.80", "no") == (row["total"], row["tenders"], row["balanced"])


def test_versions_in_several_pages_count_once() -> None:
    """As in a run: the newest one, wherever it stands; other days are left out."""
    newer = Receipt(
        updated_at=NOON + DAY, lines=(("Food", "GST", 500, 45),), tenders=(("Cash", 545),)
    )
    pages = [[newer], [Receipt()], [Receipt("old", sold_at=NOON - DAY)]]
    found = checked(Shelf(tuple(Page(batch(page)) for page in pages)))
    assert [("2026-03-14", 1, "5.45")] == [
        (row["date"], row["receipts"], row["total"]) for row in day_rows(found)
    ]


def test_rejects_are_kept_up_to_a_bound_and_counted() -> None:
    """A source of nothing but rejects does not fill the memory."""
    rejects = tuple(Reject("lines.csv", row, "tax_amount", "It is odd.") for row in range(700))
    found = checked(Shelf((Page(batch([Receipt()]), rejects), Page(batch([]), rejects))))
    assert (1400, 1000, False) == (found.reject_count, len(found.rejects), found.is_fine)
    assert {"file": "lines.csv", "row": 1, "column": "tax_amount", "reason": "It is odd."} == (
        reject_rows(found)[1]
    )


def test_stores_that_are_not_known_are_rejects(tmp_path: Path) -> None:
    """What a run would leave out is said."""
    folder = write_csv(tmp_path, [Receipt(), Receipt(store_id="S99")])
    assert ["store_id"] == [one.column for one in checked(FilesSource(str(folder))).rejects]


def test_a_day_on_which_a_store_should_have_traded_is_missing() -> None:
    """By its [store.expected], and while it is open; a store without the table misses none."""
    source = Shelf((Page(batch([Receipt()])),))
    expected = TradingDays(closed_dates=(DATE - DAY,))
    opened = replace(SINGAPORE, expected=expected, opened_date=DATE - 2 * DAY)
    found = checked(source, opened, BAR, first=DATE - 3 * DAY)
    assert (StoreDay(DATE - 2 * DAY, "S01"),) == found.missing
    assert not found.is_fine
    assert checked(source, opened, BAR, first=DATE - DAY).is_fine


def test_no_stores_and_crossed_dates_are_sentences() -> None:
    """Nothing is asked of the source."""
    with pytest.raises(InputError, match="There are no stores to check; load them"):
        check_source(Shelf(()), [], DATE, DATE, known_store_ids=())
    with pytest.raises(InputError, match="is before the first date 2026-03-15; swap them"):
        checked(Shelf(()), first=DATE + DAY)


def test_the_newest_date_is_over_everywhere() -> None:
    """At noon UTC yesterday is over in Singapore, and in New York only since its cut-off."""
    new_york = Store("S03", "Deli", "America/New_York", "USD", cutoff=dt.time(9, 0))
    now_at = dt.datetime(2026, 3, 14, 12, tzinfo=dt.UTC)
    assert dt.date(2026, 3, 13) == last_common_date([SINGAPORE], now_at, dt.timedelta())
    assert dt.date(2026, 3, 12) == last_common_date([SINGAPORE, new_york], now_at, dt.timedelta())


def test_it_says_how_far_it_has_come() -> None:
    """After every page, with the receipts of the dates that were asked for."""
    pages = (
        Page(batch([Receipt("R1")])),
        Page(batch([Receipt("R2"), Receipt("R3", sold_at=NOON - 9 * DAY)])),
    )
    said: list[str] = []
    known = {SINGAPORE.store_id}
    check_source(Shelf(pages), [SINGAPORE], DATE, DATE, known_store_ids=known, progress=said.append)
    assert ["1 receipt read", "2 receipts read", "2 receipts read, summing them up"] == said
