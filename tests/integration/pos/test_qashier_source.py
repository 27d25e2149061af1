"""Qashier's files from a drop folder through the ledger to daily totals."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from email.message import EmailMessage
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from qashier_files import SalesReport, SoldItem, details, put
from sqlalchemy import text
from till import Receipt, batch, opened_ledger

from daybook.clock import SystemClock
from daybook.jobs.extract import Extracted, extract
from daybook.jobs.total import total
from daybook.ledger.daily_totals import read_daily_totals
from daybook.ledger.receipts import ReceiptCounts, write_receipts
from daybook.ledger.rejects import read_rejects
from daybook.pos.qashier_source import QashierSource
from daybook.sales.store import Store, StoreDay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from daybook.sales.daily_total import DailyTotal

DATE = dt.date(2026, 5, 2)
# Two minutes after midnight in Singapore.
AFTER = dt.datetime(2026, 5, 2, 16, 2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
KATONG = Store("K1", "Teh House Katong", "Asia/Singapore", "SGD")
BEDOK = Store("K2", "Teh House Bedok", "Asia/Singapore", "SGD")
DAYS = [StoreDay(DATE, "K1"), StoreDay(DATE, "K2")]


@pytest.fixture
def ledger(database_url: str) -> Iterator[Engine]:
    """A ledger with two stores."""
    with opened_ledger(database_url, KATONG, BEDOK) as engine:
        yield engine


def run(folder: Path, ledger: Engine) -> Extracted:
    """One night's extract of both stores."""
    source = QashierSource(str(folder), {KATONG.name: "K1", BEDOK.name: "K2"})
    return extract(source, ledger, [KATONG, BEDOK], DATE, DATE, run_id=None, clock=SystemClock())


def totals(ledger: Engine) -> dict[str, DailyTotal]:
    """The ledger's daily totals by store, all of them with agreeing control totals."""
    totalled = total(ledger, [KATONG, BEDOK], DAYS, run_id=None, clock=SystemClock())
    assert () == totalled.control_failures
    with ledger.connect() as connection:
        return {one.total.store_id: one.total for one in read_daily_totals(connection, DAYS)}


def test_a_report_becomes_the_daily_total(ledger: Engine, tmp_path: Path) -> None:
    """1040.60 in all: categories and service charge with their share of 86.11 GST, and the rest."""
    put(tmp_path, "sales-report-pos.csv", SalesReport().text(), AFTER)
    assert ReceiptCounts(1, 0, 0) == run(tmp_path, ledger).receipts
    made = totals(ledger)["K1"]
    assert {
        "Cash rounding": ("No tax", -1, 0),
        "Payment surcharge": ("No tax", 250, 0),
        "Points redeemed": ("No tax", -500, 0),
        "Rice": ("GST", 57000, 5129),
        "Service charge": ("GST", 8700, 783),
        "Tea": ("GST", 30000, 2699),
    } == {one.category: (one.tax_code, one.net_minor, one.tax_minor) for one in made.categories}
    assert {"Cash": 24060, "GrabPay (Manual)": 30000, "NETS": 50000} == {
        one.tender: one.amount_minor for one in made.tenders
    }
    assert (1, 0, 104060) == (made.receipt_count, made.voided_count, made.total_minor)


def test_the_same_report_by_mail_changes_nothing(ledger: Engine, tmp_path: Path) -> None:
    """It is recognised by its content, whatever it is called and whoever brings it."""
    put(tmp_path, "report.csv", SalesReport().text(), AFTER)
    run(tmp_path, ledger)
    mail = EmailMessage()
    mail["Date"] = "Sun, 03 May 2026 03:00:00 +0800"
    mail.add_attachment(SalesReport().text(), subtype="csv", filename="../../etc/report.csv")
    put(tmp_path, "Sales Report.eml", mail.as_bytes(), AFTER + 5 * HOUR)
    assert ReceiptCounts(0, 0, 1) == run(tmp_path, ledger).receipts


def test_a_corrected_report_takes_the_place_of_the_first(ledger: Engine, tmp_path: Path) -> None:
    """0.60 less cash was taken, after all."""
    put(tmp_path, "z-first.csv", SalesReport().text(), AFTER)
    run(tmp_path, ledger)
    corrected = replace(
        SalesReport().changed(Total_Cash_Rounding="-0.61", Total_Sales="1040.00"),
        tenders=SalesReport().tenders | {"Cash": "240.00"},
        settlement="1040.00",
    )
    put(tmp_path, "a-second.csv", corrected.text(), AFTER + HOUR)
    assert ReceiptCounts(0, 1, 0) == run(tmp_path, ledger).receipts
    assert 104000 == totals(ledger)["K1"].tender_minor


def test_one_bad_report_does_not_stop_the_other_store(ledger: Engine, tmp_path: Path) -> None:
    """Its day is absent, the reason is stored."""
    put(tmp_path, "katong.csv", SalesReport().changed(Total_GST="86.12").text(), AFTER)
    put(tmp_path, "bedok.csv", SalesReport(store_name=BEDOK.name).text(), AFTER)
    run(tmp_path, ledger)
    assert ["K2"] == [*totals(ledger)]
    with ledger.connect() as connection:
        (stored,) = read_rejects(connection)
    assert "0.01 SGD apart" in stored.reject.reason
    assert 13 == stored.reject.row_number


# Two teas and a toast, no tax, no service: 3.00 + 3.00 by NETS, 4.50 half cash, half NETS.
RETAIL = replace(
    SalesReport(
        categories=(("Tea", "6.00", "2", "0.00"), ("Toast", "4.50", "1", "0.00")),
        products=(("Teh Tarik", "Tea", "6.00"), ("Kaya Toast", "Toast", "4.50")),
        tenders={"NETS": "8.25", "Cash": "2.25"},
        settlement="10.50",
    ),
    sales={
        "Gross Sales": "10.50",
        "Total Discount Given": "0.00",
        "Net Sales": "10.50",
        "Total GST": "0.00",
        "Total Sales": "10.50",
    },
)
NO_SALES = dict.fromkeys(RETAIL.sales, "0.00")
TEAS = SoldItem(total="6.00", tax="0.00", tender="NETS")
TOAST = SoldItem(
    receipt_id="0205202610000001",
    date="02/05/2026 10:00:00",
    total="4.50",
    tax="0.00",
    tender="Multiple Methods",
    item="Kaya Toast",
    amount="4.50",
)


@pytest.mark.parametrize("first", ["report", "export"])
def test_both_files_make_one_day_whichever_came_first(
    ledger: Engine, tmp_path: Path, first: str
) -> None:
    """10.50 once: 6.00 tea and 4.50 toast, 8.25 NETS and 2.25 cash, out of two receipts."""
    contents: dict[str, tuple[str, str | bytes]] = {
        "report": ("report.csv", RETAIL.text()),
        "export": ("details.xlsx", details([TEAS, TEAS, TOAST])),
    }
    put(tmp_path, *contents.pop(first), AFTER)
    run(tmp_path, ledger)
    assert 1050 == totals(ledger)["K1"].total_minor
    ((name, content),) = contents.values()
    put(tmp_path, name, content, AFTER + HOUR)
    run(tmp_path, ledger)
    made = totals(ledger)["K1"]
    assert {"Tea": 600, "Toast": 450} == {one.category: one.net_minor for one in made.categories}
    assert {"NETS": 825, "Cash": 225} == {one.tender: one.amount_minor for one in made.tenders}
    # The report's own receipt, if it was there, is voided; it is counted and not summed.
    assert (2, 1 if first == "report" else 0) == (made.receipt_count, made.voided_count)


@pytest.mark.parametrize("later", [-HOUR, HOUR])
@pytest.mark.parametrize("first", ["report", "export"])
def test_one_file_in_the_place_of_the_other_counts_once(
    ledger: Engine, tmp_path: Path, first: str, later: dt.timedelta
) -> None:
    """One kind of file was read, then only the other lies there, older or newer: 10.50 once."""
    export = details([TEAS, TEAS, replace(TOAST, tender="Cash")])
    kinds: dict[str, tuple[str, str | bytes]] = {
        "report": ("report.csv", RETAIL.text()),
        "export": ("details.xlsx", export),
    }
    name, content = kinds.pop(first)
    put(tmp_path, name, content, AFTER + 2 * HOUR)
    run(tmp_path, ledger)
    assert 1050 == totals(ledger)["K1"].total_minor
    (tmp_path / name).unlink()
    ((other, other_content),) = kinds.values()
    put(tmp_path, other, other_content, AFTER + 2 * HOUR + later)
    new, superseded = (1, 2) if first == "export" else (2, 1)
    assert ReceiptCounts(new, 0, 0, superseded) == run(tmp_path, ledger).receipts
    made = totals(ledger)["K1"]
    assert (1050, 1050, new) == (made.total_minor, made.tender_minor, made.receipt_count)
    assert ReceiptCounts(0, 0, new) == run(tmp_path, ledger).receipts
    # And back again, as it was before.
    (tmp_path / other).unlink()
    put(tmp_path, name, content, AFTER + 2 * HOUR)
    assert ReceiptCounts(0, superseded, 0, new) == run(tmp_path, ledger).receipts
    assert (1050, 1050) == (totals(ledger)["K1"].total_minor, totals(ledger)["K1"].tender_minor)


def test_a_report_of_no_sales_takes_the_place_of_receipts(ledger: Engine, tmp_path: Path) -> None:
    """The receipts were of another day, and the export was made again without them."""
    put(tmp_path, "details.xlsx", details([TEAS, TEAS]), AFTER)
    run(tmp_path, ledger)
    (tmp_path / "details.xlsx").unlink()
    empty = replace(
        RETAIL, categories=(), products=(), tenders={}, settlement="0.00", sales=NO_SALES
    )
    put(tmp_path, "report.csv", empty.text(), AFTER + HOUR)
    assert 1 == run(tmp_path, ledger).receipts.superseded_count
    made = totals(ledger)["K1"]
    assert (0, 1, 1) == (made.total_minor, made.receipt_count, made.voided_count)


def test_another_source_s_receipts_of_the_day_stay(ledger: Engine, tmp_path: Path) -> None:
    """The store changed its point of sale at noon: both halves of the day count."""
    noon = dt.datetime(2026, 5, 2, 4, tzinfo=dt.UTC)
    with ledger.begin() as connection:
        morning = batch([Receipt("old-1", store_id="K1", sold_at=noon)])
        write_receipts(connection, morning, [KATONG], now_at=AFTER)
    put(tmp_path, "report.csv", RETAIL.text(), AFTER)
    run(tmp_path, ledger)
    assert 1090 + 1050 == totals(ledger)["K1"].total_minor


def test_only_the_day_of_a_file_that_does_not_add_up_is_held(
    ledger: Engine, tmp_path: Path
) -> None:
    """A file that belongs to no day holds none: a day of Qashier's is whole or absent."""
    put(tmp_path, "katong.csv", SalesReport().changed(Total_GST="86.12").text(), AFTER)
    put(tmp_path, "bedok.csv", SalesReport(store_name=BEDOK.name).text(), AFTER)
    put(tmp_path, "notes.csv", "milk,2\n", AFTER)
    extracted = run(tmp_path, ledger)
    assert [StoreDay(DATE, "K1")] == list(extracted.held)
    assert 2 == extracted.reject_count


def test_a_service_charge_day_is_the_reports(ledger: Engine, tmp_path: Path) -> None:
    """The export has no column for it: alone it waits, with the report the day is posted once."""
    served = SoldItem(total="1040.60", tax="86.11", tender="NETS", amount="870.00")
    put(tmp_path, "details.xlsx", details([served]), AFTER)
    run(tmp_path, ledger)
    assert {} == totals(ledger)
    paid_by_nets = replace(SalesReport(), tenders={"NETS": "1040.60"})
    put(tmp_path, "report.csv", paid_by_nets.text(), AFTER)
    run(tmp_path, ledger)
    made = totals(ledger)["K1"]
    assert (104060, 1, 0) == (made.total_minor, made.receipt_count, made.voided_count)


def test_a_sale_voided_days_later_changes_its_day(ledger: Engine, tmp_path: Path) -> None:
    """The trailing re-read finds the new export."""
    put(tmp_path, "first.xlsx", details([TEAS, TEAS, replace(TOAST, tender="Cash")]), AFTER)
    run(tmp_path, ledger)
    assert 1050 == totals(ledger)["K1"].total_minor
    voided = replace(TOAST, tender="Cash", voided="Yes")
    put(tmp_path, "second.xlsx", details([TEAS, TEAS, voided]), AFTER + 72 * HOUR)
    run(tmp_path, ledger)
    made = totals(ledger)["K1"]
    assert (600, 1, 1) == (made.total_minor, made.receipt_count, made.voided_count)


def three_teas(*numbers: int) -> list[SoldItem]:
    """Sales of one tea each, 3.27 in cash, at nine."""
    return [
        SoldItem(receipt_id=f"020520260930{number:04d}", date=f"02/05/2026 09:0{number}:10")
        for number in numbers
    ]


def test_an_export_filtered_after_the_older_one_was_archived_holds_the_day(
    ledger: Engine, tmp_path: Path
) -> None:
    """The ledger remembers what the folder no longer has: 9.81 stay 9.81, and somebody is told."""
    whole = put(tmp_path, "a.xlsx", details(three_teas(1, 2, 3)), AFTER)
    run(tmp_path, ledger)
    whole.unlink()
    put(tmp_path, "b.xlsx", details(three_teas(1, 2)), AFTER + HOUR)
    for _ in range(2):
        extracted = run(tmp_path, ledger)
        assert 0 == extracted.receipts.superseded_count
        assert [DAYS[0]] == list(extracted.held)
        assert "1 receipt that was taken over before is no longer there: 0205202609300003" in (
            extracted.held[DAYS[0]].sentence
        )
        assert (981, 0) == (totals(ledger)["K1"].total_minor, totals(ledger)["K1"].voided_count)


def test_a_report_proves_that_receipts_are_gone(ledger: Engine, tmp_path: Path) -> None:
    """The first export was a mistake: with the report beside the second, 10.50 is the day."""
    wrong = put(tmp_path, "a.xlsx", details([TEAS, TEAS, TOAST, *three_teas(1)]), AFTER)
    run(tmp_path, ledger)
    wrong.unlink()
    put(tmp_path, "b.xlsx", details([TEAS, TEAS, TOAST]), AFTER + HOUR)
    put(tmp_path, "r.csv", RETAIL.text(), AFTER + HOUR)
    extracted = run(tmp_path, ledger)
    assert ({}, 1) == (extracted.held, extracted.receipts.superseded_count)
    assert 1050 == totals(ledger)["K1"].total_minor


def test_an_export_of_less_than_the_archived_report_holds_the_day(
    ledger: Engine, tmp_path: Path
) -> None:
    """10.50 were reported; an export of 6.00 alone does not take their place."""
    report = put(tmp_path, "r.csv", RETAIL.text(), AFTER)
    run(tmp_path, ledger)
    report.unlink()
    put(tmp_path, "b.xlsx", details([TEAS, TEAS]), AFTER + HOUR)
    extracted = run(tmp_path, ledger)
    assert "come to 6.00 SGD, but the report that was taken over before to 10.50" in (
        extracted.held[DAYS[0]].sentence
    )
    assert 1050 == totals(ledger)["K1"].total_minor


def test_removing_a_wrong_newer_file_brings_the_older_back(ledger: Engine, tmp_path: Path) -> None:
    """1040.60, then 1040.00 by mistake, then 1040.60 again: the ledger has what the folder says."""
    put(tmp_path, "a.csv", SalesReport().text(), AFTER)
    run(tmp_path, ledger)
    wrong = replace(
        SalesReport().changed(Total_Cash_Rounding="-0.61", Total_Sales="1040.00"),
        tenders=SalesReport().tenders | {"Cash": "240.00"},
        settlement="1040.00",
    )
    newer = put(tmp_path, "b.csv", wrong.text(), AFTER + HOUR)
    run(tmp_path, ledger)
    assert 104000 == totals(ledger)["K1"].total_minor
    newer.unlink()
    assert ReceiptCounts(0, 1, 0) == run(tmp_path, ledger).receipts
    assert (104060, 104060) == (
        totals(ledger)["K1"].total_minor,
        totals(ledger)["K1"].tender_minor,
    )
    assert ReceiptCounts(0, 0, 1) == run(tmp_path, ledger).receipts


def test_an_early_report_comes_back_after_an_export(ledger: Engine, tmp_path: Path) -> None:
    """Written before noon, so before the time that its receipt is given: it still counts again."""
    early = dt.datetime(2026, 5, 2, 3, 35, tzinfo=dt.UTC)

    def night() -> int:
        source = QashierSource(str(tmp_path), {KATONG.name: "K1"}, is_early_allowed=True)
        extract(source, ledger, [KATONG], DATE, DATE, run_id=None, clock=SystemClock())
        return totals(ledger)["K1"].total_minor

    report = put(tmp_path, "r.csv", RETAIL.text(), early)
    assert 1050 == night()
    report.unlink()
    export = put(tmp_path, "x.xlsx", details([TEAS, TEAS, TOAST]), early)
    assert 1050 == night()
    export.unlink()
    put(tmp_path, "r.csv", RETAIL.text(), early)
    assert 1050 == night()


@pytest.mark.parametrize("is_read_again", [True, False])
def test_a_report_from_before_origins_gives_way_too(
    ledger: Engine,
    tmp_path: Path,
    is_read_again: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Whether its file was read once more since then or not, the day counts once."""
    report = put(tmp_path, "r.csv", RETAIL.text(), AFTER)
    run(tmp_path, ledger)
    with ledger.begin() as connection:
        connection.execute(text("UPDATE receipts SET origin = ''"))
    if is_read_again:
        run(tmp_path, ledger)
    report.unlink()
    put(tmp_path, "x.xlsx", details([TEAS, TEAS, TOAST]), AFTER + HOUR)
    run(tmp_path, ledger)
    made = totals(ledger)["K1"]
    assert (1050, 1) == (made.total_minor, made.voided_count)


@pytest.mark.parametrize("newer", ["report", "export"])
def test_receipts_from_before_origins_are_known_as_qashiers(
    ledger: Engine, tmp_path: Path, newer: str
) -> None:
    """Their numbers begin with their date: a report takes their place, a filter does not."""
    export = put(tmp_path, "a.xlsx", details([TEAS, TEAS, TOAST]), AFTER)
    run(tmp_path, ledger)
    noon = dt.datetime(2026, 5, 2, 4, tzinfo=dt.UTC)
    others = batch([Receipt(number, "K1", noon) for number in ("0105202609301001x", "9" * 16)])
    config = Config()
    config.set_main_option("script_location", str(files("daybook.ledger") / "migrations"))
    with ledger.begin() as connection:
        write_receipts(connection, others, [KATONG], now_at=AFTER)
        config.attributes["connection"] = connection
        command.downgrade(config, "0006")
        connection.execute(text("UPDATE receipts SET origin = ''"))
        command.upgrade(config, "head")
    export.unlink()
    if newer == "report":
        put(tmp_path, "r.csv", RETAIL.text(), AFTER + HOUR)
    else:
        put(tmp_path, "x.xlsx", details([TEAS, TEAS]), AFTER + HOUR)
    extracted = run(tmp_path, ledger)
    assert ([DAYS[0]] if newer == "export" else []) == list(extracted.held)
    assert 1050 + 2 * 1090 == totals(ledger)["K1"].total_minor
