"""What updating synced expenses would change in Xero; writes nothing there, nor into the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.expenses.states import Stage
from daybook.jobs.expense_in_xero import changes, version_in_xero
from daybook.jobs.update_expenses import corrected_problems, kept_as_is, read_books, wanted_plan
from daybook.ledger.documents import SENT_STATES
from daybook.ledger.expense_corrections import read_corrections
from daybook.ledger.expense_documents import filed_expense_documents, read_updating
from daybook.ledger.expense_mappings import read_expense_mappings
from daybook.ledger.expenses import read_expenses
from daybook.wording import counted
from daybook.xero.bank_transactions import read_bank_transaction

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Engine

    from daybook.expenses.problems import Problem
    from daybook.jobs.update_expenses import UpdateBooks
    from daybook.ledger.expenses import LedgerExpense
    from daybook.ledger.organisations import Organisation
    from daybook.posting.documents import SpendMoney
    from daybook.xero.client import XeroClient


@dataclass(frozen=True, slots=True)
class UpdatesPreviewed:
    """By expense: what would change in Xero, and why another one would be left as it is."""

    changes: dict[str, tuple[str, ...]]
    problems: dict[str, tuple[Problem, ...]]
    unchanged_count: int

    @property
    def sentences(self) -> list[str]:
        """One for each expense that would be updated."""
        return [
            f"{key} would be updated in Xero: {', '.join(found)}."
            for key, found in self.changes.items()
        ]

    def __str__(self) -> str:
        """For the terminal."""
        return (
            f"{counted(len(self.changes), 'expense')} would be updated in Xero, "
            f"{counted(self.unchanged_count, 'needs', 'need')} no update, "
            f"{len(self.problems)} cannot be updated"
        )


def preview_updates(
    engine: Engine,
    client: XeroClient,
    organisation: Organisation,
    expense_ids: Collection[str],
    *,
    prefix: str,
) -> UpdatesPreviewed:
    """What `update_expenses` would do with these expenses now; Xero is read, never written."""
    with engine.connect() as connection:
        changed = [
            one
            for one in read_expenses(connection, expense_ids, stage=Stage.SYNCED)
            if (one.is_updated or one.problems)
            and one.organisation_id == organisation.organisation_id
        ]
        ids = [one.expense.expense_id for one in changed]
        filed = filed_expense_documents(connection, ids)
        corrections = read_corrections(connection, ids)
        mappings = read_expense_mappings(connection).get(organisation.organisation_id)
        underway = {
            one.expense.expense_id: read_updating(connection, one.expense.expense_id)
            for one in changed
            if one.is_updating
        }
    if not changed or mappings is None:
        return UpdatesPreviewed({}, {}, 0)
    books = read_books(client, mappings, prefix)
    found: dict[str, tuple[str, ...]] = {}
    problems: dict[str, tuple[Problem, ...]] = {}
    for one in changed:
        key = one.expense.expense_id
        entries = [each.document for each in corrections[key] if each.state in SENT_STATES]
        known = [filed[key], *([underway[key]] if key in underway else [])]
        found[key], problems[key] = _previewed(one, known, entries, books)
    changing = {key: said for key, said in found.items() if said}
    held = {key: why for key, why in problems.items() if why}
    return UpdatesPreviewed(changing, held, len(changed) - len(changing) - len(held))


def _previewed(
    one: LedgerExpense,
    known: Sequence[SpendMoney],
    entries: Sequence[SpendMoney],
    books: UpdateBooks,
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """What would change, or why not; `known` is what was filed, and what may have arrived since."""
    assert one.id_xero is not None, "a synced expense is in Xero"
    plan = wanted_plan(one, books)
    if plan.document is None:
        return (), plan.problems
    filed = known[0]
    if entries:
        return (), corrected_problems(one, plan.document, [filed, *entries], books)
    there = read_bank_transaction(books.client, one.id_xero)
    filed = version_in_xero(filed, known[-1], there) or filed
    kept = kept_as_is(there, plan.document, filed, books)
    return (tuple(changes(filed, plan.document)), ()) if kept is None else ((), kept)
