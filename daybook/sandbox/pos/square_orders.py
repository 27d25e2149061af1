"""Sales as Square shows them: orders, payments and refunds in integer minor units."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox.pos.feed import Entry, written
from daybook.sandbox.pos.sales import ZERO
from daybook.sandbox.pos.shops import GIFT_CARD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from daybook.sandbox.pos.sales import Paid, Sale, SoldLine, Version
    from daybook.sandbox.pos.shops import Tax

Json = dict[str, object]
STATES = {"draft": "DRAFT", "open": "OPEN", "final": "COMPLETED", "voided": "CANCELED"}
DESTINATIONS = {"SQUARE_GIFT_CARD": "CARD", "OTHER": "EXTERNAL"}
_encode = msgspec.json.encode


def orders(sale: Sale) -> Iterator[Entry]:
    """Every version of a sale's order."""
    for version in sale.versions:
        is_closed = version.status in {"final", "voided"}
        yield Entry(
            id=sale.id,
            place=sale.shop.id,
            created_at=sale.versions[0].updated_at,
            updated_at=version.updated_at,
            body=_encode(_order(sale, version)),
            closed_at=sale.recorded_at if is_closed else None,
            state=STATES[version.status],
        )


def payments(sale: Sale) -> Iterator[Entry]:
    """The payments of a sale, from the moment it is final."""
    final = next((one for one in sale.versions if one.status == "final"), None)
    if final is None or sale.is_refund or sale.is_no_sale:
        return
    money = _money_of(sale)
    for number, paid in enumerate(sale.tenders):
        content: Json = {
            "id": f"{sale.id}-p{number}",
            "order_id": sale.id,
            "location_id": sale.shop.id,
            "created_at": written(sale.recorded_at),
            "updated_at": written(final.updated_at),
            "amount_money": money(paid.amount - paid.tip),
            "tip_money": money(paid.tip),
            "total_money": money(paid.amount),
            "status": "COMPLETED",
        }
        if sale.is_offline:
            content["is_offline_payment"] = True
            content["offline_payment_details"] = {"client_created_at": written(sale.sold_at)}
        yield Entry(
            id=f"{sale.id}-p{number}",
            place=sale.shop.id,
            created_at=sale.recorded_at,
            updated_at=final.updated_at,
            body=_encode(content),
            is_offline=sale.is_offline,
        )


def refunds(sale: Sale) -> Iterator[Entry]:
    """The refund of a return order: first pending, an hour later complete."""
    if not sale.is_refund or all(one.status != "final" for one in sale.versions):
        return
    money = _money_of(sale)
    (paid,) = sale.tenders
    brand = "SQUARE_GIFT_CARD" if paid.tender == "SQUARE_GIFT_CARD" else "VISA"
    destination = DESTINATIONS.get(paid.tender, paid.tender)
    for status, hours in (("PENDING", 0), ("COMPLETED", 1)):
        updated_at = sale.recorded_at + timedelta(hours=hours)
        content: Json = {
            "id": f"{sale.id}-r",
            "status": status,
            "location_id": sale.shop.id,
            "order_id": sale.id,
            "payment_id": f"{sale.refund_of}-p0",
            "amount_money": money(paid.amount),
            "destination_type": destination,
            "created_at": written(sale.recorded_at),
            "updated_at": written(updated_at),
        }
        if destination == "CARD":
            content["destination_details"] = {
                "card_details": {"card": {"card_brand": brand, "last_4": "1111"}}
            }
        yield Entry(
            id=f"{sale.id}-r",
            place=sale.shop.id,
            created_at=sale.recorded_at,
            updated_at=updated_at,
            body=_encode(content),
        )


def _money_of(sale: Sale) -> Callable[[Decimal], Json]:
    """Amounts as integers of the currency's smallest unit."""
    currency, places = sale.shop.currency, sale.shop.places

    def money(amount: Decimal) -> Json:
        return {"amount": int(amount.scaleb(places)), "currency": currency}

    return money


def _order(sale: Sale, version: Version) -> Json:
    money = _money_of(sale)
    content: Json = {
        "id": sale.id,
        "location_id": sale.shop.id,
        "source": {"name": "Square Point of Sale"},
        "state": STATES[version.status],
        "version": version.number,
        "created_at": written(sale.versions[0].updated_at),
        "updated_at": written(version.updated_at),
        "taxes": _taxes(sale),
    }
    if version.status in {"final", "voided"}:
        content["closed_at"] = written(sale.recorded_at)
    return content | (_returned(sale, money) if sale.is_refund else _sold(sale, version, money))


def _sold(sale: Sale, version: Version, money: Callable[[Decimal], Json]) -> Json:
    discount = sum((line.discount for line in sale.lines), ZERO)
    content: Json = {
        "line_items": [_line(line, number, money) for number, line in enumerate(sale.lines)],
        "total_money": money(sale.total),
        "total_tax_money": money(sale.tax),
        "total_discount_money": money(discount),
        "total_tip_money": money(sale.tip),
        "total_service_charge_money": money(sale.service.total if sale.service else ZERO),
    }
    if sale.service is not None:
        content["service_charges"] = [_service(sale.service, money)]
    if sale.rounding:
        content["rounding_adjustment"] = {
            "name": "Cash rounding",
            "amount_money": money(sale.rounding),
        }
    if sale.is_no_sale:
        content["tenders"] = [
            {"id": f"{sale.id}-t", "type": "NO_SALE", "amount_money": money(ZERO)}
        ]
    elif version.status == "final":
        content["tenders"] = [
            _tender(sale, paid, number, version) for number, paid in enumerate(sale.tenders)
        ]
    return content


def _returned(sale: Sale, money: Callable[[Decimal], Json]) -> Json:
    lines = [
        _line(line, number, money)
        | {"gross_return_money": money(line.gross), "source_line_item_uid": f"l{number}"}
        for number, line in enumerate(sale.lines)
    ]
    discount = sum((line.discount for line in sale.lines), ZERO)
    amounts = {
        "total_money": money(sale.total),
        "tax_money": money(sale.tax),
        "discount_money": money(discount),
        "tip_money": money(sale.tip),
        "service_charge_money": money(ZERO),
    }
    return {
        "returns": [
            {
                "uid": f"{sale.id}-return",
                "source_order_id": sale.refund_of,
                "return_line_items": lines,
                "return_taxes": _taxes(sale),
                "return_amounts": amounts,
            }
        ],
        "return_amounts": amounts,
        "total_money": None,
    }


def _uid(tax: Tax) -> str:
    return f"tax-{tax.name}-{tax.percentage}"


def _taxes(sale: Sale) -> list[Json]:
    lines = (*sale.lines, *((sale.service,) if sale.service else ()))
    distinct = {tax: None for line in lines for tax, _ in line.taxes}
    return [
        {
            "uid": _uid(tax),
            "name": tax.name,
            "percentage": tax.percentage,
            "type": "INCLUSIVE" if tax.is_inclusive else "ADDITIVE",
            "scope": "LINE_ITEM",
        }
        for tax in distinct
    ]


def _applied(line: SoldLine, money: Callable[[Decimal], Json]) -> list[Json]:
    return [
        {"uid": f"a-{number}", "tax_uid": _uid(tax), "applied_money": money(amount)}
        for number, (tax, amount) in enumerate(line.taxes)
    ]


def _line(line: SoldLine, number: int, money: Callable[[Decimal], Json]) -> Json:
    return {
        "uid": f"l{number}",
        "name": line.item.name,
        "quantity": str(line.quantity),
        "item_type": "GIFT_CARD" if line.item.name == GIFT_CARD else "ITEM",
        "base_price_money": money(line.item.price),
        "gross_sales_money": money(line.gross),
        "total_discount_money": money(line.discount),
        "total_tax_money": money(line.tax),
        "total_money": money(line.total),
        "applied_taxes": _applied(line, money),
    }


def _service(service: SoldLine, money: Callable[[Decimal], Json]) -> Json:
    return {
        "uid": "service",
        "name": "Service charge",
        "type": "CUSTOM",
        "calculation_phase": "SUBTOTAL_PHASE",
        "taxable": True,
        "applied_money": money(service.net),
        "total_tax_money": money(service.tax),
        "total_money": money(service.total),
        "applied_taxes": _applied(service, money),
    }


def _tender(sale: Sale, paid: Paid, number: int, version: Version) -> Json:
    money = _money_of(sale)
    content: Json = {
        "id": f"{sale.id}-t{number}",
        "payment_id": f"{sale.id}-p{number}",
        "type": paid.tender,
        "amount_money": money(paid.amount),
        "tip_money": money(paid.tip),
    }
    if version.number > 1:
        content["processing_fee_money"] = money(sale.shop.rounded(paid.amount / 50))
    if paid.tender == "CARD":
        content["card_details"] = {"status": "CAPTURED", "entry_method": "EMV"}
    return content
