"""One order of every kind, and the lines and tenders it must become, worked out by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from daybook.pos.api_pages import ReadOptions
from daybook.pos.square_orders import Order, OrderParts, Parts, Refund, Unreadable, is_receipt

Json = dict[str, Any]

GST = {"uid": "t1", "name": "GST", "percentage": "10"}
CITY = {"uid": "t2", "name": "City", "percentage": "4.875"}


def money(amount: int) -> Json:
    """Minor units of Australian dollars."""
    return {"amount": amount, "currency": "AUD"}


def line(total: int, tax: int = 0, taxes: tuple[str, ...] = (), **more: object) -> Json:
    """A line; `total` is with tax and after discount."""
    return {
        "name": "Long black",
        "item_type": "ITEM",
        "total_money": money(total),
        "total_tax_money": money(tax),
        "applied_taxes": [{"tax_uid": uid} for uid in taxes],
    } | more


def tender(amount: int, kind: str = "CASH", **more: object) -> Json:
    """A tender, its tip included."""
    return {"type": kind, "amount_money": money(amount)} | more


def sale(lines: list[Json], tenders: list[Json], total: int, tax: int = 0, **more: object) -> Json:
    """A completed order that says what it comes to."""
    return {
        "id": "O1",
        "location_id": "L1",
        "state": "COMPLETED",
        "created_at": "2025-03-15T01:00:00Z",
        "updated_at": "2025-03-15T01:00:00Z",
        "taxes": [GST, CITY],
        "line_items": lines,
        "tenders": tenders,
        "total_money": money(total),
        "total_tax_money": money(tax),
    } | more


def giving_back(lines: list[Json], total: int, tax: int = 0, **more: object) -> Json:
    """An order that returns lines of an earlier one."""
    order = sale([], [], 0)
    del order["total_money"], order["line_items"], order["tenders"]
    amounts = {"total_money": money(total), "tax_money": money(tax)}
    returns = [{"source_order_id": "O0", "return_line_items": lines, "return_taxes": [GST]}]
    return order | {"taxes": [], "returns": returns, "return_amounts": amounts} | more


def refund(amount: int, status: str = "COMPLETED", to: str | None = "CASH", **more: object) -> Json:
    """Money that went back."""
    return {
        "id": "R1",
        "status": status,
        "created_at": "2025-03-15T01:00:00Z",
        "amount_money": money(amount),
        "destination_type": to,
    } | more


def parts(order: Json, *refunds: Json, **options: Any) -> OrderParts:  # noqa: ANN401 - as given
    """The order, taken apart."""
    found = msgspec.convert(list(refunds), list[Refund])
    return Parts(ReadOptions(**options)).of(msgspec.convert(order, Order), found)


def test_tax_in_the_price_and_on_top_are_read_alike() -> None:
    """11.00 with 1.00 in it, and 10.00 with 0.49 on top: net is total less tax."""
    found = parts(
        sale([line(1100, 100, ("t1",)), line(1049, 49, ("t2",))], [tender(2149)], 2149, 149)
    )
    assert [
        ("Sales", "GST 10%", 1000, 100, 0),
        ("Sales", "City 4.875%", 1000, 49, 0),
    ] == found.lines
    assert ([("CASH", 2149)], False, "AUD") == (found.tenders, found.is_refund, found.currency)


def test_several_taxes_of_a_line_are_named_together() -> None:
    """In the order of their names, whatever order the line lists them in."""
    for taxes in (("t1", "t2"), ("t2", "t1")):
        found = parts(sale([line(1149, 149, taxes)], [tender(1149)], 1149, 149))
        assert [("Sales", "City 4.875% + GST 10%", 1000, 149, 0)] == found.lines


def test_a_zero_rate_is_a_tax_code_of_its_own() -> None:
    """Zero-rated is not the same as without tax."""
    free = {"uid": "t0", "name": "GST", "percentage": "0"}
    lines = [line(953, 0, ("t0",)), line(100)]
    found = parts(sale(lines, [tender(1053)], 1053, taxes=[free]))
    assert ["GST 0%", "No tax"] == [row[1] for row in found.lines]


def test_discounts_are_told_and_not_taken_twice() -> None:
    """The line's total is after its discount of 0.33."""
    found = parts(sale([line(967, total_discount_money=money(33))], [tender(967)], 967))
    assert [("Sales", "No tax", 967, 0, 33)] == found.lines


def test_a_tip_inside_a_tender_has_a_line() -> None:
    """12.00 on the card hold 2.00 of tip: lines and tenders both come to 12.00."""
    card = tender(1200, "CARD", tip_money=money(200), card_details={"status": "CAPTURED"})
    found = parts(sale([line(1000)], [card], 1200, total_tip_money=money(200)))
    assert [("Sales", "No tax", 1000, 0, 0), ("Tips", "No tax", 200, 0, 0)] == found.lines
    assert [("CARD", 1200)] == found.tenders


def test_charges_and_rounding_have_lines() -> None:
    """10.00 of goods, 1.00 service and 0.10 tax on it, 0.50 gratuity, 0.02 rounded off: 11.58."""
    service = {
        "name": "Service",
        "type": "CUSTOM",
        "calculation_phase": "SUBTOTAL_PHASE",
        "total_money": money(110),
        "total_tax_money": money(10),
        "applied_taxes": [{"tax_uid": "t1"}],
    }
    gratuity = {"name": "Large party", "type": "AUTO_GRATUITY", "total_money": money(50)}
    order = sale(
        [line(1000)],
        [tender(1158)],
        1158,
        10,
        service_charges=[service, gratuity],
        rounding_adjustment={"amount_money": money(-2)},
    )
    assert [
        ("Sales", "No tax", 1000, 0, 0),
        ("Service charge", "GST 10%", 100, 10, 0),
        ("Auto gratuity", "No tax", 50, 0, 0),
        ("Rounding", "No tax", -2, 0, 0),
    ] == parts(order).lines


def test_an_apportioned_charge_is_taken_out_of_its_line_once() -> None:
    """12.10 of a line hold 1.00 service and 1.10 tax; the order's own entry is not added again."""
    charge = {"type": "CUSTOM", "calculation_phase": "APPORTIONED_AMOUNT_PHASE"}
    order = sale(
        [line(1210, 110, ("t1",), total_service_charge_money=money(100))],
        [tender(1210)],
        1210,
        110,
        service_charges=[charge | {"total_money": money(100)}],
    )
    assert [
        ("Sales", "GST 10%", 1000, 110, 0),
        ("Service charge", "GST 10%", 100, 0, 0),
    ] == parts(order).lines


def test_gift_cards_are_no_revenue_and_pay_as_a_tender() -> None:
    """Sold they have their own category, whatever their name; redeemed they are a tender."""
    order = sale(
        [line(5000, item_type="GIFT_CARD"), line(480)],
        [tender(5000), tender(480, "SQUARE_GIFT_CARD")],
        5480,
    )
    found = parts(order, categories={"Long black": "Coffee"})
    assert [("Gift cards sold", 5000), ("Coffee", 480)] == [(row[0], row[2]) for row in found.lines]
    assert [("CASH", 5000), ("SQUARE_GIFT_CARD", 480)] == found.tenders


def test_tenders_that_took_nothing_are_left_out() -> None:
    """A drawer opened and a card that failed paid nothing."""
    tenders = [
        tender(0, "NO_SALE"),
        tender(500, "CARD", card_details={"status": "FAILED"}),
        tender(500, "CARD", card_details={"status": "VOIDED"}),
        tender(500),
    ]
    assert [("CASH", 500)] == parts(sale([line(500)], tenders, 500)).tenders


def test_a_return_is_negative_and_paid_by_its_refunds() -> None:
    """11.00 with 1.00 GST come back: two refunds, one still on its way; a failed one is none."""
    refunds = [
        refund(600, "COMPLETED", "CARD", id="R1"),
        refund(500, "PENDING", "EXTERNAL", id="R2"),
        refund(500, "FAILED", "CARD", id="R3"),
    ]
    item = line(1100, 100, ("t1",), total_discount_money=money(25))
    found = parts(giving_back([item], 1100, 100), *refunds)
    assert [("Sales", "GST 10%", -1000, -100, -25)] == found.lines
    assert [("CARD", -600), ("OTHER", -500)] == found.tenders
    assert (True, "AUD") == (found.is_refund, found.currency)


def test_a_refund_to_a_gift_card_is_that_tender() -> None:
    """Square calls its destination a card; the brand says which."""
    details = {"card_details": {"card": {"card_brand": "SQUARE_GIFT_CARD"}}}
    back = refund(500, to="CARD", destination_details=details)
    assert [("SQUARE_GIFT_CARD", -500)] == parts(giving_back([line(500)], 500), back).tenders


def test_returned_tips_rounding_and_charges_go_back_too() -> None:
    """5.00 goods, 1.00 tip, 0.50 service, 0.02 rounding up: 6.52 go back."""
    order = giving_back([line(500)], 652)
    order["return_amounts"]["tip_money"] = money(100)
    order["returns"][0] |= {
        "return_service_charges": [{"type": "CUSTOM", "total_money": money(50)}],
        "rounding_adjustment": {"amount_money": money(2)},
    }
    found = parts(order, refund(652))
    assert [("Sales", -500), ("Service charge", -50), ("Rounding", -2), ("Tips", -100)] == [
        (row[0], row[2]) for row in found.lines
    ]


@pytest.mark.parametrize(("sold", "is_refund"), [(800, False), (300, True)])
def test_an_exchange_is_one_receipt(sold: int, *, is_refund: bool) -> None:
    """5.00 come back while something else is sold; whether it is a refund, the money says."""
    order = giving_back([line(500)], 500) | {
        "line_items": [line(sold)],
        "total_money": money(sold),
        "tenders": [] if is_refund else [tender(sold - 500)],
    }
    refunds = [refund(500 - sold)] if is_refund else []
    found = parts(order, *refunds)
    assert [sold, -500] == [row[2] for row in found.lines]
    assert ([("CASH", sold - 500)], is_refund) == (found.tenders, found.is_refund)


@pytest.mark.parametrize(
    ("order", "column", "reason"),
    [
        (sale([line(500)], [tender(501)], 501), "total_money", "Square says 501, but the lines"),
        (
            sale([line(500, 45, ("t1",))], [], 500, 46),
            "total_tax_money",
            "Square says 46, but the lines come to 45, a difference of 1",
        ),
        (giving_back([line(500)], 499), "return_amounts", "Square says 499"),
        (giving_back([line(500)], 500), "returns", "Square lists no refund for it"),
        (sale([line(5, item_type="SUBSCRIPTION")], [], 5), "line_items", "'SUBSCRIPTION' is not"),
        (sale([line(5)], [tender(5, "SEASHELLS")], 5), "tenders", "'SEASHELLS' is not a known"),
        (
            sale([line(5)], [tender(5, "CARD", card_details={"status": "LOST"})], 5),
            "tenders",
            "'LOST' is not a known status",
        ),
        (
            sale([line(5)], [], 5, service_charges=[{"type": "LEVY", "name": "Levy"}]),
            "service_charges",
            "'LEVY' is not a known type of charge; give 'Levy' a category.",
        ),
        (sale([line(5, 1)], [], 5, 1), "applied_taxes", "A line has tax and does not say which."),
        (sale([line(5, 1, ("t9",))], [], 5, 1), "applied_taxes", "A line has a tax that the order"),
    ],
)
def test_what_is_not_known_is_said(order: Json, column: str, reason: str) -> None:
    """An order that cannot be read for certain is not read at all."""
    with pytest.raises(Unreadable) as caught:
        parts(order)
    assert column == caught.value.args[0]
    assert caught.value.args[1].startswith(reason)


@pytest.mark.parametrize(
    ("status", "to"), [("LOST", "CASH"), ("COMPLETED", "MOON"), ("PENDING", None)]
)
def test_unknown_refunds_are_said(status: str, to: str | None) -> None:
    """Neither a status nor a destination is guessed."""
    with pytest.raises(Unreadable, match="is not a known"):
        parts(giving_back([line(500)], 500), refund(500, status, to))


def test_a_named_charge_may_be_anything() -> None:
    """A category for its name makes a charge of any type known."""
    order = sale([], [tender(15)], 15, service_charges=[{"type": "LEVY", "name": "Card surcharge"}])
    order["service_charges"][0]["total_money"] = money(15)
    found = parts(order, categories={"Card surcharge": "Surcharge"})
    assert [("Surcharge", "No tax", 15, 0, 0)] == found.lines


def test_a_voided_order_need_not_come_to_anything() -> None:
    """It is counted and never summed, so its totals are not held against it."""
    assert [] == parts(sale([line(500)], [], 0, state="CANCELED")).tenders
    assert [] == parts(giving_back([line(500)], 0, state="CANCELED")).tenders


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (sale([line(5)], [], 5), True),
        (sale([line(5)], [], 5, state="CANCELED"), True),
        (sale([line(5)], [], 5, state="OPEN"), False),
        (sale([line(5)], [], 5, state="DRAFT"), False),
        (sale([], [tender(0, "NO_SALE")], 0), False),
        (sale([], [], 0), True),
        (sale([], [tender(0)], 0), True),
        (giving_back([line(5)], 5), True),
    ],
)
def test_what_counts_as_a_receipt(order: Json, *, expected: bool) -> None:
    """Final and voided orders do, open ones and drawers do not; a sale of nothing does."""
    assert expected == is_receipt(msgspec.convert(order, Order))


def test_an_unknown_state_is_said() -> None:
    """A new state of Square's is not taken for one we know."""
    with pytest.raises(Unreadable, match="'PARKED'"):
        is_receipt(msgspec.convert(sale([], [], 0, state="PARKED"), Order))
