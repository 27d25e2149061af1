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
from daybook.jobs import attach, post

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


def die(*_: object, **__: object) -> None:
    """End as if the process were killed before it could write down what Xero answered."""
    raise KeyboardInterrupt


def test_run_that_dies_before_it_noted_the_outcome_doubles_nothing(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent is found in Xero by the next run, and the rest is sent."""
    place.extract()
    with monkeypatch.context() as patch:
        patch.setattr(post, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            place.sync()
    sent = len(place.bank_transactions())
    assert sent > 0
    assert f"{sent} found in Xero" in place.sync()
    rows = place.bank_transactions()
    assert 250 == len(rows) == len({row["Reference"] for row in rows})


def test_upload_whose_run_died_is_not_sent_again(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run sees in Xero what arrived, and uploads only what did not."""
    world = place.world(transaction_count=8, receipt_share=1, refund_share=0)
    place.extract()
    place.sync()
    with monkeypatch.context() as patch:
        patch.setattr(attach, "write_outcomes", die)
        with pytest.raises(KeyboardInterrupt):
            place.attach()
    assert place.requests("PUT", "/Attachments/") > 0
    place.attach()
    assert len(world["receipts"]) == place.requests("PUT", "/Attachments/")
