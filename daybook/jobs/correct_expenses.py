"""Posts correcting entries for synced expenses that changed and that Xero does not let change.

The entries are documents like any other: planned with a natural key, posted once by `post`, and
looked up when a reply was lost. Asking again compares with all entries so far, and finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.expenses.problems import CORRECTABLE, Problem, ProblemCode
from daybook.expenses.states import Stage
from daybook.jobs.post import post
from daybook.jobs.update_expenses import read_books, wanted_plan
from daybook.ledger.documents import SENT_STATES
from daybook.ledger.expense_corrections import (
    read_corrections,
    write_corrections,
    write_reviewed,
)
from daybook.ledger.expense_documents import PlannedExpense, filed_expense_documents
from daybook.ledger.expense_mappings import read_expense_mappings
from daybook.ledger.expenses import Event, read_expenses, write_events, write_problems
from daybook.ledger.organisation_lock import organisation_lock
from daybook.posting.expense_correction import plan_corrections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from daybook.clock import Clock
    from daybook.jobs.sync_expenses import Syncing
    from daybook.jobs.update_expenses import UpdateBooks
    from daybook.ledger.expenses import LedgerExpense
    from daybook.ledger.organisations import Organisation
    from daybook.posting.documents import SpendMoney


@dataclass(frozen=True, slots=True)
class ExpensesCorrected:
    """What correcting came to: the entries by expense, and why there is none for others."""

    entries: dict[str, tuple[SpendMoney, ...]]
    problems: dict[str, tuple[Problem, ...]]

    @property
    def sentences(self) -> list[str]:
        """One sentence per entry, and per problem."""
        said = [
            f"{key}: {one.kind.replace('_', ' ')} of {one.total_amount} {one.currency} dated "
            f"{one.date} on account {_accounts(one)}, reference {one.reference}."
            for key, entries in self.entries.items()
            for one in entries
        ]
        return said + [f"{key}: {p.sentence}" for key, all_ in self.problems.items() for p in all_]

    def __str__(self) -> str:
        """For a person."""
        count = sum(map(len, self.entries.values()))
        return (
            f"correcting entries: {count}, for expenses: {len(self.entries)}; "
            f"expenses left as they are: {len(self.problems)}"
        )


def _accounts(entry: SpendMoney) -> str:
    return ", ".join(dict.fromkeys(line.account_code for line in entry.lines))


def correct_expenses(
    syncing: Syncing,
    organisation: Organisation,
    expense_ids: Sequence[str],
    *,
    dry_run: bool = False,
) -> ExpensesCorrected:
    """Post what is missing in Xero for these expenses, as entries of their own."""
    if not dry_run:
        _post(syncing, organisation, expense_ids)  # what an earlier run left unsettled
    corrected = _plan(syncing, organisation, expense_ids, dry_run=dry_run)
    if dry_run or not corrected.entries:
        return corrected
    _post(syncing, organisation, list(corrected.entries))
    with syncing.engine.begin() as connection:
        problems = _settle(connection, corrected, syncing)
    return ExpensesCorrected(corrected.entries, {**corrected.problems, **problems})


def _post(syncing: Syncing, organisation: Organisation, expense_ids: Sequence[str]) -> None:
    post(
        syncing.engine,
        syncing.client_of(organisation.organisation_id),
        organisation,
        (),
        expense_ids=expense_ids,
        run_id=syncing.run_id,
        clock=syncing.clock,
        progress=syncing.progress,
    )


def _plan(
    syncing: Syncing, organisation: Organisation, expense_ids: Sequence[str], *, dry_run: bool
) -> ExpensesCorrected:
    """Compare what is wanted with the original and its entries so far; store what is missing."""
    entries: dict[str, tuple[SpendMoney, ...]] = {}
    problems: dict[str, tuple[Problem, ...]] = {}
    with organisation_lock(
        syncing.engine, organisation, wait_seconds=600, clock=syncing.clock
    ) as connection:
        with connection.begin():
            some = [
                one
                for one in read_expenses(connection, expense_ids)
                if one.organisation_id == organisation.organisation_id
            ]
            mappings = read_expense_mappings(connection)[organisation.organisation_id]
        client = syncing.client_of(organisation.organisation_id)
        books = read_books(client, mappings, syncing.prefix)
        with connection.begin():
            for one in some:
                expense_id = one.expense.expense_id
                found = _entries(connection, one, books, syncing.clock)
                if isinstance(found, Problem):
                    problems[expense_id] = (found,)
                elif found:
                    entries[expense_id] = found
                elif not dry_run:
                    write_reviewed(
                        connection, {expense_id: one.content_hash}, now_at=syncing.clock.now()
                    )
            if not dry_run:
                _store(connection, organisation, some, entries, syncing)
    return ExpensesCorrected(entries, problems)


def _store(
    connection: Connection,
    organisation: Organisation,
    some: Sequence[LedgerExpense],
    entries: dict[str, tuple[SpendMoney, ...]],
    syncing: Syncing,
) -> None:
    hashes = {one.expense.expense_id: one.content_hash for one in some}
    planned = [
        PlannedExpense(key, organisation.organisation_id, document, hashes[key])
        for key, documents in entries.items()
        for document in documents
    ]
    write_corrections(
        connection, list(hashes), planned, run_id=syncing.run_id, now_at=syncing.clock.now()
    )


def _entries(
    connection: Connection, one: LedgerExpense, books: UpdateBooks, clock: Clock
) -> tuple[SpendMoney, ...] | Problem:
    """What is missing in Xero for one expense, or why nothing can be said or done about it."""
    expense_id = one.expense.expense_id
    if one.stage is not Stage.SYNCED or not any(p.code in CORRECTABLE for p in one.problems):
        said = (
            "No correcting entry is needed: it is not in Xero yet, or nothing stands in the way of "
            f"updating it there. Sync it: daybook expenses sync {expense_id}"
        )
        return Problem(ProblemCode.NOT_CORRECTABLE, expense_id, said)
    plan = wanted_plan(one, books)
    if plan.document is None:
        return plan.problems[0]
    corrections = [
        each
        for each in read_corrections(connection, [expense_id])[expense_id]
        if each.state in SENT_STATES
    ]
    if any(each.state != "posted" for each in corrections):
        said = (
            "It is not known yet whether Xero took an earlier correcting entry. Ask again in a "
            "minute; Daybook looks it up first."
        )
        return Problem(ProblemCode.NOT_CORRECTABLE, expense_id, said)
    entry_date = plan.document.date
    if books.locked_until and entry_date <= books.locked_until:
        entry_date = clock.now().date()
    if books.locked_until and entry_date <= books.locked_until:
        said = f"Xero is locked up to {books.locked_until}, so no entry can be dated today."
        return Problem(ProblemCode.LOCKED, expense_id, said)
    original = filed_expense_documents(connection, [expense_id])[expense_id]
    filed = [original, *(each.document for each in corrections)]
    return plan_corrections(filed, plan.document, books.chart.tax_rates, entry_date=entry_date)


def _settle(
    connection: Connection, corrected: ExpensesCorrected, syncing: Syncing
) -> dict[str, tuple[Problem, ...]]:
    """Record with each expense what became of its entries; the problems of those not posted."""
    now_at = syncing.clock.now()
    expenses = {
        one.expense.expense_id: one for one in read_expenses(connection, list(corrected.entries))
    }
    problems: dict[str, tuple[Problem, ...]] = {}
    hashes: dict[str, str] = {}
    events = []
    for key, stored in read_corrections(connection, list(corrected.entries)).items():
        wanted = {one.natural_key for one in corrected.entries[key]}
        mine = [one for one in stored if one.document.natural_key in wanted]
        references = [one.document.reference for one in mine]
        refused = [one for one in mine if one.state != "posted"]
        if not refused:
            hashes[key] = expenses[key].content_hash
            events.append(Event(key, "corrected", {"references": references}))
            continue
        sentence = refused[0].sentence or "It is not known whether Xero took the entry; ask again."
        reference = refused[0].document.reference
        said = f"The correcting entry {reference} is not in Xero: {sentence}"
        problems[key] = (*expenses[key].problems, Problem(ProblemCode.REFUSED, reference, said))
        events.append(Event(key, "correction refused", {"why": said}))
    write_reviewed(connection, hashes, now_at=now_at)
    write_problems(connection, problems, now_at=now_at)
    write_events(connection, events, actor=syncing.run_id, now_at=now_at)
    return problems
