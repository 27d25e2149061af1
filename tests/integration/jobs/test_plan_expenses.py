"""What planning takes for a payment that somebody else posted, and what it knows as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from expense_place import connected_expenses

from daybook.expenses.states import Stage
from daybook.jobs import plan_expenses, post, post_round
from daybook.jobs.review_expenses import Reviewer, change_expenses
from daybook.xero.bills import list_bills

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expense_place import ExpensePlace


@pytest.fixture
def place(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExpensePlace]:
    """Two payments of the same amount on the same day."""
    monkeypatch.setattr(post, "ARRIVAL_SECONDS", 0)
    with connected_expenses(database_url) as connected:
        connected.world(transaction_count=0)
        for number in (1, 2):
            connected.pay(
                id=f"t{number}",
                account_id="acc-sgd",
                datetime="2026-03-05T04:00:00Z",
                amount=-1250,
                currency_code="SGD",
                type="debit",
                status="settled",
                channel="card",
                counterparty_name="Grab",
                additional_info={"spend_category": "Transport"},
            )
        connected.extract()
        yield connected


def die(*_: object, **__: object) -> None:
    """End as if the process were killed."""
    raise KeyboardInterrupt


def test_own_payment_without_an_answer_is_no_double_of_another(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that posted the first was killed: the second is the second, and both are posted."""
    place.plan()
    with monkeypatch.context() as patch:
        patch.setattr(post_round, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            post.post(
                place.engine,
                place.client,
                place.organisation,
                (),
                run_id="killed",
                clock=place.clock,
                expense_ids=["aspire-t1"],
            )
    assert 1 == len(place.bank_transactions())
    place.sync()
    assert [(Stage.SYNCED, ())] * 2 == [(one.stage, one.problems) for one in place.expenses()]
    assert 2 == len(place.bank_transactions())


def test_decision_while_planning_takes_precedence(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was planned without it is not stored; the next planning has it."""
    real = list_bills

    def decide_and_list(*args: Any, **named: Any) -> object:  # noqa: ANN401 - whatever it takes
        change_expenses(
            place.engine, {"aspire-t1": {"account": "453"}}, Reviewer("mei", place.clock)
        )
        return real(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(plan_expenses, "list_bills", decide_and_list)
        place.plan()
    assert [None, "planned"] == [one.document_state for one in place.expenses()]
    place.sync()
    accounts = {
        one["Reference"]: one["LineItems"][0]["AccountCode"] for one in place.bank_transactions()
    }
    assert {"DB-EXP-aspire-t1": "453", "DB-EXP-aspire-t2": "449"} == accounts
