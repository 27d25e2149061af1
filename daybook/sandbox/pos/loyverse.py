"""Loyverse's API: receipts, stores and payment types, with its wall after 31 days."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox.http import json_reply
from daybook.sandbox.pos.feed import BadCursor, Entry, Query, instant, joined, written
from daybook.sandbox.pos.sales import ZERO
from daybook.sandbox.routing import JSON, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from daybook.sandbox.http import Request
    from daybook.sandbox.pos.feed import Feed
    from daybook.sandbox.pos.sales import Sale, SoldLine, Version
    from daybook.sandbox.pos.shops import Shop

PREFIX = "/v1.0"
TOKEN = "loyverse-sandbox-token"  # noqa: S105  the sandbox's own, worth nothing
LIMIT_DEFAULT, LIMIT_MAX = 50, 250
HISTORY = timedelta(days=31)
KNOWN = {
    "store_id", "created_at_min", "created_at_max", "updated_at_min", "updated_at_max", "limit",
    "cursor",
}  # fmt: skip
_encode = msgspec.json.Encoder(decimal_format="number").encode


def entries(sale: Sale) -> Iterator[Entry]:
    """Every version of a receipt."""
    for version in sale.versions:
        yield Entry(
            id=sale.id,
            place=sale.shop.id,
            created_at=sale.recorded_at,
            updated_at=version.updated_at,
            body=_encode(_receipt(sale, version)),
        )


def _receipt(sale: Sale, version: Version) -> dict[str, object]:
    discount = sum((line.discount for line in sale.lines), ZERO)
    return {
        "receipt_number": sale.id,
        "note": None,
        "receipt_type": "REFUND" if sale.is_refund else "SALE",
        "refund_for": sale.refund_of or None,
        "order": None,
        "created_at": written(sale.recorded_at),
        "updated_at": written(version.updated_at),
        "receipt_date": written(sale.sold_at),
        "cancelled_at": written(version.updated_at) if version.status == "voided" else None,
        "source": "point of sale",
        "total_money": sale.total - sale.points,
        "total_tax": sale.tax,
        "total_discount": discount,
        "tip": sale.tip,
        "surcharge": sale.surcharge,
        "points_earned": ZERO,
        "points_deducted": sale.points,
        "points_balance": ZERO,
        "store_id": sale.shop.id,
        "dining_option": None,
        "line_items": [_line(line, number) for number, line in enumerate(sale.lines)],
        "payments": [
            {
                "payment_type_id": f"{sale.shop.id}-{paid.tender}",
                "name": paid.tender,
                "type": "CASH" if paid.tender == "Cash" else "NONINTEGRATEDCARD",
                "money_amount": paid.amount,
                "paid_at": written(sale.sold_at),
                "payment_details": None,
            }
            for paid in sale.tenders
        ],
    }


def _line(line: SoldLine, number: int) -> dict[str, object]:
    return {
        "id": str(number),
        "item_name": line.item.name,
        "variant_name": None,
        "sku": line.item.name[:6],
        "quantity": line.quantity,
        "price": line.item.price,
        "gross_total_money": line.gross,
        "total_money": line.total,
        "cost": ZERO,
        "cost_total": ZERO,
        "total_discount": line.discount,
        "line_note": None,
        "line_taxes": [
            {
                "id": tax.label,
                "type": "INCLUDED" if tax.is_inclusive else "ADDED",
                "name": tax.name,
                "rate": Decimal(tax.percentage),
                "money_amount": amount,
            }
            for tax, amount in line.taxes
        ],
        "line_discounts": [],
        "line_modifiers": [],
    }


class Loyverse:
    """Answers calls for the shops it is given."""

    def __init__(self, shops: tuple[Shop, ...], receipts: Feed, *, is_unlimited: bool) -> None:
        """Remember what to answer from."""
        self._shops = shops
        self._receipts = receipts
        self._is_unlimited = is_unlimited

    def answer(self, request: Request, now: datetime) -> Reply:
        """Answer one call."""
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _refused(401, "UNAUTHORIZED", "The access token is not known.")
        if request.method != "GET":
            return _refused(405, "METHOD_NOT_ALLOWED", "Only reading is simulated.")
        path = request.path[len(PREFIX) :].rstrip("/")
        if path == "/receipts":
            return self._list(request, now)
        if path == "/stores":
            return json_reply(
                {"stores": [{"id": shop.id, "name": shop.name} for shop in self._shops]}
            )
        if path == "/payment_types":
            return json_reply({"payment_types": self._payment_types()})
        return _refused(404, "NOT_FOUND", f"There is no {request.path}.")

    def _payment_types(self) -> list[dict[str, object]]:
        return [
            {"id": f"{shop.id}-{name}", "name": name, "stores": [shop.id]}
            for shop in self._shops
            for name in shop.tenders
        ]

    def _list(self, request: Request, now: datetime) -> Reply:
        given = request.query()
        unknown = given.keys() - KNOWN
        if unknown:
            return _refused(400, "BAD_REQUEST", f"Not simulated: {', '.join(sorted(unknown))}.")
        try:
            limit = int(given.get("limit", LIMIT_DEFAULT))
            times = {
                name: instant(given[name]) for name in given if name.endswith(("_min", "_max"))
            }
        except ValueError as error:
            return _refused(400, "INVALID_VALUE", str(error))
        if not 1 <= limit <= LIMIT_MAX:
            return _refused(400, "INVALID_RANGE", f"limit is 1 to {LIMIT_MAX}.")
        wall = now - HISTORY
        asked = [at for name, at in times.items() if name.endswith("_min")]
        if not self._is_unlimited and any(at < wall for at in asked):
            return _refused(402, "PAYMENT_REQUIRED", "Only the last 31 days are part of the plan.")
        text = "&".join(
            f"{name}={given[name]}" for name in sorted(given.keys() - {"limit", "cursor"})
        )

        def keep(entry: Entry) -> bool:
            return (
                given.get("store_id", entry.place) == entry.place
                and (self._is_unlimited or entry.created_at >= wall)
                and times.get("created_at_min", entry.created_at) <= entry.created_at
                and entry.created_at <= times.get("created_at_max", entry.created_at)
                and times.get("updated_at_min", entry.updated_at) <= entry.updated_at
                and entry.updated_at <= times.get("updated_at_max", entry.updated_at)
            )

        query = Query(text, keep, lambda entry: entry.created_at, is_descending=True)
        try:
            bodies, cursor = self._receipts.page(query, now, limit, given.get("cursor", ""))
        except BadCursor:
            return _refused(400, "INVALID_CURSOR", "The cursor is not one of this query.")
        return Reply(200, joined("receipts", bodies, cursor), JSON)


def _refused(status: int, code: str, details: str) -> Reply:
    return json_reply({"errors": [{"code": code, "details": details}]}, status)
