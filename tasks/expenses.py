"""The steps of the expense flows: fetch, choose, plan, post, attach, report."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from daybook import wiring
from daybook.errors import DaybookError
from daybook.jobs import expense_table
from daybook.jobs.attach import Attached, Attaching, attach_receipts
from daybook.jobs.choose_expenses import choose_expenses
from daybook.jobs.extract_expenses import extract_expenses
from daybook.jobs.sync_expenses import Syncing, organisation_ids_of, plan_batch, post_batch
from daybook.ledger.expense_mappings import read_expense_mappings
from daybook.ledger.expenses import read_expenses
from tasks.step import step

if TYPE_CHECKING:
    from daybook.ledger.organisations import Organisation


@step("fetch expenses")
def fetch(run_id: str, now_at: dt.datetime) -> None:
    """Read expenses and receipts of all sources into the ledger; again, it changes nothing.

    A source that cannot be read stops no other; the step fails when all were tried.
    """
    wired, log = wiring.shared(), get_run_logger()
    errors: list[DaybookError] = []
    last = now_at.date()
    first = last - dt.timedelta(days=wired.settings.expense_days)
    for source in wired.expense_sources:
        store = wired.receipt_store(source.name)
        try:
            extracted = extract_expenses(
                source, store, wired.engine, first, last, run_id=run_id, clock=wired.clock
            )
        except DaybookError as error:
            log.warning("%s: %s", source.name, error)
            errors.append(error)
            continue
        log.info("%s, %s to %s: %s", source.name, first, last, extracted)
        for sentence in extracted.sentences:
            log.warning(sentence)
    if errors:
        raise errors[0]


@step("choose expenses")
def choose(expense_ids: list[str] | None) -> list[list[str]]:
    """Batches of at most 1,000: those asked for, or every pending one, the oldest first."""
    return choose_expenses(wiring.shared().engine, expense_ids)


@step("plan {expense_count} expenses")
def plan(expense_ids: list[str], expense_count: int, run_id: str, *, dry_run: bool) -> str:
    """Check this batch and plan what passes; what is held says so in the log."""
    log = get_run_logger()
    planned = plan_batch(_syncing(run_id), expense_ids, dry_run=dry_run)
    log.info("%d expenses: %s", expense_count, planned)
    for sentence in planned.sentences:
        log.warning(sentence)
    if dry_run:
        rows = [
            {
                "expense": key,
                "date": document.date.isoformat(),
                "amount": str(document.total_amount),
                "currency": document.currency,
                "contact": document.contact_name,
                "kind": document.kind.replace("_", " "),
            }
            for key, document in planned.documents.items()
        ]
        create_table_artifact(rows, key="expenses-dry-run", description=str(planned))
    return str(planned)


def organisations_of(expense_ids: list[str]) -> list[Organisation]:
    """The organisations that these expenses go into."""
    wired = wiring.shared()
    keys = organisation_ids_of(wired.engine, expense_ids)
    return [one for key, one in wired.organisations().items() if key in keys]


def linked_organisations() -> list[Organisation]:
    """The organisations that any account of a source is linked in."""
    wired = wiring.shared()
    with wired.engine.connect() as connection:
        keys = read_expense_mappings(connection)
    return [one for key, one in wired.organisations().items() if key in keys]


@step("post expenses {organisation.name}")
def post(
    organisation: Organisation, expense_ids: list[str], run_id: str, *, with_updates: bool
) -> str:
    """Post what is planned of this batch; each expense goes out once, whatever happens."""
    posted = post_batch(_syncing(run_id), organisation, expense_ids, with_updates=with_updates)
    get_run_logger().info("%s: %s", organisation.name, posted)
    return posted


@step("attach receipts {organisation.name}")
def attach(organisation: Organisation, expense_ids: list[str] | None, run_id: str) -> Attached:
    """Attach every receipt that is due; one that fails is tried again later by itself."""
    wired, log = wiring.shared(), get_run_logger()
    attaching = Attaching(
        client=wired.client(organisation, keep_reserve=True),
        receipts=wired.receipt_stores,
        fitter=wired.fitter,
        limits=wired.attachment_limits,
        source_limits=wired.source_limits,
        policy=wired.retry_policy,
        clock=wired.clock,
        jitter=random.random,
        run_id=run_id,
        progress=log.info,
    )
    attached = attach_receipts(wired.engine, organisation, attaching, expense_ids)
    log.info("%s: %s", organisation.name, attached)
    for sentence in attached.sentences:
        log.warning(sentence)
    return attached


@step("report expenses")
def report(expense_ids: list[str] | None) -> tuple[str, list[str]]:
    """Show where these expenses, or all, stand; a sentence for each that needs a person."""
    with wiring.shared().engine.connect() as connection:
        found = read_expenses(connection, expense_ids)
    summary = expense_table.summary(found)
    create_table_artifact(expense_table.rows(found), key="expenses", description=summary)
    create_table_artifact(expense_table.attachment_rows(found), key="receipts", description=summary)
    create_markdown_artifact(summary, key="expenses-summary", description=summary)
    problems = [
        f"{one.expense.expense_id}: {sentence}"
        for one in found
        if expense_table.needs_person(one)
        for sentence in expense_table.sentences_of(one)
    ]
    return summary, problems


def _syncing(run_id: str) -> Syncing:
    wired = wiring.shared()
    return Syncing(
        wired.engine,
        wired.client_by_id,
        wired.settings.invoice_prefix,
        wired.excluded_countries,
        run_id,
        wired.clock,
        get_run_logger().info,
    )
