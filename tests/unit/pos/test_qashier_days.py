"""Which of two files makes a day, and what they say when they differ."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from daybook.pos.qashier_days import (
    Day,
    DetailsVersion,
    ReportVersion,
    cutoff_refused,
    day_receipts,
    too_early,
)
from daybook.pos.qashier_details import DetailsDay, Item, Problem, Ticket
from daybook.pos.qashier_receipt import DayReceipts, Paid, SoldReceipt
from daybook.pos.qashier_report import CategorySale, Figures
from daybook.pos.source import Reject
from daybook.sales.store import Store, StoreDay

KATONG = Store("K1", "Teh House Katong", "Asia/Singapore", "SGD")
DAY = StoreDay(dt.date(2026, 5, 2), "K1")
MIDNIGHT = dt.datetime(2026, 5, 2, 16, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

# 10.00 of tea and 6.00 of kaya, 1.44 GST: 17.44, of which 10.90 by NETS and 6.54 in cash.
FIGURES = Figures(
    tax_code="GST",
    gross=1600,
    net=1600,
    tax=144,
    total=1744,
    settlement=1744,
    tenders=(Paid("NETS", 1090), Paid("Cash", 654)),
    categories=(CategorySale("Tea", 1000, 0), CategorySale("Toast", 600, 0)),
    products=(CategorySale("Tea", 1000, 0), CategorySale("Toast", 600, 0)),
    product_categories={"teh": "Tea", "kaya": "Toast"},
    rows=dict.fromkeys(("net", "total", "settlement", "tax", "sales by category"), 9),
)
TEA = Ticket(
    receipt_id_pos="R1",
    sold_at=MIDNIGHT - 12 * HOUR,
    row_number=4,
    total_minor=1090,
    tax_minor=90,
    tender="NETS",
    is_voided=False,
    discount_minor=0,
    discount_percent=Decimal(0),
    items=(Item("teh", 1000),),
)
TOAST = replace(
    TEA,
    receipt_id_pos="R2",
    total_minor=654,
    tax_minor=54,
    tender="Cash",
    items=(Item("kaya", 600),),
)
VOIDED = replace(TEA, receipt_id_pos="R3", is_voided=True, tender="Cash")


def day(figures: Figures | None, *tickets: Ticket) -> Day:
    """The day with a report, with tickets, or with both."""
    report = ReportVersion("r.csv", MIDNIGHT, figures) if figures else None
    found = DetailsDay("GST", list(tickets))
    details = DetailsVersion("d.xlsx", MIDNIGHT + HOUR, found) if tickets else None
    return Day(DAY, KATONG, report, details)


def taken(of: Day) -> DayReceipts:
    """What is taken over of the day."""
    result = day_receipts(of)
    assert isinstance(result, DayReceipts), result
    return result


def final(of: Day) -> list[SoldReceipt]:
    """The receipts that count."""
    return [one for one in taken(of).receipts if not one.is_voided]


def reasons(of: Day) -> list[str]:
    """Why nothing is taken over of the day."""
    result = day_receipts(of)
    assert isinstance(result, list), result
    return [reject.reason for reject in result]


def test_a_report_alone_is_one_receipt() -> None:
    """As new as its file."""
    result = taken(day(FIGURES))
    assert ["REPORT-2026-05-02"] == [one.receipt_id_pos for one in result.receipts]
    assert MIDNIGHT == result.updated_at


def test_tickets_alone_are_the_day() -> None:
    """With no report to tell categories, all of it is Sales."""
    result = final(day(None, TEA, TOAST, VOIDED))
    assert ["R1", "R2"] == [one.receipt_id_pos for one in result]
    assert {"Sales"} == {line.category for one in result for line in one.lines}


def test_tickets_that_agree_with_the_report_are_taken_over() -> None:
    """With its categories, and without a receipt for the report itself."""
    result = taken(day(FIGURES, TEA, TOAST, VOIDED))
    assert [("R1", False), ("R2", False), ("R3", True)] == [
        (one.receipt_id_pos, one.is_voided) for one in result.receipts
    ]
    assert ["Tea", "Toast"] == [one.lines[0].category for one in final(day(FIGURES, TEA, TOAST))]
    assert MIDNIGHT + HOUR == result.updated_at


def test_several_ways_of_paying_come_from_the_report() -> None:
    """5.00 of the tea in cash: the report has 11.54 cash and 5.90 NETS."""
    split = replace(FIGURES, tenders=(Paid("Cash", 1154), Paid("NETS", 590)))
    result = final(day(split, replace(TEA, tender="Multiple Methods"), TOAST))
    assert (Paid("Cash", 500), Paid("NETS", 590)) == result[0].tenders


def test_several_ways_of_paying_without_a_report_stay_unnamed() -> None:
    """No mapping has such a tender, so the day is held with this very key."""
    (made,) = final(day(None, replace(TEA, tender="Multiple Methods")))
    assert (Paid("Multiple Methods", 1090),) == made.tenders


def test_a_service_charge_needs_the_report() -> None:
    """Alone, the ticket is not explained; beside the report, the report is the day."""
    served = replace(TEA, total_minor=1199, tax_minor=99)
    (said,) = reasons(day(None, served))
    assert "receipt R1 come to 10.00 SGD and its tax to 0.99 SGD, but its total is 11.99" in said
    figures = replace(
        FIGURES,
        gross=1000,
        service=100,
        net=1100,
        tax=99,
        total=1199,
        settlement=1199,
        tenders=(Paid("NETS", 1199),),
        categories=(CategorySale("Tea", 1000, 0),),
        products=(CategorySale("Tea", 1000, 0),),
    )
    both = taken(day(figures, served))
    assert ["REPORT-2026-05-02"] == [one.receipt_id_pos for one in both.receipts]


def test_categories_that_differ_leave_the_day_to_the_report() -> None:
    """The money agrees; only the report knows what belongs where."""
    figures = replace(FIGURES, product_categories={"teh": "Tea"})
    assert ["REPORT-2026-05-02"] == [one.receipt_id_pos for one in final(day(figures, TEA, TOAST))]


def test_tips_leave_the_day_to_the_report() -> None:
    """No column of the export has them."""
    figures = replace(
        FIGURES, tips=100, settlement=1844, tenders=(Paid("NETS", 1090), Paid("Cash", 754))
    )
    assert ["REPORT-2026-05-02"] == [one.receipt_id_pos for one in final(day(figures, TEA, TOAST))]


def test_totals_that_differ_hold_the_day_and_name_the_receipt() -> None:
    """A void that only one of the files knows is the usual cause."""
    said = reasons(day(FIGURES, TEA, replace(TOAST, is_voided=True)))[0]
    assert "on 2026-05-02 come to 10.90 SGD, the Sales report r.csv says 17.44 SGD" in said
    assert "6.54 SGD apart. That is exactly receipt R2 (voided)." in said


def test_taxes_that_differ_hold_the_day() -> None:
    """A cent of GST is a cent owed."""
    (said,) = reasons(day(FIGURES, TEA, replace(TOAST, tax_minor=53)))
    assert "The taxes of the receipts" in said
    assert "1.43 SGD, the Sales report r.csv says 1.44 SGD: 0.01 SGD apart." in said


def test_tenders_that_differ_hold_the_day() -> None:
    """Both are named with both figures."""
    said = reasons(day(FIGURES, TEA, replace(TOAST, tender="NETS")))
    assert ["The receipts paid by Cash", "The receipts paid by NETS"] == [
        one.split(" of Teh")[0] for one in said
    ]


def test_a_report_that_does_not_add_up_holds_the_day() -> None:
    """Also where the tickets would do."""
    result = day_receipts(day(replace(FIGURES, net=1599), TEA, TOAST))
    assert isinstance(result, list)
    assert ("r.csv", 9, "Net Sales") == (result[0].url, result[0].row_number, result[0].column)


def test_a_ticket_that_cannot_be_read_holds_the_day() -> None:
    """Never a part of it."""
    found = DetailsDay("GST", [TEA], [Problem(7, "Voided", "It is odd.")])
    of = replace(day(None), details=DetailsVersion("d.xlsx", None, found))
    assert [Reject("d.xlsx", 7, "Voided", "It is odd.")] == day_receipts(of)


def test_a_file_without_time_is_as_old_as_the_end_of_its_day() -> None:
    """Later corrections are newer."""
    of = replace(day(None), report=ReportVersion("r.csv", None, FIGURES))
    assert MIDNIGHT == taken(of).updated_at


def test_a_file_written_during_the_day_is_too_early() -> None:
    """Midnight is the store's."""
    said = too_early(DAY, KATONG, MIDNIGHT - dt.timedelta(seconds=1))
    assert said is not None
    assert "before 2026-05-02 was over in Teh House Katong" in said
    assert too_early(DAY, KATONG, MIDNIGHT) is None
    assert too_early(DAY, KATONG, None) is None


def test_a_day_that_begins_at_four_is_refused() -> None:
    """The files hold days from midnight to midnight."""
    said = cutoff_refused(replace(KATONG, cutoff=dt.time(4)))
    assert said is not None
    assert "begins its day at 04:00" in said
    assert cutoff_refused(KATONG) is None
