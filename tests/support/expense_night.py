"""A card account's expenses with known books: what must be in Xero after it, receipts included."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
from kopi_corner import ORGANISATION
from kopi_night import Night, opened, sent_wrongly
from loader_expenses import SOURCE
from sqlalchemy import text

from daybook.clock import SystemClock
from daybook.expenses.expense import AttachmentRef, Expense, SourceStatus
from daybook.jobs.connect import client_of
from daybook.jobs.load_expense_mapping import load_expense_mapping
from daybook.ledger.expenses import FoundExpense, write_found
from daybook.ledger.organisations import read_organisations
from daybook.xero.attachments import attached_files
from daybook.xero.client import open_http

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

FIRST_DATE = dt.date(2026, 3, 1)
MAPPING = f"""
organisation = "{ORGANISATION}"
effective_date = 2026-01-01
contact = "Card expenses"
[accounts."{SOURCE}:corporate"]
bank_account = "095"
country = "SG"
start_date = 2026-01-01
[categories.Travel]
account = "493"
tax_type = "NONE"
"""
# Those that hang on documents: emptied with them, and filled again from a copy.
_TABLES = ("expenses", "expense_events", "expense_attachments")


@dataclass
class ExpenseNight(Night):
    """Expenses, every third of them a refund, with their receipts in a folder."""

    found: list[FoundExpense] = field(default_factory=list)

    def organisation(self, name: str) -> dict[str, Any]:
        """An organisation with the card's account."""
        card = {"code": "095", "name": "Card", "type": "BANK", "currency_code": "NZD"}
        return {"name": name, "country": "NZ", "currency": "NZD", "accounts": [card]}

    def prepare(self) -> None:
        """Load the mapping, store the expenses, and keep a copy of them as they are new."""
        clock = SystemClock()
        load_expense_mapping(self.engine, MAPPING, "expenses.toml", loaded_by="test", clock=clock)
        with self.engine.begin() as connection:
            write_found(connection, self.found, actor="test", now_at=clock.now())
            for table in _TABLES:
                connection.execute(text(f"CREATE TABLE new_{table} AS TABLE {table}"))

    def empty(self, connection: Connection) -> None:
        """Leave the expenses as they were when they were new."""
        for table in reversed(_TABLES):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - of ours
        super().empty(connection)
        for table in _TABLES:
            copied = f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM new_{table}"  # noqa: S608 - of ours
            connection.execute(text(copied))

    def problems(self) -> list[str]:
        """Everything that is not as it must be; nothing, if the loader is right."""
        answer = self.control.get("/_sandbox/books", params={"tenant_id": self.tenant_id})
        rows = answer.raise_for_status().json()["bank_transactions"]
        there = Counter(
            (row["type"], row["reference"], row["total"], row["date"])
            for row in rows
            if row["status"] != "DELETED"
        )
        wanted = Counter(_row_of(one.expense) for one in self.found)
        problems = [f"missing: {one}" for one in (wanted - there).elements()]
        problems += [f"too many: {one}" for one in (there - wanted).elements()]
        files = {f"DB-EXP-{one.expense.expense_id}": len(one.attachments) for one in self.found}
        with (
            open_http(httpx.HTTPTransport(verify=False)) as http,
            self.engine.connect() as connection,
        ):
            stages = connection.execute(text("SELECT DISTINCT stage FROM expenses")).scalars()
            problems += [f"an expense is {one}" for one in stages if one != "synced"]
            states = connection.execute(
                text("SELECT DISTINCT state FROM expense_attachments")
            ).scalars()
            problems += [f"a receipt is {one}" for one in states if one != "uploaded"]
            ours = next(
                one for one in read_organisations(connection).values() if one.name == ORGANISATION
            )
            client = client_of(self.access(http), ours.connection_id, self.tenant_id)
            for row in rows:
                names = [one.name for one in attached_files(client, row["id"])]
                if len(names) != len(set(names)) or len(names) != files[row["reference"]]:
                    problems.append(f"{row['reference']} has the files {names}")
        return problems + sent_wrongly(self.record_path.read_text())


def _row_of(expense: Expense) -> tuple[str, str, str, str]:
    return (
        "RECEIVE" if expense.is_money_in else "SPEND",
        f"DB-EXP-{expense.expense_id}",
        str(Decimal(abs(expense.amount_minor)).scaleb(-2)),
        expense.spent_date.isoformat(),
    )


@contextmanager
def expense_night(
    database_url: str,
    folder: Path,
    expense_count: int,
    *,
    receipt_every: int = 1,
    late_seconds: float = 0.2,
) -> Iterator[ExpenseNight]:
    """So many expenses, every third a refund; the first has two receipts, others one or none."""
    receipts = folder / "receipts"
    receipts.mkdir()
    found = []
    for number in range(expense_count):
        is_refund = number % 3 == 2
        count = 2 if number == 0 else int(number % receipt_every == 0)
        names = [f"receipt-{number}-{nth}.pdf" for nth in range(count)]
        for name in names:
            (receipts / name).write_bytes(b"%PDF-1.4 " + name.encode())
        expense = Expense(
            source=SOURCE,
            id_source=f"{number:04}",
            account_id_source="corporate",
            status=SourceStatus.SETTLED,
            spent_date=FIRST_DATE + dt.timedelta(days=number % 28),
            amount_minor=(-1 if is_refund else 1) * (1001 + 37 * number),
            currency="NZD",
            merchant="Ferry",
            category="Travel",
        )
        refs = tuple(AttachmentRef(name, name, 1, "1") for name in names)
        found.append(FoundExpense(expense, refs))
    with opened(
        ExpenseNight,
        database_url,
        folder,
        late_seconds,
        totals=[],
        found=found,
        defaults={"receipts_path": str(receipts)},
    ) as one:
        yield one
