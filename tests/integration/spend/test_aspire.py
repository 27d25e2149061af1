"""The Aspire source against the sandbox's Aspire."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import httpx
import pytest

from daybook.clock import SystemClock
from daybook.errors import FinalError
from daybook.expenses.expense import SourceStatus
from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import serve
from daybook.spend.aspire import AspireApi, AspireSource
from daybook.spend.receipts_api import ReceiptsApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daybook.sandbox.server import RunningSandbox
    from daybook.spend.source import SpendPage

FIRST, LAST = dt.date(2026, 3, 1), dt.date(2026, 3, 31)
ROW = {
    "id": "t1",
    "account_id": "acc-sgd",
    "datetime": "2026-03-05T23:30:00+08:00",
    "amount": -1250,
    "currency_code": "SGD",
    "type": "debit",
    "status": "settled",
    "channel": "card",
    "reference": "CARD 1",
    "counterparty_name": "Grab",
    "additional_info": {"spend_category": "Transport", "card_number": "•••• 4417"},
}


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """A sandbox whose Aspire has no payments."""
    with serve(SandboxConfig(limits=False)) as running:
        asked = {"transaction_count": 0}
        httpx.post(
            f"{running.url}/_sandbox/aspire/world", json=asked, timeout=60
        ).raise_for_status()
        yield running


@pytest.fixture
def api(sandbox: RunningSandbox) -> Iterator[AspireApi]:
    """A login to it."""
    with httpx.Client(timeout=60) as http:
        yield AspireApi(
            http, f"{sandbox.url}/aspire", "aspire-client", "aspire-secret", clock=SystemClock()
        )


def pay(sandbox: RunningSandbox, **changes: object) -> None:
    """Add a payment."""
    row = {**ROW, **changes}
    httpx.post(
        f"{sandbox.url}/_sandbox/aspire/transactions", json=row, timeout=60
    ).raise_for_status()


def pages(api: AspireApi) -> list[SpendPage]:
    """Read March."""
    return list(AspireSource(api).expenses(FIRST, LAST))


def test_card_payment_becomes_an_expense(sandbox: RunningSandbox, api: AspireApi) -> None:
    """Minor units, sign, UTC date, last four digits."""
    pay(sandbox)
    [one] = pages(api)[0].expenses
    assert ("aspire-t1", 1250, "SGD", "4417", "Transport") == (
        one.expense_id,
        one.amount_minor,
        one.currency,
        one.card,
        one.category,
    )
    assert (dt.date(2026, 3, 5), SourceStatus.SETTLED) == (one.spent_date, one.status)


def test_what_is_not_certain_is_rejected_or_ignored(
    sandbox: RunningSandbox, api: AspireApi
) -> None:
    """Unknown status, amount with a point, contradicting sign; transfers are no expenses."""
    pay(sandbox, id="t2", status="completed")
    pay(sandbox, id="t3", amount=-12.5)
    pay(sandbox, id="t4", type="credit")
    pay(sandbox, id="t5", channel="banktransfer")
    pay(sandbox, id="t6", status="posted")
    [page] = pages(api)
    assert ["aspire-t6"] == [one.expense_id for one in page.expenses]
    assert SourceStatus.PENDING is page.expenses[0].status
    assert 1 == page.ignored_count
    said = {one.where: one.sentence for one in page.rejects}
    assert {f"aspire transaction t{number}" for number in (2, 3, 4)} == set(said)
    assert "'completed'" in said["aspire transaction t2"]


def test_every_page_is_read_once(sandbox: RunningSandbox, api: AspireApi) -> None:
    """1,234 payments come in three pages of 500."""
    asked = {"transaction_count": 1234, "first_date": "2026-03-01", "day_count": 28}
    httpx.post(f"{sandbox.url}/_sandbox/aspire/world", json=asked, timeout=60).raise_for_status()
    found = pages(api)
    assert [500, 500, 234] == [len(page.expenses) for page in found]
    assert 1234 == len({one.expense_id for page in found for one in page.expenses})


def test_ended_token_is_replaced(sandbox: RunningSandbox, api: AspireApi) -> None:
    """After 900 seconds a new login is made; a wrong secret says which settings to mend."""
    pay(sandbox)
    assert 1 == len(pages(api)[0].expenses)
    ahead = {"advance_seconds": 1000}
    answer = httpx.post(f"{sandbox.url}/_sandbox/clock", json=ahead, timeout=60)
    answer.raise_for_status()
    assert 1 == len(pages(api)[0].expenses)
    with httpx.Client(timeout=60) as http:
        wrong = AspireApi(http, f"{sandbox.url}/aspire", "x", "y", clock=SystemClock())
        with pytest.raises(FinalError, match="DAYBOOK_ASPIRE_CLIENT_SECRET"):
            pages(wrong)


def test_failing_server_is_asked_again(sandbox: RunningSandbox, api: AspireApi) -> None:
    """A server error passes."""
    pay(sandbox)
    fault = {"fault": "server_error", "match": {"path": "/aspire/*"}, "nth": 2}
    httpx.post(f"{sandbox.url}/_sandbox/faults", json=fault, timeout=60).raise_for_status()
    assert 1 == len(pages(api)[0].expenses)


def test_receipts_are_found_and_read(sandbox: RunningSandbox, api: AspireApi) -> None:
    """By the transaction; their content comes as it is."""
    asked = {
        "transaction_count": 20,
        "first_date": "2026-03-01",
        "day_count": 28,
        "receipt_share": 1,
    }
    httpx.post(f"{sandbox.url}/_sandbox/aspire/world", json=asked, timeout=60).raise_for_status()
    expenses = pages(api)[0].expenses
    store = ReceiptsApi(api)
    found = store.find(expenses).by_expense
    assert set(found) <= {one.expense_id for one in expenses}
    content = store.read(next(iter(found.values()))[0].key)
    assert content.startswith((b"\xff\xd8\xff", b"\x89PNG"))
