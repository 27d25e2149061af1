"""The Transaction Details workbook as tickets."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from qashier_files import HEADER, SoldItem, details

from daybook.pos.qashier_details import Details, DetailsDay, Item, Ticket, read_details
from daybook.pos.qashier_stores import StoreNames
from daybook.pos.qashier_text import Misfit
from daybook.sales.store import Store, StoreDay

DATE = dt.date(2026, 5, 2)
KATONG = Store("K1", "Teh House Katong", "Asia/Singapore", "SGD")
BEDOK = Store("K2", "Teh House Bedok", "Asia/Singapore", "SGD")
DAY = StoreDay(DATE, "K1")


def read(content: bytes, first: dt.date = DATE, last: dt.date = DATE) -> Details:
    """The tickets of one store out of two that are known."""
    names = StoreNames({BEDOK.name: "K2"}, [KATONG])
    asked = {"K1": KATONG}
    return read_details(
        content, lambda said, row: asked.get(names.store_id(said, row)), first, last
    )


def day(*items: SoldItem) -> DetailsDay:
    """The one day of these rows."""
    ((_, found),) = read(details(items)).days.items()
    return found


def only(*items: SoldItem) -> Ticket:
    """The one ticket of these rows, which nothing is wrong with."""
    found = day(*items)
    assert [] == found.problems
    (ticket,) = found.tickets
    return ticket


def misfit(*items: SoldItem) -> str:
    """Why none of the days of these rows counts."""
    (found,) = read(details(items)).misfits
    return str(found)


def test_rows_of_one_receipt_are_one_ticket() -> None:
    """Its total counts once, although it stands beside both items; equal rows are two sales."""
    expected = Ticket(
        receipt_id_pos="0205202609301001",
        sold_at=dt.datetime(2026, 5, 2, 1, 30, 10, tzinfo=dt.UTC),
        row_number=4,
        total_minor=654,
        tax_minor=54,
        tender="Cash",
        is_voided=False,
        discount_minor=0,
        discount_percent=Decimal(0),
        items=(Item("teh tarik", 300), Item("teh tarik", 300)),
    )
    assert expected == only(*[SoldItem(total="6.54", tax="0.54")] * 2)


def test_the_total_may_stand_on_the_first_row_alone() -> None:
    """Nobody knows whether it is repeated; both are read alike."""
    first = SoldItem(total="6.54", tax="0.54")
    rest = replace(first, total="", tax="", tender="", voided="")
    assert only(first, first) == only(first, rest)


def test_rows_need_not_stand_together() -> None:
    """A receipt is its number."""
    other = SoldItem(receipt_id="0205202610000001", date="02/05/2026 10:00:00")
    found = day(SoldItem(total="6.54"), other, SoldItem(total="6.54"))
    assert [2, 1] == [len(ticket.items) for ticket in found.tickets]


@pytest.mark.parametrize("preamble", [0, 2, 9])
def test_the_header_is_found_by_its_words(preamble: int) -> None:
    """Usually in row 3."""
    found = read(details([SoldItem()], preamble=preamble))
    assert preamble + 2 == found.days[DAY].tickets[0].row_number


@pytest.mark.parametrize(
    ("tax", "amount", "code"),
    [
        ("Transaction Total VAT", "Transaction Item Final Amount (฿)", "VAT"),
        ("Transaction Total SST", "Transaction Item Final Amount (RM)", "SST"),
        ("transaction total gst", "Transaction Item Final Amount S$", "GST"),
        ("Something Else", "Transaction Item Final Amount", "No tax"),
    ],
)
def test_headings_change_with_the_country(tax: str, amount: str, code: str) -> None:
    """The currency and the name of the tax are part of them."""
    header = [*HEADER]
    header[6], header[15] = tax, amount
    found = read(details([SoldItem()], header=header)).days[DAY]
    assert (code, 0 if code == "No tax" else 27) == (found.tax_code, found.tickets[0].tax_minor)


def test_numbers_and_real_dates_are_read_like_text() -> None:
    """A spreadsheet may have typed the cells; 0.1 and 0.2 make 0.30000000000000004."""
    typed = SoldItem(
        receipt_id=205202609301001,  # type: ignore[arg-type] # a spreadsheet drops the zero
        date=dt.datetime(2026, 5, 2, 9, 30, 9, 999_000),  # noqa: DTZ001 - a workbook knows no zones
        total=3.27,
        tax=0.27,
        amount=0.1 + 0.2 + 2.7,
        voided=False,
    )
    assert only(SoldItem()) == only(typed)


def test_voids_are_flags_on_the_sale() -> None:
    """On one of its rows is enough."""
    assert only(SoldItem(voided="Yes"), SoldItem(voided="")).is_voided


def test_discounts_of_the_whole_receipt_are_kept() -> None:
    """Whether the items have them off already is found out later."""
    ticket = only(SoldItem(percent="10%", dollars="-1.50"))
    assert (Decimal(10), 150) == (ticket.discount_percent, ticket.discount_minor)


def test_dates_have_the_day_first() -> None:
    """The 3rd of April, not the 4th of March."""
    item = SoldItem(receipt_id="0304202609301001", date="03/04/2026 09:30:10")
    april = dt.date(2026, 4, 3)
    assert [StoreDay(april, "K1")] == [*read(details([item]), april, april).days]


def test_a_spreadsheet_that_exchanged_day_and_month_is_caught() -> None:
    """The receipt's own number tells."""
    item = SoldItem(date=dt.datetime(2026, 2, 5, 9, 30))  # noqa: DTZ001 - a workbook knows no zones
    assert "day and month exchanged" in misfit(item)


@pytest.mark.parametrize(
    "date", ["02/05/2062 09:30:10", "02/06/2026 09:30:10", "30/04/2026 23:00:00"]
)
def test_a_date_far_from_the_receipt_s_number_holds_the_file(date: str) -> None:
    """It would leave the 2nd of May without a word."""
    assert "is of 02/05/2026 by its number, but its date says" in misfit(SoldItem(date=date))


def test_a_bill_paid_after_midnight_keeps_its_date() -> None:
    """Its number may be the day before's; one that is no date says nothing."""
    after = SoldItem(receipt_id="0105202623590001", date="02/05/2026 00:10:00")
    other = SoldItem(receipt_id="9999999923590001", date="02/05/2026 00:10:00")
    assert 2 == len(day(after, other).tickets)


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        ("29/03/2026 02:30:00", dt.datetime(2026, 3, 29, 1, 30)),  # noqa: DTZ001 - made aware below
        ("25/10/2026 02:30:00", dt.datetime(2026, 10, 25, 0, 30)),  # noqa: DTZ001 - made aware below
        ("25/10/2026 23:59:59", dt.datetime(2026, 10, 25, 22, 59, 59)),  # noqa: DTZ001 - as above
    ],
)
def test_a_sale_keeps_its_date_where_clocks_change(wall: str, utc: dt.datetime) -> None:
    """Also in the hour that is not there, and in the one that comes twice."""
    berlin = Store("K1", KATONG.name, "Europe/Berlin", "EUR")
    date = dt.date(2026, utc.month, utc.day)
    content = details([SoldItem(receipt_id="R1", date=wall)])
    found = read_details(content, lambda _said, _row: berlin, date, date)
    (ticket,) = found.days[StoreDay(date, "K1")].tickets
    assert utc.replace(tzinfo=dt.UTC) == ticket.sold_at
    assert date == ticket.sold_at.astimezone(dt.timezone(dt.timedelta(hours=1))).date()


def test_only_the_days_asked_for_are_kept() -> None:
    """And only of stores that are asked for."""
    items = [
        SoldItem(),
        SoldItem(receipt_id="R2", date="03/05/2026 00:00:00"),
        SoldItem(receipt_id="R3", date="01/05/2026 23:59:59"),
        SoldItem(receipt_id="R4", store_name=BEDOK.name),
    ]
    found = read(details(items))
    assert ([DAY], []) == ([*found.days], found.strangers)
    assert {"0205202609301001"} == found.days[DAY].receipt_ids


def test_an_unknown_store_is_said_once() -> None:
    """The others go on."""
    strange = SoldItem(receipt_id="R9", store_name="Teh House Tanjong")
    found = read(details([strange, SoldItem(), strange]))
    (stranger,) = found.strangers
    assert (4, []) == (stranger.row_number, found.misfits)
    assert 1 == len(found.days[DAY].tickets)


def test_a_misspelt_store_holds_the_file() -> None:
    """The row may be a receipt of the store that is almost called so; it is said once."""
    strange = SoldItem(receipt_id="R9", store_name="Teh House Katng")
    assert "Is it 'Teh House Katong'" in misfit(strange, SoldItem(), strange)


def test_a_row_without_a_store_holds_the_file() -> None:
    """It may be a receipt of any of them."""
    assert "has no store" in misfit(SoldItem(), SoldItem(receipt_id="R9", store_name=" "))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"total": ""}, "not an amount"),
        ({"amount": "3,00"}, "not an amount"),
        ({"amount": "=A1"}, "not an amount"),
        ({"amount": "3.005"}, "more decimals"),
        ({"tender": ""}, "payment method"),
        ({"voided": "perhaps"}, "whether the receipt is voided"),
        ({"percent": "120"}, "not a percentage"),
        ({"percent": "NaN"}, "not a percentage"),
        ({"percent": "-Infinity%"}, "not a percentage"),
        ({"amount": "x", "total": "y"}, "'x' is not an amount"),
    ],
)
def test_a_receipt_that_cannot_be_read_holds_its_day(change: dict[str, str], words: str) -> None:
    """It is named; a part of a day is never taken over."""
    found = day(replace(SoldItem(), **change))
    (problem,) = found.problems
    assert words in problem.reason
    assert "Receipt 0205202609301001" in problem.reason
    assert 4 == problem.row_number


def test_two_totals_on_one_receipt_hold_its_day() -> None:
    """Which is right cannot be told; the same for two times."""
    found = day(SoldItem(), SoldItem(total="9.99"), SoldItem(date="02/05/2026 11:00:00"))
    assert ["'9.99' stands beside '3.27'", "Receipt 0205202609301001 has two dates"] == [
        problem.reason.split(" on one")[0].split(";")[0] for problem in found.problems
    ]


def test_problems_are_counted_up_to_a_limit() -> None:
    """The first twenty say enough."""
    items = [SoldItem(receipt_id=f"R{number}", amount="x") for number in range(50)]
    assert 20 == len(day(*items).problems)


@pytest.mark.parametrize(
    "date",
    [
        *("", "2026-05-02 09:30:00", "31/02/2026 09:30:00", "05/02/2026"),
        dt.datetime(9999, 12, 31, 23, 59, 59, 900_000),  # noqa: DTZ001 - a workbook knows no zones
    ],
)
def test_a_row_of_no_date_holds_the_file(date: object) -> None:
    """It might belong to any day."""
    assert "the whole file waits" in misfit(SoldItem(), SoldItem(date=date))


def test_a_receipt_without_number_holds_the_file() -> None:
    """Its rows cannot be put together."""
    assert "The name of this receipt cannot be used" in misfit(SoldItem(receipt_id=""))


def test_exchanged_columns_are_noticed() -> None:
    """Headings and cells that do not belong together never become amounts."""
    header = [*HEADER]
    header[0], header[1] = header[1], header[0]
    found = read(details([SoldItem()], header=header))
    assert {} == found.days
    assert "not a date" in str(found.misfits[0])


@pytest.mark.parametrize("column", ["Date", "Transaction Total Amount", "Store Name", "Voided"])
def test_a_missing_column_is_named(column: str) -> None:
    """And so is one that stands twice."""
    with pytest.raises(Misfit, match=r"headings|is missing"):
        read(details([], header=["x" if one == column else one for one in HEADER]))
    with pytest.raises(Misfit, match="stands twice"):
        read(details([], header=[*HEADER, column]))


def test_an_export_without_sales_is_empty() -> None:
    """Not an error: it may be of a closed day."""
    assert {} == read(details([])).days


def test_customers_are_not_remembered() -> None:
    """Neither in what is read nor in what is said about it."""
    found = read(details([SoldItem(), SoldItem(receipt_id="R2", amount="x")]))
    assert "Tan Ah Kow" not in repr(found)
    assert "9000" not in repr(found)
