"""Posts correcting entries for synced expenses that changed and that Xero does not let change.

The entries are documents like any other: planned with a natural key, posted once by `post`, and
looked up when a reply was lost. Asking again compares with all entries so far, and finds nothing.
What the difference is computed from is compared with Xero first: an entry on top of what somebody
changed there would be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from daybook.expenses.problems import CORRECTABLE, Problem, ProblemCode
from daybook.expenses.states import Stage
from daybook.jobs.expense_in_xero import differences, different_in_xero, removed_in_xero
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
from daybook.ledger.expense_removals import write_correction_removed
from daybook.ledger.expenses import Event, read_expenses, write_events, write_problems
from daybook.ledger.organisation_lock import organisation_lock
from daybook.posting.expense_correction import plan_corrections
from daybook.xero.bank_transactions import read_bank_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from daybook.clock import Clock
    from daybook.jobs.sync_expenses import Syncing
    from daybook.jobs.update_expenses import UpdateBooks
    from daybook.ledger.expense_corrections import StoredCorrection
    from daybook.ledger.expenses import LedgerExpense
    from daybook.ledger.organisations import Organisation
    from daybook.posting.documents import SpendMoney


@dataclass(frozen=True, slots=True)
class ExpensesCorrected:
    """What correcting came to: the entries by expense, and why there is none for others.

    `note` says what a person should know of the dates.
    """

    entries: dict[str, tuple[SpendMoney, ...]]
    problems: dict[str, tuple[Problem, ...]]
    note: str = ""

    @property
    def sentences(self) -> list[str]:
        """One sentence per entry, and per problem."""
        said = [
            f"{key}: {one.kind.replace('_', ' ')} of {one.total_amount} {one.currency} dated "
            f"{one.date} on account {_accounts(one)}, reference {one.reference}."
            for key, entries in self.entries.items()
            for one in entries
        ]
        said += [self.note] if self.note else []
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
        _post(syncing, organisation, ())  # looks up what an earlier run left unsettled
    corrected, hashes = _plan(syncing, organisation, expense_ids, dry_run=dry_run)
    if dry_run or not corrected.entries:
        return corrected
    _post(syncing, organisation, list(corrected.entries))
    with syncing.engine.begin() as connection:
        settled = _settle(connection, corrected.entries, hashes, syncing)
    return replace(
        settled, problems={**corrected.problems, **settled.problems}, note=corrected.note
    )


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


@dataclass(frozen=True, slots=True)
class _Known:
    """What the ledger has of one expense: its version, and every entry about it so far."""

    one: LedgerExpense
    original: SpendMoney | None
    corrections: tuple[StoredCorrection, ...]
    was_corrected: bool


def _plan(
    syncing: Syncing, organisation: Organisation, expense_ids: Sequence[str], *, dry_run: bool
) -> tuple[ExpensesCorrected, dict[str, str]]:
    """Compare what is wanted with the original and its entries so far; store what is missing.

    Also returns the version of each expense that was compared.
    """
    entries: dict[str, tuple[SpendMoney, ...]] = {}
    problems: dict[str, tuple[Problem, ...]] = {}
    agreeing = []
    with organisation_lock(
        syncing.engine, organisation, wait_seconds=600, clock=syncing.clock
    ) as connection:
        with connection.begin():
            known = _known(connection, organisation, expense_ids)
            mappings = read_expense_mappings(connection)[organisation.organisation_id]
        client = syncing.client_of(organisation.organisation_id)
        books = read_books(client, mappings, syncing.prefix)
        gone: dict[str, list[StoredCorrection]] = {}
        for one in known:
            expense_id = one.one.expense.expense_id
            gone[expense_id] = _removed(one, books)
            kept = tuple(each for each in one.corrections if each not in gone[expense_id])
            found = _entries(replace(one, corrections=kept), books, syncing.clock)
            if isinstance(found, Problem):
                problems[expense_id] = (found,)
            elif found:
                entries[expense_id] = found
            else:
                agreeing.append(expense_id)
        hashes = {one.one.expense.expense_id: one.one.content_hash for one in known}
        if not dry_run:
            with connection.begin():
                now_at = syncing.clock.now()
                for expense_id, removed in gone.items():
                    write_correction_removed(
                        connection, expense_id, removed, actor=syncing.run_id, now_at=now_at
                    )
                write_reviewed(connection, {key: hashes[key] for key in agreeing}, now_at=now_at)
                _store(connection, organisation, hashes, entries, syncing)
    dates = {one.one.expense.expense_id: one.one.expense.spent_date for one in known}
    is_today = any(one.date != dates[key] for key, found in entries.items() for one in found)
    note = books.zone_note if is_today else ""
    return ExpensesCorrected(entries, problems, note), hashes


def _removed(known: _Known, books: UpdateBooks) -> list[StoredCorrection]:
    """The entries that somebody removed in Xero: they count no more."""
    return [
        each
        for each in known.corrections
        if each.id_xero is not None and read_bank_transaction(books.client, each.id_xero).is_removed
    ]


def _known(
    connection: Connection, organisation: Organisation, expense_ids: Sequence[str]
) -> list[_Known]:
    some = [
        one
        for one in read_expenses(connection, expense_ids)
        if one.organisation_id == organisation.organisation_id
    ]
    ids = [one.expense.expense_id for one in some]
    filed, corrections = filed_expense_documents(connection, ids), read_corrections(connection, ids)
    return [
        _Known(
            one,
            filed.get(key),
            tuple(c for c in corrections[key] if c.state in SENT_STATES),
            any(c.state in SENT_STATES for c in corrections[key]),
        )
        for key, one in zip(ids, some, strict=True)
    ]


def _store(
    connection: Connection,
    organisation: Organisation,
    hashes: dict[str, str],
    entries: dict[str, tuple[SpendMoney, ...]],
    syncing: Syncing,
) -> None:
    planned = [
        PlannedExpense(key, organisation.organisation_id, document, hashes[key])
        for key, documents in entries.items()
        for document in documents
    ]
    write_corrections(
        connection, list(hashes), planned, run_id=syncing.run_id, now_at=syncing.clock.now()
    )


def _entries(known: _Known, books: UpdateBooks, clock: Clock) -> tuple[SpendMoney, ...] | Problem:
    """What is missing in Xero for one expense, or why nothing can be said or done about it."""
    one, original = known.one, known.original
    expense_id = one.expense.expense_id
    is_correctable = any(problem.code in CORRECTABLE for problem in one.problems)
    unknown = _unknown(known)
    if unknown is not None:
        return unknown
    is_in_xero = one.stage is Stage.SYNCED and original is not None
    if original is None or not is_in_xero or not (is_correctable or known.was_corrected):
        return _needless(expense_id)
    plan = wanted_plan(one, books)
    if plan.document is None:
        return plan.problems[0]
    entry_date = plan.document.date
    if books.locked_until and entry_date <= books.locked_until:
        entry_date = books.today(clock.now())
    if books.locked_until and entry_date <= books.locked_until:
        said = f"Xero is locked up to {books.locked_until}, so no entry can be dated today."
        return Problem(ProblemCode.LOCKED, expense_id, said)
    filed = [original, *(each.document for each in known.corrections)]
    ids_xero = [one.id_xero, *(each.id_xero for each in known.corrections)]
    changed = _changed_in_xero(expense_id, filed, ids_xero, books)
    missing = plan_corrections(filed, plan.document, books.chart.tax_rates, entry_date=entry_date)
    return changed or (missing if missing or is_correctable else _needless(expense_id))


def _unknown(known: _Known) -> Problem | None:
    """The hold of an expense of which it is not known what Xero holds."""
    expense_id = known.one.expense.expense_id
    if known.one.is_updating:
        said = (
            "It is not known yet whether Xero took an earlier update of it. Daybook looks it up "
            f"first: daybook expenses sync {expense_id}"
        )
        return Problem(ProblemCode.NOT_CORRECTABLE, expense_id, said)
    unsettled = [each for each in known.corrections if each.state != "posted"]
    if not unsettled:
        return None
    said = unsettled[0].sentence or (
        "It is not known yet whether Xero took an earlier correcting entry. Ask again in a "
        "minute; Daybook looks it up first."
    )
    return Problem(ProblemCode.NOT_CORRECTABLE, expense_id, said)


def _needless(expense_id: str) -> Problem:
    said = (
        "No correcting entry is needed: it is not in Xero yet, or nothing stands in the way of "
        f"updating it there. Sync it: daybook expenses sync {expense_id}"
    )
    return Problem(ProblemCode.NOT_CORRECTABLE, expense_id, said)


def _changed_in_xero(
    expense_id: str, filed: Sequence[SpendMoney], ids_xero: Sequence[str | None], books: UpdateBooks
) -> Problem | None:
    """The hold of an expense whose entries are not in Xero as they were posted."""
    for document, id_xero in zip(filed, ids_xero, strict=True):
        assert id_xero is not None, "what is posted has its id"
        there = read_bank_transaction(books.client, id_xero)
        if there.is_removed:
            return removed_in_xero(document.reference, expense_id)
        found = differences(document, there)
        if found:
            return different_in_xero(document.reference, expense_id, found)
    return None


def _settle(
    connection: Connection,
    entries: dict[str, tuple[SpendMoney, ...]],
    hashes: dict[str, str],
    syncing: Syncing,
) -> ExpensesCorrected:
    """Record with each expense what became of its entries: those posted, and why others are not.

    An expense that changed since the entries were planned keeps its entries and stays Updated.
    """
    expenses = {
        one.expense.expense_id: one
        for one in read_expenses(connection, list(entries), for_update=True)
    }
    posted: dict[str, tuple[SpendMoney, ...]] = {}
    said: dict[str, tuple[Problem, ...]] = {}
    stored: dict[str, tuple[Problem, ...]] = {}
    events = []
    for key, found in read_corrections(connection, list(entries)).items():
        there = {one.document.natural_key: one for one in found}
        mine = [there.get(one.natural_key) for one in entries[key]]
        done = tuple(one.document for one in mine if one and one.state == "posted")
        posted |= {key: done} if done else {}
        problem = next((_not_posted(key, one) for one in mine if not _is_posted(one)), None)
        if problem is None:
            references = [one.reference for one in done]
            events.append(Event(key, "corrected", {"references": references}))
            continue
        said[key] = (problem,)
        if problem.code is ProblemCode.REFUSED:
            stored[key] = said[key] = (*expenses[key].problems, problem)
            events.append(Event(key, "correction refused", {"why": problem.sentence}))
    now_at = syncing.clock.now()
    reviewed = {key: hashes[key] for key in entries if key not in said}
    write_reviewed(connection, reviewed, now_at=now_at)
    write_problems(connection, stored, now_at=now_at)
    write_events(connection, events, actor=syncing.run_id, now_at=now_at)
    return ExpensesCorrected(posted, said)


def _is_posted(stored: StoredCorrection | None) -> bool:
    return stored is not None and stored.state == "posted"


def _not_posted(expense_id: str, stored: StoredCorrection | None) -> Problem:
    """Why an entry is not in Xero: it is not wanted as it was, Xero refused it, or no answer."""
    if stored is None or (stored.state == "planned" and not stored.sentence):
        said = "It changed meanwhile, so no entry was posted as it was planned. Ask again."
        return Problem(ProblemCode.NOT_CORRECTABLE, expense_id, said)
    sentence = stored.sentence or "It is not known whether Xero took the entry; ask again."
    reference = stored.document.reference
    said = f"The correcting entry {reference} is not in Xero: {sentence}"
    return Problem(ProblemCode.REFUSED, reference, said)
