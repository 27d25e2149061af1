"""Where the points of sale are found: their own paths, and `/_sandbox/pos` for tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox.http import json_reply
from daybook.sandbox.pos import loyverse, square, square_orders, totals
from daybook.sandbox.pos.feed import Feed
from daybook.sandbox.pos.sales import generate
from daybook.sandbox.pos.shops import SHOPS, Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from daybook.sandbox.http import Request
    from daybook.sandbox.pipeline import Trace
    from daybook.sandbox.pos.sales import Sale
    from daybook.sandbox.pos.shops import Shop
    from daybook.sandbox.routing import Reply
    from daybook.sandbox.simulation import Simulation

CONTROL = "/_sandbox/pos"
CHRONICLE = "tills"
VENDORS = ("square", "loyverse")
DAYS_DEFAULT, RECEIPTS_DEFAULT = 14, 40


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /_sandbox/pos/shops` takes; the dates end today unless said otherwise."""

    seed: int = 1
    first_date: date | None = None
    day_count: int = DAYS_DEFAULT
    receipts_per_day: int = RECEIPTS_DEFAULT
    shops: tuple[str, ...] = ()
    unlimited_history: bool = False

    def dated(self, today: date) -> Asked:
        """The same with its first date, so that it means the same shops tomorrow."""
        first = self.first_date or today - timedelta(days=self.day_count - 1)
        return msgspec.structs.replace(self, first_date=first)


class PosWorld:
    """The generated shops and the two APIs in front of them; made when first asked for."""

    def __init__(self, asked: Asked) -> None:
        """Remember the plan, which has a first date."""
        assert asked.first_date is not None
        self.shops = tuple(shop for shop in SHOPS if not asked.shops or shop.id in asked.shops)
        self.plan = Plan(
            asked.seed, asked.first_date.isoformat(), asked.day_count, asked.receipts_per_day
        )
        self._is_unlimited = asked.unlimited_history
        self._sales: dict[str, list[Sale]] = {}

    def of(self, vendor: str) -> tuple[Shop, ...]:
        """The shops with this vendor's tills."""
        return tuple(shop for shop in self.shops if shop.vendor == vendor)

    def sales(self, vendor: str) -> list[Sale]:
        """All sales on this vendor's tills."""
        if vendor not in self._sales:
            self._sales[vendor] = [
                sale for shop in self.of(vendor) for sale in generate(shop, self.plan)
            ]
        return self._sales[vendor]

    @cached_property
    def square(self) -> square.Square:
        """Square in front of its shops."""
        sales = self.sales("square")
        return square.Square(
            self.of("square"),
            orders=Feed(entry for sale in sales for entry in square_orders.orders(sale)),
            payments=Feed(entry for sale in sales for entry in square_orders.payments(sale)),
            refunds=Feed(entry for sale in sales for entry in square_orders.refunds(sale)),
        )

    @cached_property
    def loyverse(self) -> loyverse.Loyverse:
        """Loyverse in front of its shops."""
        receipts = Feed(
            entry for sale in self.sales("loyverse") for entry in loyverse.entries(sale)
        )
        return loyverse.Loyverse(self.of("loyverse"), receipts, is_unlimited=self._is_unlimited)

    def as_json(self) -> dict[str, object]:
        """What `GET /_sandbox/pos` answers."""
        return {
            "tokens": {"square": square.TOKEN, "loyverse": loyverse.TOKEN},
            "first_date": self.plan.first_date,
            "day_count": self.plan.day_count,
            "categories": {
                item.name: item.category for shop in self.shops for item in shop.catalogue
            },
            "shops": [
                {
                    "id": shop.id,
                    "vendor": shop.vendor,
                    "name": shop.name,
                    "time_zone": shop.time_zone,
                    "cutoff": shop.cutoff.isoformat(),
                    "currency": shop.currency,
                }
                for shop in self.shops
            ],
        }


@dataclass
class _Mall:
    """The shops that are served at the moment; a restart finds the same ones."""

    simulation: Simulation
    shops: PosWorld

    def answer_square(self, request: Request) -> Reply:
        return self.shops.square.answer(request, self.simulation.clock.now())

    def answer_loyverse(self, request: Request) -> Reply:
        return self.shops.loyverse.answer(request, self.simulation.clock.now())

    def control(self, request: Request) -> Reply:
        """Answer one control call."""
        now = self.simulation.clock.now()
        call = (request.method, request.path[len(CONTROL) :].strip("/"))
        if call == ("POST", "shops"):
            try:
                asked = msgspec.json.decode(request.body or b"{}", type=Asked)
            except msgspec.DecodeError as error:
                return json_reply({"error": str(error)}, 400)
            self.shops = _opened(self.simulation, asked)
            self.simulation.save()
        elif call == ("GET", "totals"):
            vendor = request.query().get("vendor", "")
            wanted = [name for name in VENDORS if vendor in {"", name}]
            sales = [sale for name in wanted for sale in self.shops.sales(name)]
            return json_reply({"totals": totals.expected(sales, now)})
        elif call != ("GET", ""):
            return json_reply({"error": f"No control call {request.method} {request.path}"}, 404)
        return json_reply(self.shops.as_json())


def _opened(simulation: Simulation, asked: Asked) -> PosWorld:
    """Make shops, and note how; the next call saves it."""
    dated = asked.dated(simulation.clock.now().date())
    simulation.chronicle.tell(CHRONICLE, dated, is_afresh=True)
    return PosWorld(dated)


def mount(
    world: Simulation,
    recorded: Callable[[str, list[str], Callable[[Request, Trace], Reply]], None],
    plain: Callable[[str, list[str] | None, Callable[[Request], Reply]], None],
) -> None:
    """Serve both APIs (logged, and open to faults) and their control calls beside Xero's."""
    noted = [msgspec.json.decode(event, type=Asked) for event in world.chronicle.of(CHRONICLE)]
    mall = _Mall(world, PosWorld(noted[-1]) if noted else _opened(world, Asked()))
    every = ["GET", "PUT", "POST", "DELETE", "PATCH"]
    recorded(square.PREFIX + "/{path:path}", every, lambda request, _: mall.answer_square(request))
    recorded(
        loyverse.PREFIX + "/{path:path}", every, lambda request, _: mall.answer_loyverse(request)
    )
    plain(CONTROL, ["GET"], mall.control)
    plain(CONTROL + "/{path:path}", ["GET", "POST"], mall.control)
