"""Syncs expenses with their receipts into a sandbox of its own, and counts the calls.

`sys.argv`: the database's address, how many expenses, and the probability of each kind of fault.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import TYPE_CHECKING, Any

from expense_check import assert_books
from expense_place import connected_expenses

from daybook.expenses.backoff import RetryPolicy
from daybook.ledger import migrate
from daybook.ledger.engine import open_engine

if TYPE_CHECKING:
    from expense_place import ExpensePlace

FAULTS = ("lost_reply", "lost_request", "server_error")
PATHS = ("/BankTransactions", "*/Attachments/*")
AT_ONCE = RetryPolicy(attempts_max=20, first_wait=dt.timedelta(0))


def main(database_url: str, expense_count: int, probability: float) -> None:
    """Print one JSON object."""
    engine = open_engine(database_url)
    migrate.upgrade(engine)
    engine.dispose()
    with connected_expenses(database_url) as place:
        world = place.world(
            transaction_count=expense_count,
            refund_share=0,
            receipt_share=0.9,
            second_receipt_share=0.33,
            broken_share=0.03,
            many_share=0.02,
        )
        place.extract()
        before = len(requests(place))
        if probability:
            for path in PATHS:
                for fault in FAULTS:
                    match = {"method": "PUT", "path": path}
                    place.fault(match=match, probability=probability, fault=fault)
        place.sync()
        place.attach(AT_ONCE)
        if probability:
            place.attach(AT_ONCE)
        made = requests(place)[before:]
        arrived = assert_books(place, world)
    struck = sum(1 for one in made if one["fault"])
    lists = sum(1 for one in made if one["method"] == "GET" and "/Attachments" in one["path"])
    print(  # noqa: T201 - the answer to the bench
        json.dumps(
            {
                "calls": len(made),
                "struck": struck,
                "lists": lists,
                "receipts": len(world["receipts"]),
                "uploads": arrived.file_count,
            }
        )
    )


def requests(place: ExpensePlace) -> list[dict[str, Any]]:
    """The calls that Xero's API has seen."""
    asked = {"path": "/api.xro/", "limit": "100000"}
    rows = place.control.get("/_sandbox/requests", params=asked).json()["requests"]
    found: list[dict[str, Any]] = [one for one in rows if "/api.xro/" in one["path"]]
    return found


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
