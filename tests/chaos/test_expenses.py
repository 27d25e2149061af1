"""Expenses and their receipts: killed at every step, and every call failing in every way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from chaos_scenarios import FAULTS, WrongBooks, fail_at_every_call, kill_at_every_step
from expense_night import expense_night

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from expense_night import ExpenseNight

API = "/api.xro/2.0"


@pytest.fixture(scope="session")
def one_expense(
    new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ExpenseNight]:
    """One expense with two receipts."""
    with expense_night(new_database(), tmp_path_factory.mktemp("expenses"), 1) as night:
        yield night


@pytest.fixture(scope="session")
def many_expenses(
    new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ExpenseNight]:
    """More than one call takes, with refunds, which are Receive Money."""
    folder = tmp_path_factory.mktemp("many_expenses")
    with expense_night(new_database(), folder, 80, receipt_every=8, late_seconds=0.6) as night:
        yield night


def counted(night: ExpenseNight, record_property: Callable[[str, object], None]) -> None:
    """Let the summary know of the scenarios of a test."""
    record_property("scenarios", night.scenario_count)
    night.scenario_count = 0


@pytest.fixture
def single(
    one_expense: ExpenseNight, record_property: Callable[[str, object], None]
) -> Iterator[ExpenseNight]:
    """The expense; the scenarios that a test makes of it are counted."""
    yield one_expense
    counted(one_expense, record_property)


@pytest.fixture
def many(
    many_expenses: ExpenseNight, record_property: Callable[[str, object], None]
) -> Iterator[ExpenseNight]:
    """The many expenses; the scenarios that a test makes of them are counted."""
    yield many_expenses
    counted(many_expenses, record_property)


def assert_saw_everything(steps: list[str]) -> None:
    """Bank transactions and receipts were sent, each with the three steps of a call."""
    puts = {step for step in steps if " PUT " in step and "Contacts" not in step}
    for word in ("before", "sent", "after"):
        assert f"{word} PUT {API}/BankTransactions" in puts
        assert any(step.startswith(word) and "/Attachments/" in step for step in puts)


def test_expenses_killed_at_every_step(single: ExpenseNight) -> None:
    """Before and after every commit, request and reply: the next run finishes the same books.

    From the plan's commit on: before it everything is read only, and the full form has it too.
    """
    single.start_again()
    first = single.run().steps.index(f"after GET {API}/TrackingCategories") + 1
    assert_saw_everything(kill_at_every_step(single, first=first))


@pytest.mark.parametrize("name", ["lost reply", "lost request"])
def test_every_call_for_an_expense_fails_once(single: ExpenseNight, name: str) -> None:
    """Chart, contact, spend money, receipts: each call fails in this way once."""
    assert 9 <= fail_at_every_call(single, name)


def test_loader_of_expenses_that_does_not_look_first_is_caught(single: ExpenseNight) -> None:
    """Spend money has no unique number: sent again without a look, it is there twice."""
    with pytest.raises(WrongBooks, match="too many"):
        fail_at_every_call(single, "lost reply", mutant="no_lookup")


def test_loader_that_does_not_list_what_is_attached_is_caught(single: ExpenseNight) -> None:
    """After a lost reply it uploads the same file again, without knowing whether it is there."""
    with pytest.raises(WrongBooks, match="sent again without being looked up"):
        fail_at_every_call(single, "lost reply", mutant="no_list")


@pytest.mark.chaos
@pytest.mark.timeout(3600)
def test_many_expenses_killed_at_every_step(many: ExpenseNight) -> None:
    """The same with two calls of spend money, one of receive money, and ten receipts."""
    assert_saw_everything(kill_at_every_step(many))


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", FAULTS)
def test_every_call_for_many_expenses_fails_once(many: ExpenseNight, name: str) -> None:
    """Each call fails in each way once."""
    assert 18 <= fail_at_every_call(many, name)
