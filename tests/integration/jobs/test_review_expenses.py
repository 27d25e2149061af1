"""What a person decides about an expense while a loader is at work on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from expense_place import connected_expenses
from sqlalchemy import text

from daybook.errors import InputError
from daybook.expenses.states import Stage
from daybook.jobs import review_expenses
from daybook.jobs.review_expenses import Reviewer, move_expenses
from daybook.ledger.documents import claim
from daybook.ledger.expenses import lock_documents, read_expenses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expense_place import ExpensePlace
    from sqlalchemy import Connection


@pytest.fixture
def place(database_url: str) -> Iterator[ExpensePlace]:
    """Three expenses, planned."""
    with connected_expenses(database_url) as connected:
        connected.world(transaction_count=3)
        connected.extract()
        connected.plan()
        yield connected


@pytest.mark.parametrize("stage", [Stage.EXCLUDED, Stage.BY_HAND])
def test_expense_that_a_loader_claims_meanwhile_is_not_moved(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    """It is on its way into Xero, so it is neither excluded nor posted by hand."""
    one = place.expenses()[0]
    real = read_expenses

    def read_and_claim(connection: Connection, *args: Any, **named: Any) -> object:  # noqa: ANN401 - whatever it takes
        found = real(connection, *args, **named)
        with place.engine.begin() as other:
            assert one.document_id is not None
            claim(
                other,
                [one.document_id],
                idempotency_key="k",
                run_id="loader",
                now_at=place.clock.now(),
            )
        return found

    monkeypatch.setattr(review_expenses, "read_expenses", read_and_claim)
    with pytest.raises(InputError, match="on its way there"):
        move_expenses(
            place.engine, [one.expense.expense_id], stage, Reviewer("mei", place.clock), "private"
        )
    assert Stage.PENDING is place.expenses()[0].stage


def test_claim_waits_for_a_decision_under_way(place: ExpensePlace) -> None:
    """Once the documents are locked a loader does not get them until the decision is stored."""
    one = place.expenses()[0]
    with place.engine.begin() as deciding, place.engine.connect() as loader:
        states = lock_documents(deciding, [one.expense.expense_id])
        assert {one.expense.expense_id: "planned"} == states
        locked = text("SELECT id FROM documents WHERE id = :id FOR UPDATE SKIP LOCKED")
        assert [] == loader.execute(locked, {"id": one.document_id}).all()
