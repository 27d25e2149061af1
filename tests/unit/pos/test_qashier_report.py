"""The Sales report as text."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from qashier_files import SalesReport

from daybook.pos.qashier_receipt import Paid
from daybook.pos.qashier_report import CategorySale, Figures, read_figures, read_report
from daybook.pos.qashier_text import Misfit


def figures(report: SalesReport | str) -> Figures:
    """The figures of a report in SGD."""
    text = report if isinstance(report, str) else report.text()
    return read_figures(read_report(text.encode()), "SGD")


def test_the_head_says_whose_and_when() -> None:
    """Store and dates, day first."""
    report = read_report(SalesReport().text().encode())
    assert "Teh House Katong" == report.store_name
    assert dt.date(2026, 5, 2) == report.first_date == report.last_date
    assert report.is_whole_days


def test_every_figure_that_is_posted_is_read() -> None:
    """In minor units, with the signs as printed."""
    read = figures(SalesReport())
    assert (90000, -3000, 8700, 95700) == (read.gross, read.discount, read.service, read.net)
    assert (8611, 250, -500, -1) == (read.tax, read.surcharge, read.points, read.rounding)
    assert (104060, 104060) == (read.total, read.settlement)
    assert (Paid("Cash", 24060), Paid("NETS", 50000), Paid("GrabPay (Manual)", 30000)) == (
        read.tenders
    )
    assert (CategorySale("Tea", 30000, 0), CategorySale("Rice", 60000, -3000)) == read.categories
    assert {"teh tarik": "Tea", "nasi ayam": "Rice"} == read.product_categories


def test_sections_may_stand_in_any_order() -> None:
    """And those nobody knows are passed over."""
    order = ("products", "Sales by Moon Phase", "tenders", "package", "categories", "sales")
    expected = figures(SalesReport())
    turned = figures(replace(SalesReport(), order=(*order, "credit")))
    assert replace(expected, rows={}) == replace(turned, rows={})


def test_a_spreadsheet_may_have_saved_it() -> None:
    """CRLF, a byte order mark and empty cells at the ends of rows change nothing."""
    text = "\r\n".join(f"{row},," if row else ",,," for row in SalesReport().text().splitlines())
    expected = figures(SalesReport())
    assert expected == read_figures(read_report(text.encode("utf-8-sig")), "SGD")


def test_columns_are_found_by_their_headings() -> None:
    """In one section the quantity comes before the amount; no place is taken for granted."""
    text = (
        SalesReport()
        .text()
        .replace('"Gross Sales","Quantity Sold"', '"Quantity Sold","Gross Sales"')
        .replace('"300.00","100"', '"100","300.00"')
        .replace('"600.00","60"', '"60","600.00"')
    )
    assert figures(SalesReport()).categories == figures(text).categories


@pytest.mark.parametrize(
    ("label", "code"), [("VAT", "VAT"), ("SST", "SST"), ("Service Tax", "Service tax")]
)
def test_the_tax_keeps_its_own_name(label: str, code: str) -> None:
    """It is what the mapping knows it by."""
    read = figures(SalesReport().text().replace("Total GST", f"Total {label}"))
    assert (code, 8611) == (read.tax_code, read.tax)


def test_two_taxes_are_refused() -> None:
    """Which belongs to what cannot be told."""
    text = SalesReport().text().replace('"Total GST"', '"Total VAT","1.00"\n"Total GST"')
    with pytest.raises(Misfit, match="GST, VAT"):
        figures(text)


def test_a_mended_category_is_one_the_mapping_knows() -> None:
    """A double-encoded name is put right before anything is looked up."""
    assert "Café" in [
        one.category for one in figures(SalesReport().text().replace("Tea", "CafÃ©")).categories
    ]


def test_tenders_that_took_nothing_are_left_out() -> None:
    """They need no account."""
    report = SalesReport()
    read = figures(replace(report, tenders=report.tenders | {"Voucher": "0.00"}))
    assert "Voucher" not in [paid.tender for paid in read.tenders]


def test_a_product_in_two_categories_belongs_to_none() -> None:
    """The name alone does not tell them apart."""
    report = SalesReport(
        products=(("Teh", "Tea", "300.00"), ("Teh", "Rice", "600.00"), ("Milo", "Tea", "0.00"))
    )
    assert {"milo": "Tea"} == figures(report).product_categories


def test_a_sale_without_category_has_a_name_of_its_own() -> None:
    """So that it can be mapped."""
    report = SalesReport(categories=(("", "900.00", "160", "-30.00"),))
    assert [CategorySale("Uncategorised", 90000, -3000)] == [*figures(report).categories]


@pytest.mark.parametrize(
    ("old", "new", "row", "words"),
    [
        ('"Gross Sales","900.00"', '"Gross Sales","9OO.00"', 5, "not an amount"),
        ('"Gross Sales","900.00"', '"900.00","Gross Sales"', 20, "'Gross Sales' is missing"),
        ('"Net Sales","957.00"\n', "", 19, "'Net Sales' is missing"),
        ('"Total GST"', '"Gross Sales","1.00"\n"Total GST"', 9, "stands twice"),
        ('"Total Settlement","1040.60"\n', "", 34, "does not end with its total"),
        ('"Category","Gross Sales"', '"Category","Amount"', 38, "'Gross Sales' is missing"),
        ('"Cash","240.60"', '"","240.60"', 32, "payment method"),
        ('"Sales by Category"', '"Sales by Kategorie"', 35, "Sales By Category is missing"),
        ('"Credit Information"', '"Sales Information"', 22, "stands twice"),
    ],
)
def test_what_cannot_be_read_says_where(old: str, new: str, row: int, words: str) -> None:
    """Row and reason, so that a person finds it."""
    text = SalesReport().text()
    assert old in text
    with pytest.raises(Misfit, match=words) as caught:
        figures(text.replace(old, new, 1))
    assert row == caught.value.row_number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "just words",
        "a,b\n1,2\n",
        '"Shop"\n"31/02/2026 00:00:00 - 31/02/2026 23:59:59"\n',
    ],
)
def test_what_is_no_report_is_a_sentence(text: str) -> None:
    """Not a crash."""
    with pytest.raises(Misfit):
        read_report(text.encode())


def test_a_date_that_is_none_is_refused() -> None:
    """The 31st of February."""
    with pytest.raises(Misfit, match="31/02/2026 is not a date"):
        figures(SalesReport(range="31/02/2026 00:00:00 - 31/02/2026 23:59:59"))


def test_a_report_of_hours_is_no_whole_day() -> None:
    """Who uses it has to look."""
    text = SalesReport(range="02/05/2026 08:00:00 - 02/05/2026 23:59:59").text()
    assert not read_report(text.encode()).is_whole_days


def test_an_endless_cell_is_a_sentence() -> None:
    """An open quote swallows the rest of a large file; the reader's limit stops it."""
    with pytest.raises(Misfit, match="not CSV"):
        read_report(b'"Shop\n' + b"x" * 200_000)


def test_endless_rows_are_a_sentence() -> None:
    """A report has some hundreds."""
    with pytest.raises(Misfit, match="more than 200000 rows"):
        read_report(b"x\n" * 200_002)


def test_a_report_cut_anywhere_gives_the_same_figures_or_a_reason() -> None:
    """Never other figures."""
    whole = SalesReport(order=(*SalesReport().order, "Discount Information")).text()
    expected = figures(whole)
    for end in range(len(whole)):
        try:
            read = figures(whole[:end])
        except Misfit:
            continue
        if read.products == expected.products:
            assert expected.categories == read.categories
        else:
            # Cut among the products: what is left of them cannot come to Gross Sales.
            assert read.gross > sum(one.gross_minor for one in read.products)
