"""A thousand expenses through the flows while Xero fails at random, alone in its process.

    python thousand_expenses.py <database's address> <folder>

Alone, so that what it says of its memory is its own: its children make receipts fit, and the
sandbox, which keeps every file, is part of it. Prefect's server is another's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from expense_check import assert_books
from hurried_clock import HurriedClock
from memory_watch import watched_memory
from sqlalchemy import text
from wired_expenses import recent_world, wired_expenses

from daybook import wiring
from flows.attachments import attachments
from flows.expenses import expenses

if TYPE_CHECKING:
    from expense_place import ExpensePlace

HOURS_MAX = 48


def main(database_url: str, home: Path) -> None:
    """One run of the expenses flow, then the hourly one until nothing is due; prints one object."""
    clock = HurriedClock()
    with wired_expenses(database_url, home, clock) as (place, wired):
        wiring.shared = lambda: wired  # type: ignore[assignment] # every step asks for it
        world = recent_world(
            place,
            transaction_count=1000,
            receipt_share=0.95,
            second_receipt_share=0.33,
            large_share=0.1,
            broken_share=0.03,
            many_share=0.02,
        )
        for path, probability in (("/BankTransactions", 0.1), ("*/Attachments/*", 0.02)):
            for fault in ("lost_reply", "lost_request", "server_error"):
                match = {"method": "PUT", "path": path}
                place.fault(match=match, probability=probability, fault=fault)
        with watched_memory() as peak:
            states = [expenses(auto=True, return_state=True).name]
            while waiting_count(place) and len(states) <= HOURS_MAX:
                clock.sleep(3600)
                states.append(attachments(return_state=True).name)
        arrived = assert_books(place, world)
    measured = {
        "states": states,
        "receipts": len(world["receipts"]),
        "documents": arrived.document_count,
        "given_up": arrived.given_up_count,
        "peak_mib": peak.byte_count / 2**20,
    }
    sys.stdout.write(json.dumps(measured) + "\n")


def waiting_count(place: ExpensePlace) -> int:
    """How many receipts are still to be attached, or to be given up."""
    with place.engine.connect() as connection:
        states = connection.execute(text("SELECT state FROM expense_attachments")).scalars().all()
    return sum(state not in ("uploaded", "given_up") for state in states)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
