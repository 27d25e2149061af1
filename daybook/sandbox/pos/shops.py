"""The shops of the sandbox's points of sale: where, in what money, selling what, how taxed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Literal

Vendor = Literal["square", "loyverse"]
GIFT_CARD = "Gift card"


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax by its name at the till; its percentage is text as the vendor shows it."""

    name: str
    percentage: str
    is_inclusive: bool

    @property
    def label(self) -> str:
        """Name and rate."""
        return f"{self.name} {self.percentage}%"


@dataclass(frozen=True, slots=True)
class Item:
    """Something sold."""

    name: str
    category: str
    price: Decimal
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True, slots=True)
class Shop:
    """One place; `rounding` is how its till rounds discounts and taxes to `places`."""

    id: str
    vendor: Vendor
    name: str
    time_zone: str
    currency: str
    catalogue: tuple[Item, ...]
    tenders: tuple[str, ...]
    cutoff: time = time(0)
    places: int = 2
    rounding: str = ROUND_HALF_UP
    service_percentage: str = ""
    service_taxes: tuple[Tax, ...] = ()
    surcharge_percentage: str = ""
    has_tips: bool = False
    cash_step: Decimal | None = None
    has_points: bool = False

    def rounded(self, amount: Decimal) -> Decimal:
        """The amount as the till shows it."""
        return amount.quantize(Decimal(1).scaleb(-self.places), rounding=self.rounding)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to generate: how many days from when, how busy, and the seed of all chances."""

    seed: int
    first_date: str
    day_count: int
    receipts_per_day: int
    shops: tuple[Shop, ...] = field(default=())


def _items(rows: tuple[tuple[str, str, str, tuple[Tax, ...]], ...]) -> tuple[Item, ...]:
    return tuple(
        Item(name, category, Decimal(price), taxes) for name, category, price, taxes in rows
    )


_STATE = Tax("State tax", "4", is_inclusive=False)
_CITY = Tax("City tax", "4.875", is_inclusive=False)
_GST_AU = Tax("GST", "10", is_inclusive=True)
_FREE_AU = Tax("GST free", "0", is_inclusive=True)
_JP_10 = Tax("Consumption tax", "10", is_inclusive=True)
_JP_8 = Tax("Consumption tax", "8", is_inclusive=True)
_SST = Tax("Service tax", "6", is_inclusive=False)
_IVA_23 = Tax("IVA", "23", is_inclusive=True)
_IVA_13 = Tax("IVA", "13", is_inclusive=True)
_GST_NZ = Tax("GST", "15", is_inclusive=True)

NEW_YORK = Shop(
    id="LNYC0001",
    vendor="square",
    name="Bleecker Street",
    time_zone="America/New_York",
    currency="USD",
    cutoff=time(4),
    rounding=ROUND_HALF_EVEN,
    has_tips=True,
    service_percentage="18",
    service_taxes=(_STATE, _CITY),
    tenders=("CARD", "CASH", "WALLET", "SQUARE_GIFT_CARD", "OTHER"),
    catalogue=_items(
        (
            ("Flat white", "Coffee", "4.75", (_STATE, _CITY)),
            ("Pastrami sandwich", "Food", "14.35", (_STATE, _CITY)),
            ("Bottle of wine", "Wine", "38.99", (_STATE, _CITY)),
            ("Bag of beans", "Retail", "17.49", ()),
            (GIFT_CARD, "Gift cards sold", "25.00", ()),
        )
    ),
)
SYDNEY = Shop(
    id="LSYD0001",
    vendor="square",
    name="Crown Street",
    time_zone="Australia/Sydney",
    currency="AUD",
    cash_step=Decimal("0.05"),
    tenders=("CARD", "CASH", "BUY_NOW_PAY_LATER"),
    catalogue=_items(
        (
            ("Long black", "Coffee", "4.80", (_GST_AU,)),
            ("Sourdough", "Groceries", "9.53", (_FREE_AU,)),
            ("Banh mi", "Food", "12.97", (_GST_AU,)),
            (GIFT_CARD, "Gift cards sold", "50.00", ()),
        )
    ),
)
TOKYO = Shop(
    id="LTYO0001",
    vendor="square",
    name="Shimokitazawa",
    time_zone="Asia/Tokyo",
    currency="JPY",
    places=0,
    rounding=ROUND_DOWN,
    tenders=("CARD", "CASH", "WALLET"),
    catalogue=_items(
        (
            ("Hand drip", "Coffee", "550", (_JP_10,)),
            ("Beans to go", "Retail", "1480", (_JP_8,)),
            ("Toast set", "Food", "780", (_JP_10,)),
        )
    ),
)
KUALA_LUMPUR = Shop(
    id="0f1e6c1a-0000-4000-a000-00000000000a",
    vendor="loyverse",
    name="Petaling Street",
    time_zone="Asia/Kuala_Lumpur",
    currency="MYR",
    cutoff=time(5),
    surcharge_percentage="1.5",
    has_points=True,
    tenders=("Cash", "Card", "DuitNow QR"),
    catalogue=_items(
        (
            ("Kopi O", "Drinks", "2.30", (_SST,)),
            ("Nasi lemak", "Food", "8.75", (_SST,)),
            ("Kaya jar", "Retail", "12.90", ()),
        )
    ),
)
LISBON = Shop(
    id="0f1e6c1a-0000-4000-a000-00000000000b",
    vendor="loyverse",
    name="Rua Augusta",
    time_zone="Europe/Lisbon",
    currency="EUR",
    rounding=ROUND_HALF_EVEN,
    has_tips=True,
    tenders=("Cash", "Multibanco", "MB WAY"),
    catalogue=_items(
        (
            ("Bica", "Drinks", "0.95", (_IVA_13,)),
            ("Pastel de nata", "Food", "1.35", (_IVA_13,)),
            ("Porto", "Alcohol", "6.49", (_IVA_23,)),
        )
    ),
)
AUCKLAND = Shop(
    id="0f1e6c1a-0000-4000-a000-00000000000c",
    vendor="loyverse",
    name="Ponsonby Road",
    time_zone="Pacific/Auckland",
    currency="NZD",
    rounding=ROUND_DOWN,
    tenders=("Cash", "EFTPOS"),
    catalogue=_items(
        (
            ("Mochaccino", "Drinks", "5.30", (_GST_NZ,)),
            ("Mince pie", "Food", "7.15", (_GST_NZ,)),
        )
    ),
)
SHOPS = (NEW_YORK, SYDNEY, TOKYO, KUALA_LUMPUR, LISBON, AUCKLAND)
