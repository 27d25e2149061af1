"""Checks pending expenses against mapping and chart, and plans the documents of those that pass.

What stands in an expense's way is stored with it and stops no other expense.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.expenses.eligibility import eligibility_problems
from daybook.expenses.problems import Problem, ProblemCode
from daybook.expenses.states import Stage
from daybook.ledger.expense_documents import (
    PlannedExpense,
    our_transactions,
    write_planned_expenses,
)
from daybook.ledger.expense_mappings import read_expense_mappings, read_links
from daybook.ledger.expenses import Event, read_expenses, write_events, write_problems
from daybook.posting.documents import DocumentKind
from daybook.posting.expense_doubles import AROUND, BILL, BILL_BEFORE, OtherPayment, OtherPayments
from daybook.posting.spend_money import plan_spend_money
from daybook.wording import counted
from daybook.xero.bank_transactions import list_bank_transactions
from daybook.xero.bills import list_bills
from daybook.xero.reference_data import read_chart, read_organisation

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock
    from daybook.expenses.eligibility import LinkedAccount
    from daybook.ledger.expense_mappings import DatedExpenseMappings
    from daybook.ledger.expenses import LedgerExpense
    from daybook.posting.chart import ChartFacts
    from daybook.posting.documents import SpendMoney
    from daybook.xero.bank_transactions import BankTransactionInXero
    from daybook.xero.bills import BillInXero
    from daybook.xero.client import XeroClient

# A document in one of these states is sent, or may be: its expense is left as it is.
_UNDER_WAY: Final = frozenset(("sending", "unknown", "posted"))


@dataclass(frozen=True, slots=True)
class ExpensesPlanned:
    """What planning came to."""

    documents: dict[str, SpendMoney]
    problems: dict[str, tuple[Problem, ...]]

    @property
    def sentences(self) -> list[str]:
        """One sentence per problem, with the expense."""
        return [f"{key}: {one.sentence}" for key, all_ in self.problems.items() for one in all_]

    def __str__(self) -> str:
        """For the log."""
        held = sum(1 for found in self.problems.values() if found)
        return f"{counted(len(self.documents), 'expense')} ready, {held} held"


@dataclass(frozen=True, slots=True)
class _Books:
    """What is known of one organisation while planning."""

    chart: ChartFacts
    locked_until: dt.date | None
    references: frozenset[str]
    others: OtherPayments


def plan_expenses(  # noqa: PLR0913 - the composition of one planning
    engine: Engine,
    client_of: Callable[[int], XeroClient],
    expense_ids: Collection[str] | None,
    *,
    prefix: str,
    excluded_countries: Collection[str],
    run_id: str,
    clock: Clock,
    dry_run: bool = False,
) -> ExpensesPlanned:
    """Check these pending expenses, or all, and store documents for those that pass.

    `dry_run` stores neither documents nor problems.
    """
    with engine.connect() as connection:
        pending = [
            one
            for one in read_expenses(connection, expense_ids, stage=Stage.PENDING)
            if one.document_state not in _UNDER_WAY
        ]
        links, mappings = read_links(connection), read_expense_mappings(connection)
    problems = {
        one.expense.expense_id: tuple(
            eligibility_problems(one.expense, _link(one, links), excluded_countries)
        )
        for one in pending
    }
    eligible = [one for one in pending if not problems[one.expense.expense_id]]
    books = {
        key: _read_books(
            client_of(key), [o for o in eligible if o.organisation_id == key], engine, key
        )
        for key in _organisations(eligible)
    }
    planned = []
    for one in eligible:
        document, found = _plan_one(one, mappings, books, prefix)
        problems[one.expense.expense_id] = tuple(found)
        if document is not None:
            assert one.organisation_id is not None, "an eligible expense's account is linked"
            planned.append(
                PlannedExpense(
                    one.expense.expense_id,
                    one.organisation_id,
                    document,
                    one.content_hash,
                    is_in_xero=document.reference in books[one.organisation_id].references,
                )
            )
    if not dry_run:
        with engine.begin() as connection:
            _write(connection, problems, planned, run_id=run_id, clock=clock)
    return ExpensesPlanned({one.expense_id: one.document for one in planned}, problems)


def _write(
    connection: Connection,
    problems: Mapping[str, Sequence[Problem]],
    planned: Sequence[PlannedExpense],
    *,
    run_id: str,
    clock: Clock,
) -> None:
    """Store the outcome; what a person decided meanwhile about an expense takes precedence."""
    current = {
        one.expense.expense_id: one
        for one in read_expenses(connection, problems, stage=Stage.PENDING, for_update=True)
    }
    now_at = clock.now()
    changed = {
        key: tuple(found)
        for key, found in problems.items()
        if key in current and current[key].problems != tuple(found)
    }
    write_problems(connection, changed, now_at=now_at)
    events = [
        Event(key, "held", {"why": [p.sentence for p in found]})
        if found
        else Event(key, "ready", {})
        for key, found in changed.items()
    ]
    write_events(connection, events, actor=run_id, now_at=now_at)
    hashes = {key: one.content_hash for key, one in current.items()}
    wanted = [one for one in planned if hashes.get(one.expense_id) == one.content_hash]
    write_planned_expenses(connection, wanted, run_id=run_id, now_at=now_at)


def _organisations(some: Sequence[LedgerExpense]) -> set[int]:
    return {one.organisation_id for one in some if one.organisation_id is not None}


def _link(
    one: LedgerExpense, links: Mapping[tuple[str, str], LinkedAccount]
) -> LinkedAccount | None:
    return links.get((one.expense.source, one.expense.account_id_source))


def _read_books(
    client: XeroClient, some: Sequence[LedgerExpense], engine: Engine, organisation_id: int
) -> _Books:
    """Chart, lock date, and the payments around these expenses that are not ours."""
    organisation = read_organisation(client)
    locks = [organisation.period_lock_date, organisation.year_end_lock_date]
    others, references = _others(client, some, engine, organisation_id)
    return _Books(
        read_chart(client),
        max((lock for lock in locks if lock), default=None),
        references,
        others,
    )


def _others(
    client: XeroClient, some: Sequence[LedgerExpense], engine: Engine, organisation_id: int
) -> tuple[OtherPayments, frozenset[str]]:
    """What stands in Xero around these expenses and is not ours, and the references there."""
    others, references = OtherPayments(), set()
    there: list[BankTransactionInXero] = []
    for kind in (DocumentKind.SPEND_MONEY, DocumentKind.RECEIVE_MONEY):
        is_in = kind is DocumentKind.RECEIVE_MONEY
        dates = [one.expense.spent_date for one in some if one.expense.is_money_in is is_in]
        if not dates:
            continue
        first, last = min(dates) - AROUND, max(dates) + AROUND
        there += list_bank_transactions(client, kind, first, last)
        for bill in () if is_in else list_bills(client, first - BILL_BEFORE, last):
            others.add(_bill(bill))
    # Read after Xero's list, so that what another run posts meanwhile is known as ours.
    with engine.connect() as connection:
        ours = our_transactions(connection, organisation_id)
    for found in there:
        if found.id_xero not in ours.ids_xero and found.reference not in ours.unsettled_references:
            others.add(_bank_payment(found))
            references.add(found.reference)
    return others, frozenset(references)


def _bank_payment(found: BankTransactionInXero) -> OtherPayment:
    return OtherPayment(
        found.kind,
        found.bank_account_code,
        found.id_xero,
        found.reference,
        found.contact_name,
        found.total_amount,
        (found.date,),
    )


def _bill(bill: BillInXero) -> OtherPayment:
    return OtherPayment(
        BILL,
        bill.currency,
        bill.id_xero,
        bill.reference,
        bill.contact_name,
        bill.total_amount,
        bill.dates,
    )


def _plan_one(
    one: LedgerExpense,
    mappings: Mapping[int, DatedExpenseMappings],
    books: Mapping[int, _Books],
    prefix: str,
) -> tuple[SpendMoney | None, list[Problem]]:
    """The document of an eligible expense, or why there is none."""
    assert one.organisation_id is not None, "an eligible expense's account is linked"
    expense, book = one.expense, books[one.organisation_id]
    mapping = mappings[one.organisation_id].on(expense.spent_date)
    account = f"{expense.source}:{expense.account_id_source}"
    if mapping is None or account not in mapping.accounts:
        return None, [
            Problem(
                ProblemCode.NO_MAPPING,
                expense.spent_date.isoformat(),
                f"No expense mapping in force on {expense.spent_date} names {account}. Load one "
                "whose effective_date is not later: daybook expenses mapping FILE",
            )
        ]
    plan = plan_spend_money(expense, one.override, mapping, book.chart, prefix=prefix)
    problems = list(plan.problems)
    if book.locked_until and expense.spent_date <= book.locked_until:
        problems.append(
            Problem(
                ProblemCode.LOCKED,
                expense.spent_date.isoformat(),
                f"Xero is locked up to {book.locked_until}. Unlock the period in Xero, or post the "
                "expense by hand and mark it so.",
            )
        )
    if plan.document is not None and not one.override.is_no_double:
        double = book.others.double_of(plan.document, expense.reference)
        problems += [double] if double else []
    return (None if problems else plan.document), problems
