"""Generated accounts, cards, payments and receipts; the same seed gives the same ones."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

# Merchant, category, smallest and largest amount in cents.
_MERCHANTS = (
    ("Grab", "Transport", 650, 4_200),
    ("ComfortDelGro", "Transport", 700, 3_800),
    ("Ya Kun Kaya Toast", "Meals & Entertainment", 480, 2_900),
    ("Din Tai Fung", "Meals & Entertainment", 3_200, 24_000),
    ("NTUC FairPrice", "Office Supplies", 900, 12_000),
    ("Popular Bookstore", "Office Supplies", 500, 8_800),
    ("Amazon Web Services", "Software", 2_000, 180_000),
    ("Figma", "Software", 1_500, 9_000),
    ("Meta Ads", "Marketing", 5_000, 250_000),
    ("Singapore Airlines", "Travel", 18_000, 320_000),
    ("Hotel G", "Travel", 14_000, 68_000),
    ("SP Services", "Utilities", 6_000, 90_000),
    ("Singtel", "Utilities", 2_500, 18_000),
    ("Lalamove", "Delivery", 900, 6_500),
)
ACCOUNTS = (
    {"id": "acc-sgd", "name": "SGD account", "currency_code": "SGD", "status": "active"},
    {"id": "acc-usd", "name": "USD account", "currency_code": "USD", "status": "active"},
)


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /_sandbox/aspire/world` takes; the dates end today unless said otherwise."""

    seed: int = 1
    transaction_count: int = 120
    first_date: date | None = None
    day_count: int = 30
    usd_share: float = 0.0
    pending_share: float = 0.05
    refund_share: float = 0.03
    receipt_share: float = 0.9
    second_receipt_share: float = 0.3
    large_share: float = 0.0
    broken_share: float = 0.0
    many_share: float = 0.0

    def dated(self, today: date) -> Asked:
        """The same with its first date, so that it means the same payments tomorrow."""
        first = self.first_date or today - timedelta(days=self.day_count - 1)
        return msgspec.structs.replace(self, first_date=first)


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """A receipt's file: given bytes, or what to draw when it is asked for."""

    key: str
    transaction_id: str
    name: str
    style: str
    lines: tuple[str, ...] = ()
    content: bytes | None = None


@dataclass
class AspireWorld:
    """Everything that the API shows; transactions by id in the order of their time."""

    transactions: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipts: dict[str, ReceiptFile] = field(default_factory=dict)
    tokens: dict[str, datetime] = field(default_factory=dict)

    def add_receipt(self, transaction_id: str, name: str, content: bytes) -> ReceiptFile:
        """Attach a file that a person uploaded later."""
        key = hashlib.sha256(transaction_id.encode() + name.encode() + content).hexdigest()[:24]
        self.receipts[key] = ReceiptFile(key, transaction_id, name, "given", content=content)
        return self.receipts[key]


def generate(asked: Asked) -> AspireWorld:
    """Make a world from its first date on."""
    assert asked.first_date is not None
    world = AspireWorld()
    dice = random.Random(asked.seed)  # noqa: S311  reproducible on purpose
    minutes = sorted(
        dice.randrange(asked.day_count * 24 * 60) for _ in range(asked.transaction_count)
    )
    balance = 50_000_000
    for number, minute in enumerate(minutes, start=1):
        moment = datetime.combine(asked.first_date, time(), tzinfo=UTC) + timedelta(minutes=minute)
        transaction = _transaction(asked, dice, number, moment)
        balance += transaction["amount"]
        transaction["balance"] = balance
        world.transactions[transaction["id"]] = transaction
        if transaction["amount"] < 0 and dice.random() < asked.receipt_share:
            for file in _receipts(asked, dice, transaction):
                world.receipts[file.key] = file
    return world


def _transaction(
    asked: Asked, dice: random.Random, number: int, moment: datetime
) -> dict[str, Any]:
    merchant, category, low, high = dice.choice(_MERCHANTS)
    is_refund = dice.random() < asked.refund_share
    is_pending = dice.random() < asked.pending_share
    account = ACCOUNTS[1] if dice.random() < asked.usd_share else ACCOUNTS[0]
    amount = dice.randrange(low, high)
    return {
        "id": str(_guid(asked.seed, number)),
        "account_id": account["id"],
        "datetime": moment.isoformat().replace("+00:00", "Z"),
        "amount": amount if is_refund else -amount,
        "currency_code": account["currency_code"],
        "type": "credit" if is_refund else "debit",
        "status": "pending" if is_pending else "settled",
        "channel": "card",
        "reference": f"CARD {number:06}",
        "ref_code": f"TX{asked.seed:02}{number:08}",
        "counterparty_name": merchant,
        "balance": 0,
        "additional_info": {
            "spend_category": category,
            "card_number": f"•••• {dice.choice(('4417', '9032', '1180'))}",
        },
    }


def _guid(seed: int, number: int) -> str:
    digest = hashlib.sha256(f"aspire {seed} {number}".encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))


def _receipts(asked: Asked, dice: random.Random, transaction: dict[str, Any]) -> list[ReceiptFile]:
    count = 2 if dice.random() < asked.second_receipt_share else 1
    if dice.random() < asked.many_share:
        count = 12
    found = []
    for number in range(1, count + 1):
        draw = dice.random()
        style = "large" if draw < asked.large_share else dice.choice(("photo", "scan"))
        if draw > 1 - asked.broken_share:
            style = "broken"
        extension = {"photo": "jpg", "scan": "png", "large": "jpg", "broken": "pdf"}[style]
        key = hashlib.sha256(f"{transaction['id']} {number}".encode()).hexdigest()[:24]
        lines = (
            transaction["counterparty_name"],
            transaction["datetime"][:10],
            f"{transaction['currency_code']} {-transaction['amount'] / 100:.2f}",
            f"Receipt {number} of {count}",
        )
        name = f"{transaction['counterparty_name']} {number}.{extension}"
        found.append(ReceiptFile(key, transaction["id"], name, style, lines))
    return found
