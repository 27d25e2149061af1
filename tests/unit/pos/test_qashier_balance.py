"""The identities of a Sales report, and the receipt it becomes; figures worked out by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from qashier_files import SalesReport

from daybook.pos.qashier_balance import imbalances, receipt_id, report_receipt
from daybook.pos.qashier_receipt import Paid, SoldLine, SoldReceipt
from daybook.pos.qashier_report import Figures, read_figures, read_report

DATE = dt.date(2026, 5, 2)


def figures(report: SalesReport) -> Figures:
    """The figures of a report in SGD."""
    return read_figures(read_report(report.text().encode()), "SGD")


def receipt(report: SalesReport) -> SoldReceipt:
    """The receipt of a report that adds up."""
    read = figures(report)
    assert [] == imbalances(read, "SGD")
    made = report_receipt(read, DATE, "Asia/Singapore")
    assert made.total_minor == sum(paid.amount_minor for paid in made.tenders)
    return made


def lines(report: SalesReport) -> dict[str, tuple[int, int]]:
    """Category -> net and tax."""
    return {line.category: (line.net_minor, line.tax_minor) for line in receipt(report).lines}


def sentences(report: SalesReport) -> list[str]:
    """What is wrong with the report."""
    return [one.sentence for one in imbalances(figures(report), "SGD")]


def test_a_whole_report_is_one_receipt() -> None:
    """Goods less discount, service charge, surcharge, points and rounding; 86.11 GST shared out."""
    expected = SoldReceipt(
        receipt_id_pos="REPORT-2026-05-02",
        sold_at=dt.datetime(2026, 5, 2, 4, tzinfo=dt.UTC),
        lines=(
            SoldLine("Tea", "GST", 30000, 2699, 0),
            SoldLine("Rice", "GST", 57000, 5129, 3000),
            SoldLine("Service charge", "GST", 8700, 783, 0),
            SoldLine("Payment surcharge", "No tax", 250),
            SoldLine("Points redeemed", "No tax", -500),
            SoldLine("Cash rounding", "No tax", -1),
        ),
        tenders=(Paid("Cash", 24060), Paid("NETS", 50000), Paid("GrabPay (Manual)", 30000)),
    )
    assert expected == receipt(SalesReport())


def test_the_receipts_id_is_its_date() -> None:
    """Another report of the same day is another version of it."""
    assert "REPORT-2026-05-02" == receipt_id(DATE)


def test_points_lower_the_total_whatever_their_sign() -> None:
    """Printed as 5.00 or -5.00, they are what the customer did not pay."""
    printed = SalesReport().changed(Total_Redeemed_Point_Amount="5.00")
    assert lines(SalesReport()) == lines(printed)


def test_rounding_may_go_up() -> None:
    """Malaysia rounds to the nearest 5 sen: 0.02 more in the till."""
    report = SalesReport().changed(Total_Cash_Rounding="0.02", Total_Sales="1040.63")
    tenders = report.tenders | {"Cash": "240.63"}
    assert (2, 0) == lines(replace(report, tenders=tenders, settlement="1040.63"))["Cash rounding"]


def test_no_tax_is_called_so() -> None:
    """A store that is not registered needs no tax type for GST."""
    report = SalesReport().changed(Total_GST="0.00", Total_Sales="954.49")
    tenders = {"Cash": "954.49"}
    made = receipt(replace(report, tenders=tenders, settlement="954.49"))
    assert {"No tax"} == {line.tax_code for line in made.lines}


def test_tips_are_a_line_when_the_settlement_holds_them() -> None:
    """8.00 more was taken in than was sold."""
    report = SalesReport().changed(Tipping_Amount="8.00")
    tenders = report.tenders | {"Cash": "248.60"}
    assert (800, 0) == lines(replace(report, tenders=tenders, settlement="1048.60"))["Tips"]


def test_tips_may_be_inside_total_sales() -> None:
    """The same lines, whether the report counts them in or not."""
    report = SalesReport().changed(Tipping_Amount="8.00", Total_Sales="1048.60")
    tenders = report.tenders | {"Cash": "248.60"}
    assert (800, 0) == lines(replace(report, tenders=tenders, settlement="1048.60"))["Tips"]


def test_tips_nobody_settled_keep_the_day_back() -> None:
    """There is no money for them in the payment methods, and the sentence says which figure."""
    (said,) = sentences(SalesReport().changed(Tipping_Amount="8.00"))
    assert "come to 1048.60 SGD, but the report says 1040.60 SGD here: 8.00 SGD apart." in said
    assert "exactly Tipping Amount" in said


def test_credit_and_packages_sold_are_lines_of_their_own() -> None:
    """100.00 credit sold 10.00 cheaper and a package of 50.00: 140.00 more was taken in."""
    report = replace(
        SalesReport(),
        credit={"Total Credit Sold": "100.00", "Total Credit Discount Given": "10.00"},
        package={"Total Package Amount Sold": "50.00"},
        tenders=SalesReport().tenders | {"Cash": "380.60"},
        settlement="1180.60",
    )
    made = lines(report)
    assert ((10000, 0), (-1000, 0), (5000, 0)) == (
        made["Credit sold"],
        made["Credit discount"],
        made["Package sold"],
    )


def test_credit_used_is_a_tender_when_the_settlement_leaves_it_out() -> None:
    """40.60 was paid from credit: the payment methods hold 1000.00 of 1040.60."""
    report = replace(
        SalesReport(),
        credit={"Total Credit Used": "40.60"},
        tenders={"NETS": "1000.00"},
        settlement="1000.00",
    )
    assert (Paid("NETS", 100000), Paid("Credit used", 4060)) == receipt(report).tenders


def test_credit_used_that_is_listed_is_not_counted_twice() -> None:
    """The payment methods come to the whole already."""
    report = replace(
        SalesReport(),
        credit={"Total Credit Used": "40.60"},
        tenders={"NETS": "1000.00", "Store Credit": "40.60"},
    )
    assert (Paid("NETS", 100000), Paid("Store Credit", 4060)) == receipt(report).tenders


def test_credit_that_may_be_listed_already_keeps_the_day_back() -> None:
    """A payment method is called credit, and yet exactly the credit used is missing."""
    report = replace(
        SalesReport(),
        credit={"Total Credit Used": "40.60"},
        tenders={"NETS": "959.40", "Store Credit": "40.60"},
        settlement="1000.00",
    )
    (said,) = sentences(report)
    assert "40.60 SGD apart. That is exactly Total Credit Used." in said


def test_a_credit_card_is_no_credit() -> None:
    """Its name does not stand in the way."""
    report = replace(
        SalesReport(),
        credit={"Total Credit Used": "40.60"},
        tenders={"Credit Card": "1000.00"},
        settlement="1000.00",
    )
    assert Paid("Credit used", 4060) in receipt(report).tenders


def test_unpaid_sales_are_a_tender_of_their_own() -> None:
    """Somebody owes them; they were sold."""
    report = replace(
        SalesReport().changed(Unpaid="40.60"), tenders={"NETS": "1000.00"}, settlement="1000.00"
    )
    assert Paid("Unpaid", 4060) in receipt(report).tenders


def test_two_explanations_are_none() -> None:
    """Either credit or packages of 40.60 are missing: which one cannot be told."""
    report = replace(
        SalesReport(),
        credit={"Total Credit Used": "40.60"},
        package={"Total Package Amount Redeemed": "40.60"},
        tenders={"NETS": "1000.00"},
        settlement="1000.00",
    )
    (said,) = sentences(report)
    assert "Total Credit Used or Total Package Amount Redeemed" in said


def test_products_without_categories_are_one_line() -> None:
    """The shop has none; its sales are Sales."""
    made = lines(SalesReport(categories=()))
    assert (87000, 7828) == made["Sales"]


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (SalesReport().changed(Net_Sales="956.99"), "957.00 SGD, but the report says 956.99"),
        (SalesReport().changed(Total_Discount_Given="30.00"), "60.00 SGD apart"),
        (SalesReport().changed(Total_Sales="1040.61"), "the report says 1040.61 SGD here: 0.01"),
        (SalesReport(settlement="1040.59"), "payment methods come to 1040.60"),
        (SalesReport(products=(("Teh", "Tea", "899.00"),)), "The products come to 899.00"),
        (
            SalesReport(categories=(("Tea", "900.00", "1", "-29.00"),)),
            "discounts of the categories come to -29.00",
        ),
        (SalesReport(categories=(("Tea", "1.00", "1", "-30.00"),)), "categories come to 1.00"),
    ],
)
def test_a_report_that_does_not_add_up_says_by_how_much(report: SalesReport, words: str) -> None:
    """Both figures and the difference; nothing is patched."""
    assert any(words in said for said in sentences(report)), sentences(report)


def test_an_imbalance_points_at_its_row() -> None:
    """Net Sales stands in row 8."""
    (first, *_) = imbalances(figures(SalesReport().changed(Net_Sales="956.99")), "SGD")
    assert (8, "Net Sales") == (first.row_number, first.column)


def test_tax_without_sales_is_nobodys() -> None:
    """There is no line it could stand on."""
    zero = dict.fromkeys(SalesReport().sales, "0.00") | {
        "Total GST": "1.00",
        "Total Sales": "1.00",
    }
    report = SalesReport(
        sales=zero, tenders={"Cash": "1.00"}, settlement="1.00", categories=(), products=()
    )
    assert ["nobody's tax" in said for said in sentences(report)] == [True]


def test_a_closed_day_is_a_receipt_of_nothing() -> None:
    """So that it is not a missing day."""
    zero = dict.fromkeys(SalesReport().sales, "0.00")
    report = SalesReport(sales=zero, tenders={}, settlement="0.00", categories=(), products=())
    made = receipt(report)
    assert ((), ()) == (made.lines, made.tenders)


def test_noon_is_on_the_date_in_any_zone() -> None:
    """Also where clocks change that day."""
    read = figures(SalesReport())
    made = report_receipt(read, dt.date(2026, 3, 29), "Europe/Berlin")
    assert dt.datetime(2026, 3, 29, 10, tzinfo=dt.UTC) == made.sold_at
