"""Tickets to receipts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from daybook.pos.qashier_details import DetailsDay, Item, Ticket
from daybook.pos.qashier_receipt import Paid, SoldLine, SoldReceipt
from daybook.pos.qashier_tickets import is_explained, receipts_of, with_tenders

AT = dt.datetime(2026, 5, 2, 4, tzinfo=dt.UTC)
TICKET = Ticket(
    receipt_id_pos="R1",
    sold_at=AT,
    row_number=4,
    total_minor=1090,
    tax_minor=90,
    tender="Cash",
    is_voided=False,
    discount_minor=0,
    discount_percent=Decimal(0),
    items=(Item("teh", 600), Item("kaya", 400)),
)


def receipt(ticket: Ticket) -> SoldReceipt:
    """The receipt of one ticket; `teh` is in the category Tea."""
    (made,) = receipts_of(DetailsDay("GST", [ticket]), {"teh": "Tea"})
    return made


def test_prices_before_tax() -> None:
    """6.00 and 4.00 with 0.90 GST are 10.90; an unknown product is Sales."""
    assert is_explained(TICKET)
    expected = (SoldLine("Tea", "GST", 600, 54), SoldLine("Sales", "GST", 400, 36))
    assert expected == receipt(TICKET).lines
    assert (Paid("Cash", 1090),) == receipt(TICKET).tenders


def test_prices_with_tax_in_them() -> None:
    """6.54 and 4.36 are 10.90 already: the 0.90 in them are taken out."""
    ticket = replace(TICKET, items=(Item("teh", 654), Item("kaya", 436)))
    assert is_explained(ticket)
    assert receipt(TICKET).lines == receipt(ticket).lines


@pytest.mark.parametrize(
    ("dollars", "percent", "total"),
    [
        (100, "0", 900),  # 10.00 less 1.00
        (0, "12.5", 875),  # 10.00 less 1.25
        (100, "10", 800),  # 10.00 less 1.00 less 1.00
        (150, "10", 765),  # 10.00 less 1.50 is 8.50, less 0.85
        (100, "10", 1000),  # the items have it off already
    ],
)
def test_a_discount_of_the_whole_receipt_is_shared_out(
    dollars: int, percent: str, total: int
) -> None:
    """In proportion to the items, to the cent."""
    ticket = replace(
        TICKET,
        total_minor=total,
        tax_minor=0,
        discount_minor=dollars,
        discount_percent=Decimal(percent),
    )
    assert is_explained(ticket)
    made = receipt(ticket)
    assert total == made.total_minor
    assert round(total * 0.6) == made.lines[0].net_minor
    assert {"No tax"} == {line.tax_code for line in made.lines}


def test_a_service_charge_stands_in_no_column() -> None:
    """10.00, 1.00 service, 0.99 GST: nobody can tell what the 1.00 is."""
    assert not is_explained(replace(TICKET, total_minor=1199, tax_minor=99))


def test_a_sale_of_nothing_has_no_tender() -> None:
    """It is a sale all the same."""
    made = receipt(replace(TICKET, total_minor=0, tax_minor=0, items=(Item("teh", 0),)))
    assert ((SoldLine("Tea", "No tax", 0, 0),), ()) == (made.lines, made.tenders)


def test_items_that_cancel_out_are_kept() -> None:
    """An exchange: one back, another one out."""
    items = (Item("teh", 500), Item("kaya", -500))
    made = receipt(replace(TICKET, total_minor=0, tax_minor=0, items=items))
    assert [500, -500] == [line.net_minor for line in made.lines]


def test_a_voided_ticket_is_counted_and_nothing_else() -> None:
    """Its figures are none of the day's."""
    made = receipt(replace(TICKET, is_voided=True))
    assert (True, (), ()) == (made.is_voided, made.lines, made.tenders)


def paid(receipt_id: str, amount: int, tender: str) -> SoldReceipt:
    """A receipt with one tender."""
    return SoldReceipt(
        receipt_id, AT, (SoldLine("Tea", "No tax", amount),), (Paid(tender, amount),)
    )


def test_what_the_report_leaves_over_is_how_several_ways_were_paid() -> None:
    """Cash 15.00 and NETS 10.00 in all; 5.00 in cash and 20.00 split: 10.00 cash, 10.00 NETS."""
    receipts = [paid("R1", 500, "Cash"), paid("R2", 2000, "Multiple Methods")]
    split = with_tenders(receipts, [Paid("Cash", 1500), Paid("NETS", 1000)])
    assert split is not None
    assert [(Paid("Cash", 500),), (Paid("Cash", 1000), Paid("NETS", 1000))] == [
        one.tenders for one in split
    ]


def test_two_split_receipts_share_what_is_left_in_order() -> None:
    """Who paid which way is not known; the day's tenders are right."""
    receipts = [paid("R1", 700, "multiple methods"), paid("R2", 800, "Multiple Methods")]
    split = with_tenders(receipts, [Paid("Cash", 1000), Paid("NETS", 500)])
    assert split is not None
    assert [(Paid("Cash", 700),), (Paid("Cash", 300), Paid("NETS", 500))] == [
        one.tenders for one in split
    ]


@pytest.mark.parametrize(
    "reported",
    [
        [Paid("Cash", 400), Paid("NETS", 2100)],  # less cash than was paid by cash alone
        [Paid("Cash", 500), Paid("NETS", 1999)],  # a cent short
        [Paid("Cash", 500), Paid("NETS", 2001)],  # a cent over
    ],
)
def test_what_does_not_come_out_even_is_not_guessed(reported: list[Paid]) -> None:
    """Nothing is given to anybody then."""
    receipts = [paid("R1", 500, "Cash"), paid("R2", 2000, "Multiple Methods")]
    assert with_tenders(receipts, reported) is None
