"""Planning beside posting: what a plan has looked at is not sent under its hands."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from kopi_corner import DATE, MAPPING, daily_total
from sqlalchemy import text
from till import NOON, Receipt, batch
from till_files import Sale, write_sales

from daybook.clock import SystemClock
from daybook.jobs.extract import extract
from daybook.jobs.load_mapping import load_mapping
from daybook.jobs.plan import plan
from daybook.jobs.total import total
from daybook.ledger.documents import SALES_KINDS, claim, known_documents, waiting_documents
from daybook.ledger.receipts import write_receipts
from daybook.ledger.store_days import read_store_days, unfinished_store_days
from daybook.ledger.stores import write_stores
from daybook.pos.files import FilesSource
from daybook.pos.qashier_balance import receipt_id
from daybook.posting.holds import Hold, HoldCode
from daybook.sales.store import StoreDay, TradingDays

if TYPE_CHECKING:
    from pathlib import Path

    from kopi_corner import Chain

    from daybook.ledger.documents import OpenDocument


def test_plan_again_changes_nothing(chain: Chain) -> None:
    """The same totals make the same documents."""
    days = chain.total([daily_total("S01"), daily_total("S03", refund=500)])
    assert 8 == chain.plan(days).document_count
    assert 0 == chain.plan(days).document_count


def test_changed_total_replaces_what_was_not_sent(chain: Chain) -> None:
    """Documents that never left say what the newest total says."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.total([daily_total("S01", net=2000)])
    assert 3 == chain.plan(days).document_count
    chain.post(days)
    assert ["23.00"] == [row["total"] for row in chain.books()["invoices"]]


def test_day_without_sales_any_more_forgets_what_was_not_sent(chain: Chain) -> None:
    """Receipts that were all voided leave nothing to post."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    with chain.engine.begin() as connection:
        connection.execute(text("UPDATE daily_totals SET is_current = false"))
    chain.plan(days)
    chain.post(days)
    assert [] == chain.books()["invoices"]


def test_a_day_with_a_receipt_that_could_not_be_read_waits(chain: Chain) -> None:
    """Nothing of it is sent, other days go on, and once it can be read it is posted by itself."""
    days = chain.total([daily_total("S01"), daily_total("S02")])
    hold = Hold(HoldCode.UNREADABLE, "lines.csv row 3", "A row of this day could not be read.")
    chain.plan(days)
    plan(chain.engine, days, held={days[0]: hold}, prefix="DB", run_id="test", clock=SystemClock())
    chain.post(days)
    assert ["DB-S02-20260314"] == [row["number"] for row in chain.books()["invoices"]]
    with chain.engine.connect() as connection:
        status = read_store_days(connection, days)[days[0]]
    assert ("held", (hold,)) == (status.state, status.holds)
    chain.plan(days)
    chain.post(days)
    assert 2 == len(chain.books()["invoices"])


def test_a_posted_day_with_a_late_receipt_that_could_not_be_read_stays(chain: Chain) -> None:
    """What is in Xero is left as it is until the receipt can be read; then the rest is posted."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    chain.total([daily_total("S01", net=2000)])
    hold = Hold(HoldCode.UNREADABLE, "lines.csv row 3", "A row of this day could not be read.")
    plan(chain.engine, days, held={days[0]: hold}, prefix="DB", run_id="test", clock=SystemClock())
    chain.post(days)
    assert ["11.50"] == [row["total"] for row in chain.books()["invoices"]]
    chain.plan(days)
    chain.post(days)
    assert ["11.50", "11.50"] == [row["total"] for row in chain.books()["invoices"]]


def test_an_adjustment_that_has_not_left_does_not_go_while_its_day_is_held(chain: Chain) -> None:
    """Xero was down when it was planned; a receipt that cannot be read then makes it wrong."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    chain.total([daily_total("S01", net=2000)])
    chain.plan(days)
    hold = Hold(HoldCode.UNREADABLE, "lines.csv row 3", "A row of this day could not be read.")
    plan(chain.engine, days, held={days[0]: hold}, prefix="DB", run_id="test", clock=SystemClock())
    chain.post(days)
    assert ["11.50"] == [row["total"] for row in chain.books()["invoices"]]
    chain.plan(days)
    chain.post(days)
    assert ["11.50", "11.50"] == [row["total"] for row in chain.books()["invoices"]]


def test_a_report_s_sums_are_not_compared_with_a_rate(chain: Chain) -> None:
    """300 teas at 1.05 pay 0.09 each: 27.00, not 9 % of 315.00; sale by sale it would be right."""
    dated = 'GST = [{ from = 2024-01-01, tax_type = "OUTPUT2", rate = "9" }]'
    mapping = MAPPING.replace('GST = "OUTPUT2"', dated)
    load_mapping(chain.engine, mapping, "mapping.toml", loaded_by="test", clock=SystemClock())
    day = StoreDay(NOON.date(), "S01")
    for store_id, receipt_id_pos in (("S01", receipt_id(day.business_date)), ("S02", "R1")):
        receipt = Receipt(
            receipt_id_pos,
            store_id,
            currency="NZD",
            lines=(("Drinks", "GST", 31_500, 2_700),),
            tenders=(("Cash", 34_200),),
        )
        with chain.engine.begin() as connection:
            write_receipts(connection, batch([receipt]), chain.stores, now_at=NOON)
    days = [day, replace(day, store_id="S02")]
    total(chain.engine, chain.stores, days, run_id=None, clock=SystemClock())
    assert ["planned", "held"] == [one.state for one in chain.plan(days).statuses]


@pytest.mark.parametrize(
    ("weekdays", "state"), [((5,), "missing"), ((0, 1, 2, 3, 4, 6), "no_sales"), (None, "no_sales")]
)
def test_a_closed_day_is_not_a_missing_day(
    chain: Chain, weekdays: tuple[int, ...] | None, state: str
) -> None:
    """No receipts on a Saturday: missing where the store trades on Saturdays, and said so."""
    expected = TradingDays(weekdays) if weekdays else None
    store = replace(chain.stores[0], expected=expected)
    with chain.engine.begin() as connection:
        write_stores(connection, [store], chain.organisation.organisation_id)
    (status,) = chain.plan([StoreDay(DATE, "S01")]).statuses
    assert state == status.state
    assert (state == "missing") is (len(status.holds) == 1)
    for hold in status.holds:
        assert "Kopi 1 should have traded on Saturday, 2026-03-14, but no receipt" in hold.sentence


def test_a_missing_day_is_posted_once_its_receipts_come(chain: Chain) -> None:
    """It is asked for again, and then it is a day like any other."""
    store = replace(chain.stores[0], expected=TradingDays())
    with chain.engine.begin() as connection:
        write_stores(connection, [store], chain.organisation.organisation_id)
    chain.plan([StoreDay(DATE, "S01")])
    days = chain.total([daily_total("S01")])
    assert ["planned"] == [one.state for one in chain.plan(days).statuses]
    chain.post(days)
    assert 1 == len(chain.books()["invoices"])


def test_document_is_not_claimed_while_a_plan_looks_at_it(chain: Chain) -> None:
    """A loader waits for the plan, and then sends what the plan decided."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    claimed: list[OpenDocument] = []
    is_done = Event()

    def claim_all() -> None:
        with chain.engine.begin() as connection:
            waiting = waiting_documents(
                connection, chain.organisation.organisation_id, days, kind=SALES_KINDS[0]
            )
            claimed.extend(
                claim(
                    connection,
                    [one.document_id for one in waiting],
                    idempotency_key="key",
                    run_id="test",
                    now_at=SystemClock().now(),
                )
            )
        is_done.set()

    with chain.engine.begin() as connection:
        known_documents(connection, days, for_update=True)
        loader = Thread(target=claim_all)
        loader.start()
        assert not is_done.wait(0.3)
        connection.execute(text("UPDATE documents SET payload_hash = 'as the plan decided'"))
    loader.join()
    assert ["sending"] == [one.state for one in claimed]


def test_a_day_whose_bad_file_was_taken_away_is_not_mended(chain: Chain, tmp_path: Path) -> None:
    """Archived with its bad row, it would be posted without that receipt."""
    day = StoreDay(dt.date(2026, 3, 14), "S01")
    till = tmp_path / "till"
    good, bad = (Sale("S01", name, "2026-03-14T12:00:00+13:00") for name in ("R1", "R2"))

    def night() -> str:
        """Extract and plan the day."""
        date = day.business_date
        found = extract(
            FilesSource(str(till)), chain.engine, chain.stores, date, date, run_id="test",
            clock=SystemClock(),
        )  # fmt: skip
        total(chain.engine, chain.stores, [day], run_id=None, clock=SystemClock())
        planned = plan(
            chain.engine, [day], held=found.held, prefix="DB", run_id="test", clock=SystemClock()
        )
        return planned.statuses[0].state

    write_sales(till, [good, replace(bad, net="1O.00")])
    assert "held" == night()
    write_sales(till, [Sale("S02", "R9", good.sold_at)])
    assert "held" == night()
    write_sales(till, [good, bad])
    assert "planned" == night()


def test_a_receipt_that_moves_to_a_backfilled_date_is_not_posted_on_both(
    chain: Chain, tmp_path: Path
) -> None:
    """The backfill reads the other date alone; the day it left is unfinished then, and mended."""
    posted, other = StoreDay(dt.date(2026, 3, 3), "S01"), StoreDay(dt.date(2026, 3, 14), "S01")
    stays, moves = (Sale("S01", name, "2026-03-03T12:00:00+13:00") for name in ("R1", "R2"))

    def run(day: StoreDay) -> None:
        """Bring the one day into Xero."""
        date = day.business_date
        source = FilesSource(str(tmp_path))
        extract(source, chain.engine, chain.stores, date, date, run_id="test", clock=SystemClock())
        total(chain.engine, chain.stores, [day], run_id=None, clock=SystemClock())
        chain.plan([day])
        chain.post([day])

    write_sales(tmp_path, [stays, moves])
    run(posted)
    write_sales(tmp_path, [stays, replace(moves, sold_at="2026-03-14T12:00:00+13:00")])
    run(other)
    with chain.engine.connect() as connection:
        assert [posted] == list(unfinished_store_days(connection))
    run(posted)
    with chain.engine.connect() as connection:
        assert {} == unfinished_store_days(connection)
    books = chain.books()
    invoiced = sum(Decimal(one["total"]) for one in books["invoices"] if one["type"] == "ACCREC")
    returned = sum(Decimal(one["total"]) for one in books["credit_notes"])
    assert Decimal("11.50") * 2 == invoiced - returned
