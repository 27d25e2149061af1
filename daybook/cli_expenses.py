"""`daybook expenses`: the whole review of expenses at a terminal. Who decided what is recorded."""

from __future__ import annotations

import datetime as dt
import getpass
import random
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Final

import typer

from daybook.cli_expense_review import (
    REVIEW_COMMANDS,
    Ids,
    OptionalIds,
    check_again,
    syncing_of,
    whole_ids,
)
from daybook.errors import InputError
from daybook.expenses.states import ExpenseState
from daybook.on_use import loaded_on_use
from daybook.terminal import (
    DATE_FORM,
    AsJson,
    date_of,
    open_wiring,
    say,
    say_json,
    say_problems,
    show,
    text_of,
)

with loaded_on_use():
    from daybook.jobs import (
        attach,
        choose_expenses,
        correct_expenses,
        expense_history,
        expense_table,
        extract_expenses,
        load_expense_mapping,
        preview_updates,
        skip_receipts,
        sync_expenses,
    )
    from daybook.ledger import expense_attachments, expense_mappings
    from daybook.ledger import expenses as expense_ledger
    from daybook.spend import aspire

if TYPE_CHECKING:
    from daybook.wiring import Wiring

_HELP: Final = """Card expenses: read them, decide where they go, put them into Xero with receipts.

In that order: fetch, list, set or split what is held, sync. Who did what is kept with each expense.
"""

expenses_app = typer.Typer(no_args_is_help=True, help=_HELP)


@expenses_app.command("fetch")
def fetch(
    *,
    days: Annotated[
        int | None, typer.Option(min=1, help="How many days back; else DAYBOOK_EXPENSE_DAYS, 60.")
    ] = None,
) -> None:
    """Read expenses and receipts from their sources into the ledger.

    Example: daybook expenses fetch --days 14
    """
    with open_wiring() as wired:
        last = wired.clock.now().date()
        first = last - dt.timedelta(days=days or wired.settings.expense_days)
        for source in wired.expense_sources:
            extracted = extract_expenses.extract_expenses(
                source,
                wired.receipt_store(source.name),
                wired.engine,
                first,
                last,
                run_id=getpass.getuser(),
                clock=wired.clock,
            )
            typer.echo(f"{source.name}: {extracted}")
            for sentence in extracted.sentences:
                say(sentence, err=True)
        _check_pending(wired)


@expenses_app.command("mapping")
def mapping(file: Annotated[Path, typer.Argument(help="A TOML expense mapping.")]) -> None:
    """Load an expense mapping: accounts, categories, merchants, from its effective_date on.

    docs/expenses.md shows one. Every version is kept; 'daybook expenses accounts' names accounts.

    Example: daybook expenses mapping expenses.toml
    """
    with open_wiring() as wired:
        loaded, is_new = load_expense_mapping.load_expense_mapping(
            wired.engine,
            text_of(file),
            str(file),
            loaded_by=getpass.getuser(),
            clock=wired.clock,
        )
        said = "loaded" if is_new else "was loaded before, nothing changed"
        typer.echo(
            f"Expense mapping of {loaded.organisation} from {loaded.effective_date}: {said}."
        )
        _check_pending(wired)


@expenses_app.command("accounts")
def accounts(*, as_json: AsJson = False) -> None:
    """List the accounts of the sources, and the bank account in Xero that each is linked to.

    Example: daybook expenses accounts
    """
    with open_wiring() as wired, wired.engine.connect() as connection:
        links = {
            f"{source}:{key}": one
            for (source, key), one in expense_mappings.read_links(connection).items()
        }
        known = {
            f"{one.expense.source}:{one.expense.account_id_source}": one.expense.currency
            for one in expense_ledger.read_expenses(connection)
        }
        named = [] if wired.aspire is None else aspire.AspireSource(wired.aspire).accounts()
    names = {one["account"]: one["name"] for one in named}
    known |= {one["account"]: one["currency"] for one in named}
    rows: list[dict[str, str | int]] = [
        {
            "account": key,
            "name": names.get(key, ""),
            "currency": known.get(key, ""),
            "bank account": links[key].bank_account if key in links else "not linked",
            "country": links[key].country if key in links else "",
            "from": links[key].start_date.isoformat() if key in links else "",
        }
        for key in sorted({*known, *links})
    ]
    show("Accounts", rows, as_json=as_json)


@expenses_app.command("list")
def list_expenses(
    *,
    state: Annotated[
        str, typer.Option(help="Only states with these words: ready, sync error ...")
    ] = "",
    first_date: Annotated[
        dt.date | None,
        typer.Option(
            "--from", parser=date_of, metavar=DATE_FORM, help="Spent on this date or later."
        ),
    ] = None,
    last_date: Annotated[
        dt.date | None,
        typer.Option(
            "--to", parser=date_of, metavar=DATE_FORM, help="Spent on this date or earlier."
        ),
    ] = None,
    merchant: Annotated[str, typer.Option(help="Only merchants with this in the name.")] = "",
    updated: Annotated[
        bool, typer.Option("--updated", help="Only those changed since review or sync.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List expenses, where each stands and how many of its receipts are attached.

    Example: daybook expenses list --state "needs mapping" --from 2026-03-01
    """
    if not any(state.casefold() in one for one in ExpenseState):
        raise InputError(f"No state has the words '{state}'; there are {', '.join(ExpenseState)}.")
    with open_wiring() as wired, wired.engine.connect() as connection:
        found = [
            one
            for one in expense_ledger.read_expenses(connection)
            if state.casefold() in one.state
            and merchant.casefold() in one.expense.merchant.casefold()
            and (first_date is None or one.expense.spent_date >= first_date)
            and (last_date is None or one.expense.spent_date <= last_date)
            and (one.is_updated or not updated)
        ]
    table = expense_table.rows if as_json else expense_table.narrow_rows
    show("Expenses", table(found), as_json=as_json)
    if not as_json:
        typer.echo(expense_table.summary(found))


@expenses_app.command("show")
def show_expense(
    expense_id: Annotated[str, typer.Argument(help="The expense's id.")], *, as_json: AsJson = False
) -> None:
    """Show one expense: facts, decisions, what stands in its way, receipts, who did what.

    Example: daybook expenses show aspire-1f0c
    """
    with open_wiring() as wired, wired.engine.connect() as connection:
        [expense_id] = expense_ledger.full_ids(connection, [expense_id])
        found = expense_ledger.read_expenses(connection, [expense_id])
        events = expense_ledger.read_events(connection, expense_id)
        one = found[0]
        url = wired.document_url(one.id_xero) if one.id_xero else ""
    note = one.override.note or one.expense.note
    facts = {**expense_table.rows(found)[0], "note": note, "in Xero": url}
    receipts = [
        {key: value for key, value in row.items() if key in {"receipt", "state", "why"}}
        for row in expense_table.attachment_rows(found)
    ]
    history = expense_history.history_rows(events, one.expense.currency)
    if as_json:
        told = [
            {**row, "what": event["event"], "detail": event["detail"]}
            for row, event in zip(history, events, strict=True)
        ]
        whole = {**facts, "receipts": receipts, "history": told}
        say_json(whole)
        return
    show(expense_id, [{"what": key, "value": value} for key, value in facts.items()], as_json=False)
    show("Receipts", receipts, as_json=False)
    show("History", history, as_json=False)


for _name, _command in REVIEW_COMMANDS.items():
    expenses_app.command(_name)(_command)


@expenses_app.command("sync")
def sync(
    expense_ids: OptionalIds = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check; write nothing anywhere.")
    ] = False,
) -> None:
    """Post what is ready into Xero, once each, and attach receipts.

    Named expenses that changed since they were synced are updated in Xero as well.

    Example: daybook expenses sync aspire-1f0c aspire-77aa
    """
    with open_wiring() as wired:
        chosen = whole_ids(wired, expense_ids) if expense_ids else None
        batches = choose_expenses.choose_expenses(wired.engine, chosen)
        if not batches:
            typer.echo("Nothing to do: no expense is pending. 'daybook expenses fetch' reads more.")
        is_left = False
        for batch in batches:
            syncing = syncing_of(wired)
            planned = sync_expenses.plan_batch(syncing, batch, dry_run=dry_run)
            typer.echo(str(planned))
            if dry_run:
                say_problems(planned.problems)
                if expense_ids:
                    _say_updates(wired, syncing, batch)
                continue
            for key in sorted(sync_expenses.organisation_ids_of(wired.engine, batch)):
                organisation = wired.organisations()[key]
                said = sync_expenses.post_batch(
                    syncing, organisation, batch, with_updates=bool(expense_ids)
                )
                typer.echo(f"{organisation.name}: {said}")
                attached = attach.attach_receipts(
                    wired.engine, organisation, _attaching(wired, key), batch
                )
                typer.echo(f"{organisation.name}: {attached}")
            with wired.engine.connect() as connection:
                found = expense_ledger.read_expenses(connection, batch)
            is_left |= say_problems({one.expense.expense_id: one.problems for one in found})
    if is_left and expense_ids:
        raise typer.Exit(1)


@expenses_app.command("correct")
def correct(
    expense_ids: Ids,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the entries; post nothing.")
    ] = False,
) -> None:
    """Post an entry for the difference where Xero does not let a changed expense be updated.

    That is when it is reconciled or its period is locked. Asked again, nothing more is posted.

    Example: daybook expenses correct aspire-1f0c --dry-run
    """
    with open_wiring() as wired:
        chosen = whole_ids(wired, expense_ids)
        is_left = say_problems(choose_expenses.unlinked_problems(wired.engine, chosen))
        for key in sorted(sync_expenses.organisation_ids_of(wired.engine, chosen)):
            organisation = wired.organisations()[key]
            corrected = correct_expenses.correct_expenses(
                syncing_of(wired), organisation, chosen, dry_run=dry_run
            )
            ending = "; nothing was posted" if dry_run else ""
            typer.echo(f"{organisation.name}: {corrected}{ending}")
            for sentence in corrected.sentences:
                say(sentence)
            is_left |= bool(corrected.problems)
    if is_left and not dry_run:
        raise typer.Exit(1)


@expenses_app.command("attachments")
def attachments(
    expense_ids: OptionalIds = None,
    *,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try those that failed again now.")
    ] = False,
    skip: Annotated[
        bool, typer.Option("--skip", help="Those not attached are not needed.")
    ] = False,
    open_only: Annotated[bool, typer.Option("--open", help="Only those not attached.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show receipts and where they stand; try them again, or leave them out.

    Example: daybook expenses attachments aspire-1f0c --retry
    """
    if retry and skip:
        raise InputError("Give --retry or --skip; not both.")
    with open_wiring() as wired:
        expense_ids = whole_ids(wired, expense_ids or [])
        is_left = say_problems(
            choose_expenses.unlinked_problems(wired.engine, expense_ids) if retry else {}
        )
        if retry or skip:
            if not expense_ids:
                raise InputError("Say which expenses: daybook expenses attachments ID --retry")
            places = [
                wired.organisations()[key]
                for key in sorted(sync_expenses.organisation_ids_of(wired.engine, expense_ids))
            ]
            if skip:
                actor = getpass.getuser()
                skip_receipts.skip_receipts(
                    wired.engine, places, expense_ids, actor=actor, clock=wired.clock
                )
            else:
                with wired.engine.begin() as connection:
                    expense_attachments.retry_attachments(
                        connection, expense_ids, actor=getpass.getuser(), now_at=wired.clock.now()
                    )
                for place in places:
                    attaching = _attaching(wired, place.organisation_id)
                    typer.echo(
                        str(attach.attach_receipts(wired.engine, place, attaching, expense_ids))
                    )
        with wired.engine.connect() as connection:
            found = expense_ledger.read_expenses(connection, expense_ids or None)
    table = expense_table.attachment_rows(found)
    if open_only:
        table = [row for row in table if row["state"] not in {"uploaded", "not needed"}]
    show("Receipts", table, as_json=as_json)
    if is_left:
        raise typer.Exit(1)


def _say_updates(wired: Wiring, syncing: sync_expenses.Syncing, expense_ids: list[str]) -> None:
    """What a sync would change of those that are in Xero already."""
    for key in sorted(sync_expenses.organisation_ids_of(wired.engine, expense_ids)):
        organisation = wired.organisations()[key]
        previewed = preview_updates.preview_updates(
            wired.engine,
            wired.client(organisation),
            organisation,
            expense_ids,
            prefix=syncing.prefix,
        )
        typer.echo(f"{organisation.name}: {previewed}; nothing was changed")
        for sentence in previewed.sentences:
            say(sentence)
        say_problems(previewed.problems)


def _attaching(wired: Wiring, organisation_id: int) -> attach.Attaching:
    return attach.Attaching(
        client=wired.client_by_id(organisation_id),
        receipts={
            source.name: wired.receipt_store(source.name) for source in wired.expense_sources
        },
        fitter=wired.fitter,
        limits=wired.attachment_limits,
        source_limits=wired.source_limits,
        policy=wired.retry_policy,
        clock=wired.clock,
        jitter=random.random,
        run_id=getpass.getuser(),
        progress=lambda _sentence: None,
    )


def _check_pending(wired: Wiring) -> None:
    """Check everything that is pending, so that the list says what stands in its way."""
    for batch in choose_expenses.choose_expenses(wired.engine, None):
        check_again(wired, batch)
