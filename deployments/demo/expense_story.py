"""What the demo shows of expenses: from the card account to Spend Money with its receipts.

The sandbox plays the card account, and refuses one upload once. The deployed flows do the rest;
what is printed at the end is read from the ledger, from Xero's API and from the card account.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from daybook.expenses.attachment_names import safe_stem
from daybook.expenses.states import AttachmentState
from daybook.jobs.attach import TRIES_IN_A_RUN
from daybook.jobs.load_expense_mapping import load_expense_mapping
from daybook.ledger.expense_documents import filed_expense_documents
from daybook.ledger.expenses import read_expenses
from daybook.money import amount_from_minor, minor_from_amount
from daybook.posting.documents import DocumentKind
from daybook.xero.attachments import attached_files
from daybook.xero.bank_transactions import list_bank_transactions
from deployments.demo import expense_chart
from deployments.demo.flow_runs import DemoFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from daybook.ledger.expenses import LedgerAttachment, LedgerExpense
    from daybook.posting.documents import SpendMoney
    from daybook.wiring import Wiring
    from daybook.xero.attachments import AttachedFile
    from daybook.xero.client import XeroClient
    from deployments.demo.stack import Stack

DEPLOYMENTS: Final = ("expenses/expenses", "attachments/receipts")
_CURRENCY: Final = "USD"
_DAYS: Final = 28
_WORLD: Final = {
    "seed": 7,
    "transaction_count": 14,
    "day_count": _DAYS,
    "usd_share": 1,
    "pending_share": 0,
    "refund_share": 0,
    "receipt_share": 1,
    "second_receipt_share": 0.2,
    "large_share": 0.1,
}
_REFERENCE_CHARS: Final = 22
_KEY_CHARS: Final = 15


@dataclass(frozen=True, slots=True)
class ExpenseStory:
    """The demo's steps about expenses, over a running stack."""

    stack: Stack
    wired: Wiring
    console: Console
    tell: Callable[[str], None]

    def prepare(self, sandbox: httpx.Client, folder: Path) -> None:
        """Make the card account's payments and receipts, load the mapping, spoil one upload."""
        first_date = self._first_date(folder / "first_expense.txt")
        world = sandbox.post(
            "/_sandbox/aspire/world", json={**_WORLD, "first_date": first_date.isoformat()}
        )
        world.raise_for_status()
        file = folder / "expenses.toml"
        file.write_text(expense_chart.mapping())
        load_expense_mapping(
            self.wired.engine, file.read_text(), str(file), loaded_by="demo", clock=self.wired.clock
        )
        self.tell(
            f"The card account has {len(world.json()['transactions'])} payments with "
            f"{len(world.json()['receipts'])} receipts."
        )
        if not self._expenses():
            name = spoiled_name([one["name"] for one in world.json()["receipts"]])
            fault = {
                "match": {"method": "PUT", "path": f"*/Attachments/{safe_stem(name)}-*"},
                "fault": "unavailable",
                "times": TRIES_IN_A_RUN,
            }
            sandbox.post("/_sandbox/faults", json=fault).raise_for_status()
            self.tell(f"Xero will fail when the receipt '{name}' is uploaded first.")

    @property
    def has_waiting_receipts(self) -> bool:
        """Whether the ledger knows receipts that are not attached."""
        states = {each.state for one in self._expenses() for each in one.attachments}
        return bool(states - {AttachmentState.UPLOADED})

    def tell_failed(self) -> None:
        """Say which uploads failed and when they are due again."""
        for one in self._expenses():
            for each in one.attachments:
                if each.state is AttachmentState.FAILED:
                    self.tell(
                        f"Receipt '{each.ref.name}' of {_key(one)} failed at attempt "
                        f"{each.attempt_count}, due again {each.next_due_at:%H:%M:%S} UTC."
                    )

    def tell_arrived(self) -> None:
        """Say which uploads took more than one attempt."""
        for one in self._expenses():
            for each in one.attachments:
                if each.state is AttachmentState.UPLOADED and each.attempt_count > 1:
                    self.tell(
                        f"Receipt '{each.ref.name}' of {_key(one)} arrived at attempt "
                        f"{each.attempt_count}."
                    )

    def show(self) -> None:
        """Print both tables and whether card account, ledger and Xero are equal."""
        expenses = self._expenses()
        with self.wired.engine.connect() as connection:
            documents = filed_expense_documents(
                connection, [one.expense.expense_id for one in expenses]
            )
        client = self._client()
        files = {
            one.id_xero: attached_files(client, one.id_xero) for one in expenses if one.id_xero
        }
        self.console.print(_expense_table(expenses, documents))
        self.console.print(_receipt_table(expenses, files))
        self._verdict(client, expenses, files)

    def _verdict(
        self,
        client: XeroClient,
        expenses: list[LedgerExpense],
        files: Mapping[str, tuple[AttachedFile, ...]],
    ) -> None:
        """Hold card account, ledger and Xero against one another, each as it says itself."""
        answer = httpx.get(f"{self.stack.sandbox_url}/_sandbox/aspire", timeout=30)
        card = Counter({one["id"]: -one["amount"] for one in answer.json()["transactions"]})
        ledger = Counter({one.expense.id_source: one.expense.amount_minor for one in expenses})
        dates = [one.expense.spent_date for one in expenses]
        there = list(
            list_bank_transactions(client, DocumentKind.SPEND_MONEY, min(dates), max(dates))
        )
        start = len(f"{self.stack.settings.invoice_prefix}-EXP-aspire-")
        xero = Counter(
            {one.reference[start:]: minor_from_amount(one.total_amount, _CURRENCY) for one in there}
        )
        wanted = {(one.id_xero or "", name) for one in expenses for name in _names(one)}
        attached = {(id_xero, file.name) for id_xero, found in files.items() for file in found}
        receipts = [each for one in expenses for each in one.attachments]
        is_whole = all(each.state is AttachmentState.UPLOADED for each in receipts)
        if not card == ledger == xero or len(there) != len(card):
            raise DemoFailed(
                f"The card account has {len(card)} payments of {card.total()} cents, the ledger "
                f"{len(ledger)} of {ledger.total()}, and Xero {len(there)} of {xero.total()}."
            )
        if wanted != attached or not is_whole:
            raise DemoFailed(
                f"Of {len(receipts)} receipts the ledger calls {len(wanted)} attached, and Xero "
                f"has {len(attached)}."
            )
        self.console.print(
            Text(
                f"{len(card)} expenses = {len(there)} spend money transactions, to the cent; "
                f"{len(receipts)} receipts attached.",
                "bold green",
            )
        )

    def _expenses(self) -> list[LedgerExpense]:
        with self.wired.engine.connect() as connection:
            return read_expenses(connection)

    def _client(self) -> XeroClient:
        return next(
            self.wired.client(one)
            for one in self.wired.organisations().values()
            if one.name == expense_chart.ORGANISATION
        )

    def _first_date(self, file: Path) -> dt.date:
        """The date of the first payment: the same in every demo of this home."""
        if not file.exists():
            today = self.wired.clock.now().date()
            file.write_text((today - dt.timedelta(days=_DAYS)).isoformat())
        return dt.date.fromisoformat(file.read_text())


def spoiled_name(names: Sequence[str]) -> str:
    """The first receipt's name that no other is uploaded under, whatever the file's type.

    Receipts are uploaded at once: 'Grab 1.png' would take faults that are meant for 'Grab 1.jpg'.
    """
    counted = Counter(map(safe_stem, names))
    return next(name for name in names if counted[safe_stem(name)] == 1)


def _names(one: LedgerExpense) -> set[str]:
    """The names in Xero of an expense's files."""
    names = [each.uploaded_name for each in one.attachments if each.uploaded_name]
    return {name for several in names for name in several.split(", ")}


def _key(one: LedgerExpense) -> str:
    return _cut(one.expense.expense_id, _KEY_CHARS)


def _cut(words: str, chars_max: int) -> str:
    return words if len(words) <= chars_max else f"{words[: chars_max - 1]}…"


def _expense_table(expenses: list[LedgerExpense], documents: Mapping[str, SpendMoney]) -> Table:
    dates = [one.expense.spent_date for one in expenses]
    table = Table(
        title=f"Expenses {min(dates)} to {max(dates)}", box=SIMPLE_HEAD, collapse_padding=True
    )
    for name in ("Date", "Merchant", "Category"):
        table.add_column(name, no_wrap=True)
    table.add_column(f"Amount {_CURRENCY}", justify="right", no_wrap=True)
    table.add_column("Account", no_wrap=True)
    table.add_column("State", min_width=6)
    table.add_column("Reference", no_wrap=True)
    for one in expenses:
        document = documents.get(one.expense.expense_id)
        codes = dict.fromkeys(line.account_code for line in document.lines) if document else ()
        table.add_row(
            one.expense.spent_date.isoformat(),
            _cut(one.expense.merchant, 17),
            _cut(one.expense.category, 13),
            f"{amount_from_minor(one.expense.amount_minor, one.expense.currency):,}",
            " ".join(codes),
            one.state,
            _cut(document.reference, _REFERENCE_CHARS) if document else "",
        )
    total = sum(one.expense.amount_minor for one in expenses)
    table.add_section()
    table.add_row(
        f"{len(expenses)}", "expenses", "", f"{amount_from_minor(total, _CURRENCY):,}", style="bold"
    )
    return table


def _receipt_table(
    expenses: list[LedgerExpense], files: Mapping[str, tuple[AttachedFile, ...]]
) -> Table:
    table = Table(title="Receipts, with names and sizes as Xero has them", box=SIMPLE_HEAD)
    table.add_column("Expense", no_wrap=True)
    table.add_column("File", no_wrap=True)
    table.add_column("Bytes", justify="right")
    table.add_column("State")
    table.add_column("Attempts", justify="right")
    sizes = {(key, file.name): file.byte_count for key, found in files.items() for file in found}
    rows = [(one, each) for one in expenses for each in one.attachments]
    for one, each in rows:
        name = each.uploaded_name or each.ref.name
        size = sizes.get((one.id_xero or "", name))
        table.add_row(
            _key(one),
            _cut(name, 40),
            "" if size is None else f"{size:,}",
            each.state.replace("_", " "),
            f"{each.attempt_count}",
            style=None if _is_first(each) else "yellow",
        )
    table.add_section()
    attempts = sum(each.attempt_count for _, each in rows)
    total = f"{sum(sizes.values()):,}"
    table.add_row(f"{len(rows)}", "receipts", total, "", f"{attempts}", style="bold")
    return table


def _is_first(each: LedgerAttachment) -> bool:
    return each.state is AttachmentState.UPLOADED and each.attempt_count == 1
