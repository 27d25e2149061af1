"""Correcting entries in the sandbox: once each, whatever becomes of replies and processes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from expense_place import connected_expenses
from golden_steps import Steps

from daybook.clock import SystemClock
from daybook.errors import RateLimited
from daybook.expenses.problems import ProblemCode
from daybook.jobs import correct_expenses, post_round
from daybook.jobs.post import post
from daybook.jobs.update_expenses import update_expenses
from daybook.ledger.expense_corrections import read_corrections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from expense_place import ExpensePlace


@pytest.fixture
def place(database_url: str) -> Iterator[ExpensePlace]:
    """A reconciled expense of 12.50 that the card account calls 23.00 now."""
    with connected_expenses(database_url) as connected:
        connected.world(transaction_count=0)
        connected.pay(
            id="t1",
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
        for step in (("sync", ""), ("reconcile", ""), ("change", "amount: 23.00"), ("sync", "")):
            Steps(connected).do("mei", step[0], "t1", step[1])
        yield connected


def correct(place: ExpensePlace) -> None:
    """As the command does."""
    Steps(place).correct("t1", "")


def assert_corrected_once(place: ExpensePlace) -> None:
    """The original and one entry of 10.50, and nothing in the way any more."""
    there = {row["Reference"]: Decimal(row["Total"]) for row in place.bank_transactions()}
    assert {
        "DB-EXP-aspire-t1": Decimal("12.50"),
        "DB-EXP-aspire-t1-C1": Decimal("10.50"),
    } == there
    assert 2 == len(place.bank_transactions())
    [one] = place.expenses()
    assert (False, ()) == (one.is_updated, one.problems)


@pytest.mark.parametrize(
    "fault", ["lost_reply", "lost_request", "server_error", "truncated_body", "duplicate_delivery"]
)
def test_entry_of_a_lost_reply_is_looked_up(place: ExpensePlace, fault: str) -> None:
    """Applied or not, the entry is there once."""
    place.fault(match={"method": "PUT", "path": "/BankTransactions"}, nth=1, fault=fault)
    correct(place)
    assert_corrected_once(place)
    correct(place)
    assert_corrected_once(place)


def die(*_: object, **__: object) -> None:
    """End as if the process were killed."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("at", ["sent", "settled"])
def test_entry_of_a_killed_run_is_found_by_the_next(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Killed after Xero had it, or before the ledger said so with the expense."""
    with monkeypatch.context() as patch:
        if at == "sent":
            patch.setattr(post_round, "settle", die)
        else:
            patch.setattr(correct_expenses, "_settle", die)
        with pytest.raises(KeyboardInterrupt):
            correct(place)
    correct(place)
    assert_corrected_once(place)


def test_entry_without_an_answer_that_somebody_changed_is_held(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run was killed and the entry made 11.00: no second entry; removed, it is posted anew."""
    with monkeypatch.context() as patch:
        patch.setattr(post_round, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            correct(place)
    id_xero = change_entry(place, "11.00")
    said = correct_expenses.correct_expenses(place.syncing(), place.organisation, ["aspire-t1"])
    assert "DB-EXP-aspire-t1-C1 is in Xero, but not as we know it" in said.sentences[0]
    assert Decimal("23.50") == signed_total(place)
    remove(place, id_xero)
    correct(place)
    there = [one["Total"] for one in place.bank_transactions() if one["Status"] == "AUTHORISED"]
    assert [Decimal("10.50"), Decimal("12.50")] == sorted(map(Decimal, there))


def test_dry_run_stores_and_posts_nothing(place: ExpensePlace) -> None:
    """The entry is only said."""
    said = correct_expenses.correct_expenses(
        place.syncing(), place.organisation, ["aspire-t1"], dry_run=True
    )
    sentence = (
        "aspire-t1: spend money of 10.50 SGD dated 2026-03-05 on account 449, reference "
        "DB-EXP-aspire-t1-C1."
    )
    assert [sentence] == said.sentences
    assert 1 == len(place.bank_transactions())
    with place.engine.connect() as connection:
        assert {"aspire-t1": []} == read_corrections(connection, ["aspire-t1"])


def test_refused_entry_says_so_and_is_tried_again(place: ExpensePlace) -> None:
    """The account was archived meanwhile: Xero's words stay with the expense until it is in use."""
    books = f"/_sandbox/organisations/{place.organisation.tenant_id_xero}/accounts/449"
    steps = Steps(place)
    steps.do("mei", "change", "t1", "amount: 23.00; category: Software")
    steps.do("mei", "sync", "t1", "")
    place.control.post(f"{books}/archive").raise_for_status()
    correct(place)
    [one] = place.expenses()
    assert "The correcting entry DB-EXP-aspire-t1-C1 is not in Xero" in one.problems[-1].sentence
    place.control.post(f"{books}/restore").raise_for_status()
    correct(place)
    [one] = place.expenses()
    assert () == one.problems
    there = {row["Reference"]: Decimal(row["Total"]) for row in place.bank_transactions()}
    assert [Decimal("12.50"), Decimal("12.50"), Decimal("23.00")] == sorted(there.values())


@dataclass(frozen=True)
class Standing(SystemClock):
    """A clock that stands still."""

    at: dt.datetime

    def now(self) -> dt.datetime:
        """That moment."""
        return self.at


@pytest.mark.parametrize(
    ("zone", "date", "note"),
    [
        ("Pacific/Auckland", "2026-04-02", False),
        ("America/New_York", "2026-04-01", False),
        ("Asia/Kathmandu", "2026-04-01", True),  # the sandbox says a name that nobody knows
    ],
)
def test_entry_of_a_locked_period_has_the_organisations_date(
    place: ExpensePlace, zone: str, date: str, *, note: bool
) -> None:
    """17:30 UTC is the next morning in Auckland; an unknown zone is UTC, and that is said."""
    place.control.post(
        "/_sandbox/organisations", json={"name": place.organisation.name, "timezone": zone}
    ).raise_for_status()
    Steps(place).do("anna", "lock", "", "2026-03-31")
    clock = Standing(dt.datetime(2026, 4, 1, 17, 30, tzinfo=dt.UTC))
    syncing = replace(place.syncing(), clock=clock)
    said = correct_expenses.correct_expenses(syncing, place.organisation, ["aspire-t1"])
    entry = next(r for r in place.bank_transactions() if r["Reference"].endswith("-C1"))
    assert date == entry["DateString"][:10]
    assert f"dated {date}" in said.sentences[0]
    assert note is ("today is the date of UTC" in said.sentences[-1])


def signed_total(place: ExpensePlace) -> Decimal:
    """Money out less money in, of everything in Xero."""
    return sum(
        (
            Decimal(row["Total"]) * (1 if row["Type"] == "SPEND" else -1)
            for row in place.bank_transactions()
        ),
        Decimal(),
    )


def plan_only(place: ExpensePlace) -> None:
    """Ask for the correction when the calls of the day are used up: it is planned and not sent."""
    place.fault(
        match={"method": "PUT", "path": "/BankTransactions"},
        nth=1,
        fault="rate_limited",
        problem="day",
        retry_after=3600,
    )
    with pytest.raises(RateLimited):
        correct(place)
    place.control.delete("/_sandbox/faults").raise_for_status()


def test_planned_entry_is_forgotten_when_the_change_is_taken_back(place: ExpensePlace) -> None:
    """12.50 again: however often it is synced, the entry of 10.50 is not posted any more."""
    plan_only(place)
    steps = Steps(place)
    steps.change("t1", "amount: 12.50")
    for _ in range(2):
        steps.do("mei", "sync", "t1", "")
    correct(place)
    assert Decimal("12.50") == signed_total(place)


def test_planned_entry_is_forgotten_when_xero_takes_the_update(place: ExpensePlace) -> None:
    """Not reconciled any more and 30.00 now: updated to that, and no entry on top."""
    plan_only(place)
    steps = Steps(place)
    steps.unreconcile("t1", "")
    steps.change("t1", "amount: 30.00")
    for _ in range(2):
        steps.do("mei", "sync", "t1", "")
    assert Decimal("30.00") == signed_total(place)


def test_planned_entry_is_posted_by_correct_alone(place: ExpensePlace) -> None:
    """A sync leaves it, because only 'correct' compares it with Xero first."""
    plan_only(place)
    Steps(place).do("mei", "sync", "t1", "")
    assert 1 == len(place.bank_transactions())
    correct(place)
    assert_corrected_once(place)


def correct_while(
    place: ExpensePlace,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[], object],
    *,
    is_posted: bool = False,
) -> correct_expenses.ExpensesCorrected:
    """Correct, while something happens after the entry is planned, or (`is_posted`) posted."""
    real = post

    def post_and(*args: Any, **named: Any) -> object:  # noqa: ANN401 - whatever it takes
        is_entry = bool(named["expense_ids"])
        if is_entry and not is_posted:
            happens()
        posted = real(*args, **named)
        if is_entry and is_posted:
            happens()
        return posted

    with monkeypatch.context() as patch:
        patch.setattr(correct_expenses, "post", post_and)
        return correct_expenses.correct_expenses(place.syncing(), place.organisation, ["aspire-t1"])


def test_update_meanwhile_makes_the_entry_needless(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run brought 23.00 into Xero: no entry, and nothing is said to have been posted."""
    Steps(place).unreconcile("t1", "")
    said = correct_while(
        place,
        monkeypatch,
        lambda: update_expenses(
            place.engine,
            place.client,
            place.organisation,
            ["aspire-t1"],
            prefix="DB",
            run_id="other",
            clock=place.clock,
        ),
    )
    assert Decimal("23.00") == signed_total(place)
    assert 1 == len(place.bank_transactions())
    assert ({}, ["aspire-t1"]) == (said.entries, list(said.problems))
    assert () == place.expenses()[0].problems


def change_to_forty(place: ExpensePlace) -> None:
    """The card account says 40.00, and the ledger has read it."""
    Steps(place).change("t1", "amount: 40.00")
    place.extract()


def test_entry_that_is_not_posted_is_not_said_to_be(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It changed before the entry was sent: that is said, and asking again posts 27.50."""
    said = correct_while(place, monkeypatch, lambda: change_to_forty(place))
    assert {} == said.entries
    assert "It changed meanwhile" in said.sentences[0]
    correct(place)
    assert Decimal("40.00") == signed_total(place)


def test_change_while_the_entry_is_posted_is_not_lost(
    place: ExpensePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is Updated still, and the next correction posts the rest."""
    correct_while(place, monkeypatch, lambda: change_to_forty(place), is_posted=True)
    assert place.expenses()[0].is_updated
    Steps(place).do("mei", "sync", "t1", "")
    correct(place)
    assert Decimal("40.00") == signed_total(place)


def edit_in_xero(place: ExpensePlace, amount: str) -> None:
    """A bookkeeper takes the match back, changes the amount, and matches it again."""
    steps = Steps(place)
    steps.unreconcile("t1", "")
    [there] = place.bank_transactions()
    line = {"Description": "x", "Quantity": 1, "UnitAmount": amount, "AccountCode": "449"}
    body = {
        "BankTransactionID": there["BankTransactionID"],
        "Type": "SPEND",
        "Contact": {"ContactID": there["Contact"]["ContactID"]},
        "BankAccount": {"Code": "092"},
        "Date": "2026-03-05",
        "Reference": there["Reference"],
        "LineAmountTypes": "Inclusive",
        "LineItems": [line | {"TaxType": "INPUT2"}],
    }
    place.client.write("POST", "/BankTransactions", body, idempotency_key=f"edit {amount}")
    steps.reconcile("t1", "")


@pytest.mark.parametrize("ask", ["correct", "sync"])
def test_no_entry_on_top_of_what_somebody_changed_in_xero(place: ExpensePlace, ask: str) -> None:
    """Xero holds 20.00 where the ledger has 12.50: both sides are said, and nothing is posted."""
    edit_in_xero(place, "20.00")
    if ask == "sync":
        Steps(place).do("mei", "sync", "t1", "")
        found = place.expenses()[0].problems
    else:
        said = correct_expenses.correct_expenses(place.syncing(), place.organisation, ["aspire-t1"])
        found = said.problems["aspire-t1"]
    assert [ProblemCode.DIFFERENT_IN_XERO] == [one.code for one in found]
    assert "total is 20.00 in Xero and 12.50 in the ledger" in found[0].sentence
    correct(place)
    assert Decimal("20.00") == signed_total(place)


def test_what_a_bookkeeper_brought_to_the_right_amount_is_taken_over(place: ExpensePlace) -> None:
    """Xero holds 23.00 already, by hand, with the right tracking: a sync has nothing to add."""
    edit_in_xero(place, "23.00")
    steps = Steps(place)
    steps.set("t1", "tracking: ")
    steps.do("mei", "sync", "t1", "")
    [one] = place.expenses()
    assert (False, ()) == (one.is_updated, one.problems)
    correct(place)
    assert Decimal("23.00") == signed_total(place)


def change_entry(place: ExpensePlace, amount: str) -> str:
    """A bookkeeper changes the first entry; returns its id in Xero."""
    [entry] = [one for one in place.bank_transactions() if one["Reference"].endswith("-C1")]
    edit = {name: entry[name] for name in ("BankTransactionID", "Type", "Reference")}
    edit |= {"Contact": {"ContactID": entry["Contact"]["ContactID"]}, "Date": "2026-03-05"}
    edit |= {"BankAccount": {"Code": "092"}, "LineAmountTypes": "NoTax"}
    edit |= {"LineItems": [{"Description": "x", "UnitAmount": amount, "AccountCode": "449"}]}
    place.client.write("POST", "/BankTransactions", edit, idempotency_key="edit")
    return str(entry["BankTransactionID"])


def remove(place: ExpensePlace, id_xero: str) -> None:
    """And removes it."""
    body = {"BankTransactionID": id_xero, "Status": "DELETED"}
    place.client.write("POST", "/BankTransactions", body, idempotency_key="removed")


def test_entry_that_somebody_changed_in_xero_is_compared_too(place: ExpensePlace) -> None:
    """It was made 11.00: no second one is computed from it; removed, it counts no more."""
    correct(place)
    id_xero = change_entry(place, "11.00")
    change_to_forty(place)
    Steps(place).do("mei", "sync", "t1", "")
    said = correct_expenses.correct_expenses(place.syncing(), place.organisation, ["aspire-t1"])
    assert "total is 11.00 in Xero and 10.50 in the ledger" in said.sentences[0]
    assert {} == said.entries
    remove(place, id_xero)
    correct(place)
    there = [one["Total"] for one in place.bank_transactions() if one["Status"] == "AUTHORISED"]
    assert [Decimal("12.50"), Decimal("27.50")] == sorted(map(Decimal, there))
