"""From a source into the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from till import DATE, NOON, SINGAPORE, Receipt, batch, opened_ledger, write_csv

from daybook.clock import SystemClock
from daybook.errors import InputError
from daybook.jobs.extract import Extracted, extract
from daybook.ledger.receipts import ReceiptCounts, receipt_counts
from daybook.ledger.rejects import RejectRow, read_rejects
from daybook.pos.files import FilesSource
from daybook.pos.source import Page, Reject
from daybook.sales.store import Store, StoreDay

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from daybook.pos.source import ReceiptSource

DAY = StoreDay(DATE, "S01")
DAYS = dt.timedelta(days=1)


@dataclass(frozen=True)
class Shelf:
    """A source whose pages lie ready; a page that is an error is raised."""

    pages: tuple[Page | Exception, ...]
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
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            yield page


@pytest.fixture
def ledger(database_url: str) -> Iterator[Engine]:
    """A ledger with one store."""
    with opened_ledger(database_url) as engine:
        yield engine


def run(source: ReceiptSource, ledger: Engine, first: dt.date = DATE) -> Extracted:
    """Extract one store's receipts from a date up to the usual one."""
    return extract(source, ledger, [SINGAPORE], first, DATE, run_id="run", clock=SystemClock())


def test_files_reach_the_ledger_and_a_second_run_changes_nothing(
    ledger: Engine, tmp_path: Path
) -> None:
    """Re-extraction finds everything unchanged."""
    source = FilesSource(str(write_csv(tmp_path, [Receipt(), Receipt("R2")])))
    assert ReceiptCounts(2, 0, 0) == run(source, ledger).receipts
    assert ReceiptCounts(0, 0, 2) == run(source, ledger).receipts


def test_receipts_outside_the_window_are_dropped(ledger: Engine) -> None:
    """A page may carry more than was asked for; the ledger does not take it."""
    page = Page(batch([Receipt(), Receipt("R2", sold_at=NOON - DAYS)]))
    assert ReceiptCounts(1, 0, 0) == run(Shelf((page,)), ledger).receipts


def test_rejects_are_stored_and_shown(ledger: Engine) -> None:
    """Both the result and the ledger say which rows could not be read."""
    reject = Reject("/files/lines.csv", 7, "net_amount", "'1,5' is not an amount.")
    source = Shelf((Page(batch([Receipt()]), (reject,)),))
    first, second = run(source, ledger), run(source, ledger)
    assert (1, 1, 1, 0) == (
        first.reject_count,
        first.new_reject_count,
        second.reject_count,
        second.new_reject_count,
    )
    with ledger.connect() as connection:
        (stored,) = read_rejects(connection)
    assert (stored.reject,) == first.rejects


def test_the_day_of_a_receipt_that_cannot_be_read_is_held_until_it_can(
    ledger: Engine, tmp_path: Path
) -> None:
    """Its day alone, with file, row and reason; of the corrected file nothing is held."""
    bad = Receipt("R2", lines=(("", "GST", 1000, 90),))
    before = Receipt("R0", sold_at=NOON - DAYS)
    source = FilesSource(str(write_csv(tmp_path, [Receipt(), bad, before])))
    extracted = run(source, ledger, DATE - DAYS)
    assert [DAY] == list(extracted.held)
    assert f"{tmp_path}/lines.csv row 3, category: It is empty" in extracted.held[DAY].sentence
    write_csv(tmp_path, [Receipt(), Receipt("R2"), before])
    assert {} == run(source, ledger, DATE - DAYS).held


@pytest.mark.parametrize("table", ["receipts", "lines", "tenders"])
def test_a_row_that_is_no_row_holds_its_receipts_day(
    ledger: Engine, tmp_path: Path, table: str
) -> None:
    """A cell too many: the receipt's time stands in its table, if that row is whole."""
    receipts = [Receipt(), Receipt("R2"), Receipt("R0", sold_at=NOON - 2 * DAYS)]
    source = FilesSource(str(write_csv(tmp_path, receipts)))
    file = tmp_path / f"{table}.csv"
    file.write_text(file.read_text().replace("S01,R2,", "S01,R2,,"))
    held = run(source, ledger, DATE - 6 * DAYS).held
    # Where the receipt itself is torn, it may be of any day of its file, or beside it.
    dates = [-3, -2, -1, 0] if table == "receipts" else [0]
    assert [StoreDay(DATE + number * DAYS, "S01") for number in dates] == list(held)


def test_a_row_without_a_store_holds_its_date_in_every_store(
    ledger: Engine, tmp_path: Path
) -> None:
    """It may be anybody's, and its lines may be of the days of their file, or beside them."""
    source = FilesSource(str(write_csv(tmp_path, [Receipt(), Receipt(store_id="")])))
    held = run(source, ledger, DATE - 6 * DAYS).held
    assert [StoreDay(DATE - DAYS, "S01"), DAY] == list(held)


def test_an_unknown_store_in_the_files_is_a_reject(ledger: Engine, tmp_path: Path) -> None:
    """The other stores go on, and none of their days is held for it."""
    source = FilesSource(str(write_csv(tmp_path, [Receipt(), Receipt(store_id="S99")])))
    extracted = run(source, ledger)
    assert {} == extracted.held
    assert ReceiptCounts(1, 0, 0) == extracted.receipts
    assert ["store_id"] == [one.column for one in extracted.rejects]


def test_each_page_is_its_own_transaction(ledger: Engine) -> None:
    """What was read before a source failed is kept; the next run goes on from there."""
    pages = (Page(batch([Receipt()])), InputError("The second page is torn."))
    with pytest.raises(InputError, match="torn"):
        run(Shelf(pages), ledger)
    with ledger.connect() as connection:
        assert {DAY: 1} == receipt_counts(connection, [DAY])


def test_the_split_into_pages_does_not_matter(ledger: Engine) -> None:
    """Overlapping and repeated pages give the same books as one page."""
    receipts = [Receipt(f"R{number}") for number in range(4)]
    pages = [receipts[:3], receipts[2:], receipts[:1], []]
    run(Shelf(tuple(Page(batch(page)) for page in pages)), ledger)
    with ledger.connect() as connection:
        assert {DAY: 4} == receipt_counts(connection, [DAY])
        assert 4 == connection.scalar(text("SELECT count(*) FROM receipt_lines"))


def test_no_stores_read_nothing(ledger: Engine) -> None:
    """An empty group of stores is fine."""
    extracted = extract(
        Shelf((RuntimeError(),)), ledger, [], DATE, DATE, run_id=None, clock=SystemClock()
    )
    assert 0 == extracted.page_count


def test_dates_the_wrong_way_round_are_a_sentence(ledger: Engine) -> None:
    """Nothing is read."""
    with pytest.raises(InputError, match="is before the first date 2026-03-15; swap them"):
        run(Shelf(()), ledger, DATE + DAYS)


def test_the_log_line_says_what_happened(ledger: Engine) -> None:
    """A person reads it in the run's log."""
    assert "1 receipt new, 0 changed, 0 unchanged; 0 rows rejected" == str(
        run(Shelf((Page(batch([Receipt()])),)), ledger)
    )


def test_what_could_not_be_read_is_said_by_its_place() -> None:
    """A receipt of an API stands in no row, and only its reason says what became of it."""
    api = RejectRow("https://till.example/orders/O1", 0, "", "It has no id. It is left out.")
    row = RejectRow("lines.csv", 3, "net_amount", "It is empty; fill it in.")
    extracted = Extracted(ReceiptCounts(0, 0, 0), reject_count=3, rejects=(api, row))
    assert [
        "https://till.example/orders/O1: It has no id. It is left out.",
        "lines.csv row 3, net_amount: It is empty; fill it in.",
        "1 more row could not be read.",
    ] == extracted.sentences
