"""Brings synced expenses that changed since into Xero, while Xero lets them change.

An update replaces the whole bank transaction by the same one however often it is sent, so that
after a lost reply it is simply sent again. That it is sent is committed first: after a crash, or
when no answer came, the next run reads from Xero which version is there before anything else.
Reconciled or locked ones are left, and it is said why.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.errors import Refused, UnknownOutcome
from daybook.expenses.problems import Problem, ProblemCode
from daybook.expenses.states import Stage
from daybook.jobs.expense_in_xero import (
    differences,
    different_in_xero,
    is_same,
    removed_in_xero,
    version_in_xero,
)
from daybook.jobs.post import ARRIVAL_SECONDS, TURN_SECONDS
from daybook.ledger.documents import SENT_STATES
from daybook.ledger.expense_corrections import read_corrections
from daybook.ledger.expense_documents import (
    PlannedExpense,
    filed_expense_documents,
    read_updating,
    write_update_settled,
    write_updated_expense,
    write_updating,
)
from daybook.ledger.expense_mappings import read_expense_mappings
from daybook.ledger.expenses import Event, read_expenses, write_events, write_problems
from daybook.ledger.organisation_lock import organisation_lock, somebody_waits
from daybook.posting.documents import DocumentKind, payload_hash
from daybook.posting.expense_correction import plan_corrections
from daybook.posting.spend_money import ExpensePlan, plan_spend_money
from daybook.wording import counted
from daybook.xero.bank_transactions import read_bank_transaction, update_bank_transaction
from daybook.xero.reference_data import ensure_contacts, read_chart, read_organisation
from daybook.xero.refusals import explained
from daybook.xero.time_zones import zone_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from decimal import Decimal

    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock
    from daybook.ledger.expense_mappings import DatedExpenseMappings
    from daybook.ledger.expenses import LedgerExpense
    from daybook.ledger.organisations import Organisation
    from daybook.posting.chart import ChartFacts
    from daybook.posting.documents import SpendMoney
    from daybook.xero.bank_transactions import BankTransactionInXero
    from daybook.xero.client import XeroClient

_TRIES: Final = 3
# So long a run that let another go first waits to go on.
_WAY_BACK_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class ExpensesUpdated:
    """What updating came to."""

    updated_count: int
    unchanged_count: int
    problems: dict[str, tuple[Problem, ...]]

    def __str__(self) -> str:
        """For the log."""
        return (
            f"{counted(self.updated_count, 'expense')} updated in Xero, "
            f"{counted(self.unchanged_count, 'needs', 'need')} no update, "
            f"{len(self.problems)} cannot be updated"
        )


@dataclass(frozen=True, slots=True)
class UpdateBooks:
    """What is known of one organisation while updating."""

    client: XeroClient
    chart: ChartFacts
    locked_until: dt.date | None
    mappings: DatedExpenseMappings
    prefix: str
    time_zone_xero: str

    def today(self, now_at: dt.datetime) -> dt.date:
        """The organisation's own date; that of UTC where its zone is not known."""
        return now_at.astimezone(zone_of(self.time_zone_xero) or dt.UTC).date()

    @property
    def zone_note(self) -> str:
        """What a person should know of that date; "" where the zone is known."""
        if zone_of(self.time_zone_xero) is not None:
            return ""
        return (
            f"Daybook does not know the time zone that Xero says of the organisation "
            f"('{self.time_zone_xero}'), so that today is the date of UTC."
        )


def update_expenses(  # noqa: PLR0913 - the composition of one update
    engine: Engine,
    client: XeroClient,
    organisation: Organisation,
    expense_ids: Collection[str] | None,
    *,
    prefix: str,
    run_id: str,
    clock: Clock,
    lock_wait_seconds: float = 600,
) -> ExpensesUpdated:
    """Update these synced expenses, or all, where something changed since they were synced.

    A run holds the organisation for a turn, and lets one that waits for it go first.
    """
    done: dict[str, _Done] = {}
    wait_seconds, gives_way = lock_wait_seconds, False
    while True:
        with organisation_lock(
            engine, organisation, wait_seconds=wait_seconds, clock=clock, gives_way=gives_way
        ) as connection:
            changed = _changed(connection, organisation, expense_ids, done)
            if not changed:
                return _counted(done)
            with connection.begin():
                mappings = read_expense_mappings(connection)[organisation.organisation_id]
            books = read_books(client, mappings, prefix)
            _take_turn(_Updating(connection, books, run_id, clock, organisation), changed, done)
        wait_seconds, gives_way = max(lock_wait_seconds, _WAY_BACK_SECONDS), True


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of one expense: whether Xero was changed, or why it was not."""

    is_sent: bool
    problems: tuple[Problem, ...]


def _counted(done: Mapping[str, _Done]) -> ExpensesUpdated:
    sent_count = sum(one.is_sent for one in done.values())
    problems = {key: one.problems for key, one in done.items() if one.problems}
    return ExpensesUpdated(sent_count, len(done) - sent_count - len(problems), problems)


def _changed(
    connection: Connection,
    organisation: Organisation,
    expense_ids: Collection[str] | None,
    done: Collection[str],
) -> list[LedgerExpense]:
    """The synced expenses that may need an update and did not have their turn yet."""
    with connection.begin():
        synced = read_expenses(connection, expense_ids, stage=Stage.SYNCED)
    return [
        one
        for one in synced
        if (one.is_updated or one.problems)
        and one.organisation_id == organisation.organisation_id
        and one.expense.expense_id not in done
    ]


def _take_turn(
    updating: _Updating, changed: Sequence[LedgerExpense], done: dict[str, _Done]
) -> None:
    """Update one after the other, until all are done or another run has waited long enough."""
    connection, clock = updating.connection, updating.clock
    ids = [one.expense.expense_id for one in changed]
    with connection.begin():
        filed = filed_expense_documents(connection, ids)
        corrections = read_corrections(connection, ids)
    turn_ends_at = clock.now() + dt.timedelta(seconds=TURN_SECONDS)
    for one in changed:
        expense_id = one.expense.expense_id
        entries = [each.document for each in corrections[expense_id] if each.state in SENT_STATES]
        plan, is_sent = _update(updating, one, filed[expense_id], entries)
        with connection.begin():
            _write(connection, one, plan, run_id=updating.run_id, clock=clock)
        done[expense_id] = _Done(is_sent, plan.problems)
        if clock.now() >= turn_ends_at and somebody_waits(connection, updating.organisation):
            return


@dataclass(frozen=True, slots=True)
class _Updating:
    """One run: `connection` holds the organisation's lock."""

    connection: Connection
    books: UpdateBooks
    run_id: str
    clock: Clock
    organisation: Organisation


def _update(
    updating: _Updating, one: LedgerExpense, filed: SpendMoney, entries: Sequence[SpendMoney]
) -> tuple[ExpensePlan, bool]:
    """What is recorded as being in Xero, or the problems; and whether Xero was changed."""
    is_certain = True
    if one.is_updating:
        found = _settle(updating, one, filed)
        is_certain, filed = found is not None, found or filed
    plan = wanted_plan(one, updating.books)
    document = plan.document
    if document is None:
        return plan, False
    if entries:
        whole = [filed, *entries]
        return ExpensePlan(filed, corrected_problems(one, document, whole, updating.books)), False
    was_different = any(p.code is ProblemCode.DIFFERENT_IN_XERO for p in one.problems)
    is_as_filed = payload_hash(document) == payload_hash(filed)
    if is_certain and is_as_filed and not was_different:
        return ExpensePlan(document), False
    problems = _send(updating, one, document, filed)
    return ExpensePlan(document, problems), not problems


def _settle(updating: _Updating, one: LedgerExpense, before: SpendMoney) -> SpendMoney | None:
    """Which version Xero holds after an update without an answer; None when it is neither."""
    assert one.id_xero is not None, "a synced expense is in Xero"
    expense_id, clock = one.expense.expense_id, updating.clock
    with updating.connection.begin():
        after = read_updating(updating.connection, expense_id)
    # It may have waited for minutes for Xero's limits: nobody knows when it left.
    clock.sleep(ARRIVAL_SECONDS)
    theirs = read_bank_transaction(updating.books.client, one.id_xero)
    version = version_in_xero(before, after, theirs)
    if version is not None:
        with updating.connection.begin():
            write_update_settled(
                updating.connection, expense_id, version, run_id=updating.run_id, now_at=clock.now()
            )
    return version


def read_books(client: XeroClient, mappings: DatedExpenseMappings, prefix: str) -> UpdateBooks:
    """Chart and lock date as they are now."""
    organisation = read_organisation(client)
    locks = [organisation.period_lock_date, organisation.year_end_lock_date]
    locked_until = max((lock for lock in locks if lock), default=None)
    return UpdateBooks(
        client,
        read_chart(client),
        locked_until,
        mappings,
        prefix,
        organisation.time_zone_xero,
    )


def wanted_plan(one: LedgerExpense, books: UpdateBooks) -> ExpensePlan:
    """What should be in Xero now."""
    expense = one.expense
    mapping = books.mappings.on(expense.spent_date)
    account = f"{expense.source}:{expense.account_id_source}"
    if mapping is None or account not in mapping.accounts:
        sentence = f"No expense mapping in force on {expense.spent_date} names {account}."
        return ExpensePlan(None, (Problem(ProblemCode.NO_MAPPING, account, sentence),))
    return plan_spend_money(expense, one.override, mapping, books.chart, prefix=books.prefix)


def corrected_problems(
    one: LedgerExpense, document: SpendMoney, filed: Sequence[SpendMoney], books: UpdateBooks
) -> tuple[Problem, ...]:
    """Whether a document with correcting entries comes to what is wanted; it is not changed."""
    if not plan_corrections(filed, document, books.chart.tax_rates, entry_date=document.date):
        return ()
    sentence = (
        f"It was corrected by {filed[-1].reference}, so the original stays as it is. Post another "
        f"entry for the difference: daybook expenses correct {one.expense.expense_id}"
    )
    return (Problem(ProblemCode.CORRECTED, document.reference, sentence),)


def kept_as_is(
    there: BankTransactionInXero, document: SpendMoney, filed: SpendMoney, books: UpdateBooks
) -> tuple[Problem, ...] | None:
    """Why it is left as Xero holds it, if so; without a reason when that is what is wanted."""
    expense_id = document.natural_key.partition(":")[2]
    if there.is_removed:
        return (removed_in_xero(document.reference, expense_id),)
    found = [] if is_same(document, there) else differences(filed, there)
    if found:
        return (different_in_xero(document.reference, expense_id, found),)
    fixed = _fixed(there, document, filed, books)
    return None if fixed is None else _left(there, document, filed, fixed, books)


def _send(
    updating: _Updating, one: LedgerExpense, document: SpendMoney, filed: SpendMoney
) -> tuple[Problem, ...]:
    """Update it in Xero, or say why not and which entry would correct it."""
    assert one.id_xero is not None, "a synced expense is in Xero"
    client = updating.books.client
    for attempt in range(1, _TRIES + 1):
        there = read_bank_transaction(client, one.id_xero)
        kept = kept_as_is(there, document, filed, updating.books)
        if kept is not None:
            return kept
        try:
            contact_ids = ensure_contacts(client, [document.contact_name])
            with updating.connection.begin():
                write_updating(
                    updating.connection,
                    one.expense.expense_id,
                    document,
                    run_id=updating.run_id,
                    now_at=updating.clock.now(),
                )
            update_bank_transaction(
                client, one.id_xero, document, contact_id=contact_ids[document.contact_name]
            )
        except Refused as refusal:
            words = refusal.messages or (str(refusal),)
            return (Problem(ProblemCode.REFUSED, document.reference, explained(words)),)
        except UnknownOutcome:
            if attempt == _TRIES:
                raise
        else:
            return ()
    raise AssertionError("unreachable: the last attempt returns or raises")


def _fixed(
    there: BankTransactionInXero, document: SpendMoney, filed: SpendMoney, books: UpdateBooks
) -> tuple[ProblemCode, str] | None:
    """Why Xero does not let it change, if so."""
    if document.kind is not filed.kind:
        why = "It was money out and is money in now, or the other way round: Xero keeps the kind."
        return ProblemCode.KIND_CHANGED, why
    if books.locked_until and min(document.date, filed.date) <= books.locked_until:
        return ProblemCode.LOCKED, f"Xero is locked up to {books.locked_until}."
    if there.is_reconciled:
        why = "It is reconciled with a statement line in Xero, so Xero does not let it change."
        return ProblemCode.RECONCILED, why
    return None


def _left(
    there: BankTransactionInXero,
    document: SpendMoney,
    filed: SpendMoney,
    fixed: tuple[ProblemCode, str],
    books: UpdateBooks,
) -> tuple[Problem, ...]:
    """The entry that would correct it; none where Xero holds what is wanted, and more than that."""
    if differences(filed, there):
        return ()  # it is what is wanted: the ledger takes it over
    if not plan_corrections([filed], document, books.chart.tax_rates, entry_date=document.date):
        code, why = fixed
        expense_id = document.natural_key.partition(":")[2]
        said = (
            f"{why} Only its date, contact or description changed, which no entry corrects. Change "
            f"that in Xero if it matters, then say so: daybook expenses correct {expense_id}"
        )
        return (Problem(code, document.reference, said),)
    return (_correct_by_entry(*fixed, document, filed),)


def _correct_by_entry(
    code: ProblemCode, why: str, document: SpendMoney, filed: SpendMoney
) -> Problem:
    """Why it cannot change, and the entry that Daybook would post instead."""
    difference = _signed(document) - _signed(filed)
    accounts = ", ".join(dict.fromkeys(line.account_code for line in filed.lines))
    wanted = ", ".join(dict.fromkeys(line.account_code for line in document.lines))
    entry = (
        f"{document.total_amount} {document.currency} from account {accounts} to {wanted}"
        if difference == 0
        else f"{difference} {document.currency} on account {wanted}"
    )
    expense_id = document.natural_key.partition(":")[2]
    return Problem(
        code,
        document.reference,
        f"{why} Undo that in Xero and sync the expense again, or let Daybook post a correcting "
        f"entry of {entry}: daybook expenses correct {expense_id}",
    )


def _signed(document: SpendMoney) -> Decimal:
    amount = document.total_amount
    return amount if document.kind is DocumentKind.SPEND_MONEY else -amount


def _write(
    connection: Connection,
    one: LedgerExpense,
    plan: ExpensePlan,
    *,
    run_id: str,
    clock: Clock,
) -> None:
    """Record the outcome with the expense and its document."""
    expense_id, now_at = one.expense.expense_id, clock.now()
    if plan.problems or plan.document is None:
        write_problems(connection, {expense_id: plan.problems}, now_at=now_at)
        event = Event(expense_id, "update error", {"why": [p.sentence for p in plan.problems]})
    else:
        assert one.organisation_id is not None, "a synced expense's account was linked"
        planned = PlannedExpense(expense_id, one.organisation_id, plan.document, one.content_hash)
        write_updated_expense(connection, planned, run_id=run_id, now_at=now_at)
        event = Event(expense_id, "updated", {"id_xero": one.id_xero})
    write_events(connection, [event], actor=run_id, now_at=now_at)
