"""A sync of an expense killed at every step it takes leaves books that its next run makes right."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from expense_place import NAME, connected_expenses
from expense_process import Job
from loader_process import Ending

from daybook.clock import SystemClock
from daybook.expenses.states import ExpenseState
from daybook.jobs.review_expenses import Reviewer, change_expenses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from expense_place import ExpensePlace

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]
_TESTS = Path(__file__).parents[1]
_CHILD = f"""
import runpy, sys
sys.path[:0] = [{str(_TESTS.parent)!r}, {str(_TESTS / "support")!r}]
runpy.run_path({str(_TESTS / "support" / "expense_process.py")!r}, run_name="__main__")
"""
API = "/api.xro/2.0"
Run = "Callable[[str, int | None], Ending]"


@pytest.fixture
def place(database_url: str) -> Iterator[ExpensePlace]:
    """An organisation, and an Aspire without payments."""
    with connected_expenses(database_url) as connected:
        connected.world(transaction_count=0)
        yield connected


@pytest.fixture
def run(
    place: ExpensePlace, database_url: str, tmp_path: Path
) -> Iterator[Callable[[str, int | None], Ending]]:
    """Sync one expense in a process of its own, which may die at a step."""
    app = place.access.app
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def sync(expense_id: str, kill_at: int | None) -> Ending:
            job = Job(
                database_url=database_url,
                secret_key=place.access.connections.key,
                app={
                    name: getattr(app, name)
                    for name in ("client_id", "client_secret", "api_url", "identity_url")
                }
                | {"login_url": app.login_url},
                aspire_url=f"{place.sandbox.url}/aspire",
                organisation=NAME,
                expense_ids=[expense_id],
                record_path=str(tmp_path / "record"),
                kill_at=kill_at,
            )
            stdin.write(msgspec.json.encode(job) + b"\n")
            stdin.flush()
            return msgspec.json.decode(stdout.readline(), type=Ending)

        yield sync
        stdin.close()


def new_expense(place: ExpensePlace, number: int) -> str:
    """A payment of 12.50 with a receipt, and a contact that Xero does not know yet."""
    key = f"t{number}"
    place.pay(
        id=key,
        account_id="acc-sgd",
        datetime="2026-03-05T04:00:00Z",
        amount=-1250 - number,
        currency_code="SGD",
        type="debit",
        status="settled",
        channel="card",
        counterparty_name="Grab",
        additional_info={"spend_category": "Transport"},
    )
    place.upload(key, f"{key}.txt", f"receipt of {key}".encode())
    place.extract()
    mei = Reviewer("mei", SystemClock())
    change_expenses(place.engine, {f"aspire-{key}": {"contact": f"Shop {number}"}}, mei)
    return f"aspire-{key}"


def assert_once(place: ExpensePlace, expense_id: str) -> None:
    """One bank transaction, one file on it, and the ledger says synced."""
    books = place.sandbox.simulation.organisations[place.organisation.tenant_id_xero]
    there = [one.id for one in books.bank_transactions if one.reference == f"DB-EXP-{expense_id}"]
    assert 1 == len(there)
    assert 1 == len([one for one in books.attachments if one.parent_id == there[0]])
    [found] = [one for one in place.expenses() if one.expense.expense_id == expense_id]
    assert ExpenseState.SYNCED == found.state


def test_sync_killed_at_every_step(
    place: ExpensePlace, run: Callable[[str, int | None], Ending]
) -> None:
    """Before and after every commit, request and reply: the next run finishes, and nothing twice.

    The receipt waits for its next attempt where the killed run had begun it.
    """
    for step in itertools.count():
        expense_id = new_expense(place, step)
        ending = run(expense_id, step)
        assert "" == run(expense_id, None).error, f"killed at step {step}"
        assert_once(place, expense_id)
        if not ending.was_killed:
            break
    steps = set(ending.steps)
    for call in ("PUT /Contacts", "PUT /BankTransactions"):
        method, path = call.split()
        assert {f"{when} {method} {API}{path}" for when in ("before", "sent", "after")} <= steps
    assert 3 == len({one.split(" ")[0] for one in steps if "/Attachments/" in one})
    assert 40 < len(ending.steps)
