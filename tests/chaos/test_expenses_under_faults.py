"""Hundreds of expenses with their receipts while replies are lost and Xero fails at random."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import pytest
from expense_place import connected_expenses
from PIL import Image
from sqlalchemy import text

from daybook.expenses.backoff import RetryPolicy
from daybook.expenses.states import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expense_place import ExpensePlace

pytestmark = pytest.mark.chaos
AT_ONCE = RetryPolicy(attempts_max=20, first_wait=dt.timedelta(0))


@pytest.fixture
def place(database_url: str) -> Iterator[ExpensePlace]:
    """250 expenses with about 350 receipts, some too large, too many or broken."""
    with connected_expenses(database_url) as connected:
        connected.world(transaction_count=250, large_share=0.05, broken_share=0.03, many_share=0.02)
        yield connected


def test_everything_arrives_once_and_every_receipt_is_there_or_named(place: ExpensePlace) -> None:
    """Once each, every attachable file attached and openable, every other one with its reason."""
    place.extract()
    for path, probability in (("/BankTransactions", 0.2), ("*/Attachments/*", 0.03)):
        for fault in ("lost_reply", "lost_request", "server_error"):
            match = {"method": "PUT", "path": path}
            place.fault(match=match, probability=probability, fault=fault)
    place.sync()
    rows = place.bank_transactions()
    assert 250 == len(rows) == len({row["Reference"] for row in rows})
    assert {Stage.SYNCED} == {one.stage for one in place.expenses()}
    for _ in range(3):
        place.attach(AT_ONCE)
    with place.engine.connect() as connection:
        states = connection.execute(
            text("SELECT state, reason, uploaded_name, expense_id FROM expense_attachments")
        ).all()
    assert {"uploaded", "given_up"} == {row.state for row in states}
    assert all("broken" in row.reason or "damaged" in row.reason for row in states if row.reason)
    names = {
        (row.expense_id, name)
        for row in states
        if row.uploaded_name
        for name in row.uploaded_name.split(", ")
    }
    params = {"tenant_id": place.organisation.tenant_id_xero}
    books = place.control.get("/_sandbox/books", params=params).json()
    assert len(names) == books["counts"]["attachments"]
    stored = place.sandbox.simulation.organisations[place.organisation.tenant_id_xero]
    for attachment in stored.attachments:
        assert len(attachment.content) < 3_000_000
        if attachment.file_name.endswith((".jpg", ".png")):
            Image.open(io.BytesIO(attachment.content)).load()
