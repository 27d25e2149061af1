"""What finance decides about expenses at a terminal: set, split, exclude, by hand, reopen."""

from __future__ import annotations

import getpass
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from daybook.errors import FinalError, InputError, RetryableError
from daybook.expenses.states import Stage
from daybook.on_use import loaded_on_use
from daybook.terminal import open_wiring, say, say_problems, text_of
from daybook.wording import counted

with loaded_on_use():
    from daybook.jobs import (
        check_decisions,
        expense_decisions,
        release_expenses,
        review_expenses,
        sync_expenses,
    )
    from daybook.ledger import expense_mappings
    from daybook.ledger import expenses as expense_ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from daybook.wiring import Wiring

Ids = Annotated[list[str], typer.Argument(help="Ids of expenses, or how they begin.")]
OptionalIds = Annotated[list[str] | None, typer.Argument(help="Ids, or how they begin; none: all.")]
Why = Annotated[str, typer.Option(help="Why; kept with the expense.")]


def set_expenses(  # noqa: PLR0913 - one option for each decision
    expense_ids: OptionalIds = None,
    *,
    category: Annotated[str | None, typer.Option(help="Category of the mapping.")] = None,
    account: Annotated[str | None, typer.Option(help="Code of an account in Xero.")] = None,
    tax_type: Annotated[str | None, typer.Option(help="Xero's tax type: INPUT2, NONE ...")] = None,
    tracking: Annotated[
        list[str] | None, typer.Option(help="Category=Option, at most twice; or none.")
    ] = None,
    contact: Annotated[str | None, typer.Option(help="Name of the contact in Xero.")] = None,
    note: Annotated[str | None, typer.Option(help="A note for the description.")] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(help="Take a decision back: category, account ... ; repeat it."),
    ] = None,
    no_double: Annotated[
        bool | None,
        typer.Option("--no-double/--may-be-double", help="It is not the payment found in Xero."),
    ] = None,
    no_receipt: Annotated[
        bool | None,
        typer.Option("--no-receipt/--needs-receipt", help="It is complete without a receipt."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="CSV: expense, and the columns that docs/expenses.md names."),
    ] = None,
) -> None:
    """Decide about expenses, named or in a CSV file; this wins over source and mapping.

    Only what is given changes. A synced expense follows in Xero with 'daybook expenses sync ID'.

    Example: daybook expenses set aspire-1f0c --account 420 --tax-type INPUT2
    """
    changes: dict[str, Any] = {
        "category": category,
        "account": account,
        "tax_type": tax_type,
        "contact": contact,
        "note": note,
        "is_no_double": no_double,
        "needs_no_receipt": no_receipt,
        "tracking": expense_decisions.tracking_of(tracking) if tracking else None,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    given |= expense_decisions.cleared(clear or [], given)
    if file and (expense_ids or given):
        raise InputError("Give expenses and what to set, or a CSV file with --file; not both.")
    wanted = (
        expense_decisions.decisions_in_csv(text_of(file), str(file))
        if file
        else dict.fromkeys(expense_ids or [], given)
    )
    if not wanted or not any(wanted.values()):
        raise InputError("Say which expenses and what to set, or give a CSV file with --file.")
    with open_wiring() as wired:
        whole = whole_ids(wired, list(wanted))
        if len(set(whole)) < len(whole):
            raise InputError("An expense is named twice, once by how it begins. Name each once.")
        wanted = dict(zip(whole, wanted.values(), strict=True))
        _check_decisions(wired, wanted)
        count = review_expenses.change_expenses(wired.engine, wanted, _reviewer(wired))
        check_again(wired, list(wanted))
    typer.echo(f"{counted(count, 'expense')} changed.")


def split(
    expense_id: Annotated[str, typer.Argument(help="The expense's id.")],
    line: Annotated[
        list[str] | None, typer.Option(help="AMOUNT:CATEGORY or AMOUNT:CATEGORY:TEXT; repeat it.")
    ] = None,
) -> None:
    """Split an expense into lines that come to its amount; without lines it is whole again.

    Example: daybook expenses split aspire-1f0c --line "12.00:Meals" --line "8.50:Transport:taxi"
    """
    with open_wiring() as wired:
        [expense_id] = whole_ids(wired, [expense_id])
        with wired.engine.connect() as connection:
            [found] = expense_ledger.read_expenses(connection, [expense_id])
            mappings = expense_mappings.read_expense_mappings(connection)
        whole = expense_decisions.as_mapped(found.expense, mappings.values())
        decided = found.override
        lines = expense_decisions.split_lines_of(line or [], whole, decided)
        review_expenses.change_expenses(
            wired.engine, {expense_id: {"lines": lines}}, _reviewer(wired)
        )
        check_again(wired, [expense_id])
    if not lines:
        typer.echo(f"{expense_id} is whole again.")
        return
    told = expense_decisions.told_lines(lines, whole, decided)
    say(f"{expense_id} has {counted(len(lines), 'line')}: {told}")


def exclude(expense_ids: Ids, *, why: Why = "") -> None:
    """Leave expenses out of Xero; 'reopen' takes it back.

    One that is in Xero has to be removed there first.

    Example: daybook expenses exclude aspire-1f0c --why "private, paid back"
    """
    _move(expense_ids, Stage.EXCLUDED, why)


def by_hand(expense_ids: Ids, *, why: Why = "") -> None:
    """Say that a person posted these expenses in Xero; 'reopen' takes it back.

    Example: daybook expenses by-hand aspire-1f0c --why "in the March journal"
    """
    _move(expense_ids, Stage.BY_HAND, why)


def reopen(expense_ids: Ids, *, why: Why = "") -> None:
    """Take 'exclude' or 'by-hand' back: the expense is pending again.

    So is one that was synced and then removed in Xero: the next sync posts it anew.

    Example: daybook expenses reopen aspire-1f0c
    """
    _move(expense_ids, Stage.PENDING, why)


def whole_ids(wired: Wiring, expense_ids: list[str]) -> list[str]:
    """Whole ids: a person may type, or copy from the list, the beginning of one."""
    with wired.engine.connect() as connection:
        return expense_ledger.full_ids(connection, expense_ids)


def _reviewer(wired: Wiring) -> review_expenses.Reviewer:
    return review_expenses.Reviewer(getpass.getuser(), wired.clock)


def syncing_of(wired: Wiring) -> sync_expenses.Syncing:
    """What every step of a sync needs, done by the account of the operating system."""
    return sync_expenses.Syncing(
        wired.engine,
        wired.client_by_id,
        wired.settings.invoice_prefix,
        wired.excluded_countries,
        getpass.getuser(),
        wired.clock,
    )


def check_again(wired: Wiring, expense_ids: list[str]) -> None:
    """Say what stands in the way of pending expenses; what was just changed is stored anyway."""
    try:
        planned = sync_expenses.plan_batch(syncing_of(wired), expense_ids)
    except (RetryableError, FinalError) as error:
        typer.echo(f"Stored, but not checked against Xero: {error}", err=True)
        return
    say_problems(planned.problems)


def _check_decisions(wired: Wiring, decisions: dict[str, dict[str, Any]]) -> None:
    """Refuse what the chart in Xero does not have; say what only the sync can check."""
    try:
        unchecked = check_decisions.check_decisions(wired.engine, wired.client_by_id, decisions)
    except (RetryableError, FinalError) as error:
        say(f"The chart in Xero is looked at when it is synced, not now: {error}", err=True)
        return
    if unchecked:
        more = f" and {len(unchecked) - 1} more" if unchecked[1:] else ""
        say(
            f"{unchecked[0]}{more}: its account is linked in no organisation, so that what was "
            "decided is checked when it is synced.",
            err=True,
        )


def _move(expense_ids: list[str], stage: Stage, why: str) -> None:
    with open_wiring() as wired:
        chosen = whole_ids(wired, expense_ids)
        syncing, places = syncing_of(wired), wired.organisations()
        count = release_expenses.release_expenses(syncing, places, chosen, stage, why=why)
        count += review_expenses.move_expenses(wired.engine, chosen, stage, _reviewer(wired), why)
    typer.echo(f"{counted(count, 'expense')} marked {stage.replace('_', ' ')}.")


REVIEW_COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "set": set_expenses,
    "split": split,
    "exclude": exclude,
    "by-hand": by_hand,
    "reopen": reopen,
}
