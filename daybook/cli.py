"""The `daybook` command: what an operator does at a terminal. Runs themselves start in Prefect."""

from __future__ import annotations

import datetime as dt
import errno
import getpass
import sys
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from cryptography.fernet import Fernet
from rich.console import Console
from rich.text import Text

from daybook.cli_expenses import expenses_app
from daybook.cli_explain import explain_command
from daybook.cli_pos import pos_app
from daybook.errors import DaybookError, InputError
from daybook.on_use import loaded_on_use
from daybook.sales.store import StoreDay
from daybook.terminal import (
    DATE_FORM,
    AsJson,
    date_of,
    open_wiring,
    plain,
    say,
    say_json,
    show,
    text_of,
)
from daybook.wording import counted

with loaded_on_use():
    from daybook.jobs import choose_store_days, reconcile, store_day_table
    from daybook.jobs import connect as connect_job
    from daybook.jobs import load_mapping as mapping_job
    from daybook.jobs import load_stores as stores_job
    from daybook.jobs import waiting_days as waiting_job
    from daybook.ledger import stores as stores_ledger
    from daybook.xero import callback

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", add_completion=False)
stores_app = typer.Typer(no_args_is_help=True, help="The chain's stores.")
mapping_app = typer.Typer(no_args_is_help=True, help="What goes to which account.")
app.add_typer(stores_app, name="stores")
app.add_typer(mapping_app, name="mapping")
app.add_typer(expenses_app, name="expenses")
app.add_typer(pos_app, name="pos")
app.command("explain")(explain_command)

# A person reads the newest; a script gets all.
_WAITING_SHOWN_MAX: Final = 50

Tier = Literal["starter", "core"]


def main() -> None:
    """Run a command; an expected failure is one sentence on stderr and exit code 1."""
    try:
        app(standalone_mode=True)
    except DaybookError as error:
        Console(stderr=True, soft_wrap=True).print(
            Text("daybook: ", "bold red"), Text(plain(str(error))), sep=""
        )
        sys.exit(1)


@app.command()
def connect(
    *,
    minutes: Annotated[int, typer.Option(help="How long to wait for the browser.")] = 5,
) -> None:
    """Connect a Xero organisation: allow it in the browser, once for each Xero user.

    Example: daybook connect
    """
    with open_wiring() as wired:
        access = wired.xero()
        consent = connect_job.begin(access.app)
        console = Console()
        console.print("Open this address in a browser, choose the organisation and allow it:\n")
        console.print(consent.url, soft_wrap=True, highlight=False)
        answer = callback.wait_for_browser(access.app.redirect_url, seconds=minutes * 60)
        connected = connect_job.complete(access, consent, answer)
        for one in connected.organisations:
            console.print(
                f"Connected [bold]{one.name}[/] ({one.country_code}, {one.base_currency})."
            )


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Show the connections to Xero, the calls left, and the store-days that are not in Xero.

    Each of these with its reason and what to do. Ends with 0: looking is no failure.

    Example: daybook status --json
    """
    with open_wiring() as wired:
        budget = wired.call_budget()
        now_at = wired.clock.now()
        rows: list[Mapping[str, str | int]] = [
            {
                "organisation": organisation.name,
                "country": organisation.country_code,
                "currency": organisation.base_currency,
                "connection": one.state_at(now_at).replace("_", " "),
                "days left": one.days_left(now_at),
                "calls left today": budget.remaining(organisation.tenant_id_xero).day_count,
            }
            for one in wired.connections().statuses()
            for organisation in wired.organisations().values()
            if organisation.connection_id == one.connection_id
        ]
        days = waiting_job.waiting_days(wired.engine, wired.closing_rule(now_at))
    waiting = waiting_job.waiting_rows(days if as_json else days[:_WAITING_SHOWN_MAX])
    if as_json:
        say_json({"organisations": rows, "store_days": waiting})
        return
    show("Connected organisations", rows, as_json=False)
    show("Store-days that are not in Xero", waiting, as_json=False)
    if len(days) > len(waiting):
        older = counted(len(days) - len(waiting), "older one")
        typer.echo(f"And {older}; daybook status --json lists all.")


@stores_app.command("load")
def load_stores_command(
    file: Annotated[Path, typer.Argument(help="A TOML file of stores.")],
    organisation: Annotated[
        str | None, typer.Option(help="Into which organisation; needed when there are several.")
    ] = None,
) -> None:
    """Load stores, or bring them up to date.

    Example: daybook stores load stores.toml --organisation "Kopi Corner"
    """
    with open_wiring() as wired:
        count = stores_job.load_stores(wired.engine, text_of(file), str(file), organisation)
    typer.echo(f"{counted(count, 'store')} loaded from {file}.")


@stores_app.command("list")
def list_stores_command(*, as_json: AsJson = False) -> None:
    """List the stores.

    Example: daybook stores list
    """
    with open_wiring() as wired, wired.engine.connect() as connection:
        names = {key: one.name for key, one in wired.organisations().items()}
        rows = [
            {
                "store": one.store.store_id,
                "name": one.store.name,
                "time zone": one.store.time_zone,
                "currency": one.store.currency,
                "cut-off": f"{one.store.cutoff:%H:%M}",
                "organisation": names.get(one.organisation_id or 0, ""),
            }
            for one in stores_ledger.read_stores(connection).values()
        ]
    show("Stores", rows, as_json=as_json)


@mapping_app.command("load")
def load_mapping_command(
    file: Annotated[Path, typer.Argument(help="A TOML mapping file.")],
) -> None:
    """Load a mapping: a new version, in force from its effective_date on.

    Example: daybook mapping load mapping.toml
    """
    with open_wiring() as wired:
        mapping, is_new = mapping_job.load_mapping(
            wired.engine,
            text_of(file),
            str(file),
            loaded_by=getpass.getuser(),
            clock=wired.clock,
        )
    said = "loaded" if is_new else "was loaded before, nothing changed"
    typer.echo(f"Mapping of {mapping.organisation} from {mapping.effective_date}: {said}.")


@app.command()
def days(
    first_date: Annotated[dt.date, typer.Argument(parser=date_of, help=f"A date, {DATE_FORM}.")],
    last_date: Annotated[
        dt.date | None, typer.Argument(parser=date_of, help="The last date; else the first.")
    ] = None,
    *,
    store: Annotated[
        list[str] | None, typer.Option(help="Only this store; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show store-days: receipts, ledger and Xero side by side. Ends with 1 when one is not equal.

    Example: daybook days 2026-03-01 2026-03-07 --store S01
    """
    first, last = first_date, last_date or first_date
    if last < first:
        raise InputError(f"The last date, {last}, is before the first date, {first}.")
    with open_wiring() as wired:
        with wired.engine.connect() as connection:
            known = {key: one.store for key, one in stores_ledger.read_stores(connection).items()}
        asked = choose_store_days.stores_named(
            known, store, "'daybook stores list' shows those there are."
        )
        wanted = [
            StoreDay(first + dt.timedelta(days=offset), one.store_id)
            for offset in range((last - first).days + 1)
            for one in asked
        ]
        clients = {key: wired.client(one) for key, one in wired.organisations().items()}
        lines = [
            line
            for line in reconcile.reconcile(wired.engine, clients, wanted)
            if line.line.state != "no_sales"
        ]
        rows = [
            {k: v for k, v in row.items() if k != "why"} for row in store_day_table.table(lines)
        ]
        show(f"Store-days {first} to {last}", rows, as_json=as_json)
        problems = store_day_table.problems(lines)
        for sentence in problems:
            say(sentence, err=True)
    if problems:
        raise typer.Exit(1)


@app.command("secret-key")
def secret_key() -> None:
    """Print a new key for DAYBOOK_SECRET_KEY, which encrypts the tokens in the ledger.

    Example: export DAYBOOK_SECRET_KEY=$(daybook secret-key)
    """
    typer.echo(Fernet.generate_key().decode())


@app.command()
def sandbox(
    *,
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1.")] = 8088,
    seed: Annotated[int, typer.Option(help="The same seed gives the same ids.")] = 1,
    state: Annotated[Path | None, typer.Option(help="Keep the books in this file.")] = None,
    tier: Annotated[Tier, typer.Option(help="Calls a day: starter 1,000, core 5,000.")] = "core",
    faults: Annotated[Path | None, typer.Option(help="A JSON list of faults.")] = None,
    limits: Annotated[Literal["on", "off"], typer.Option(help="Xero's rate limits.")] = "on",
) -> None:
    """Run a Xero of your own on this machine, with its rules, limits and faults on demand.

    Example: daybook sandbox --port 8088 --state sandbox.json
    """
    # Imported here: the other commands need neither the web framework nor its start-up time.
    from daybook.sandbox.config import SandboxConfig  # noqa: PLC0415 - see above
    from daybook.sandbox.server import run  # noqa: PLC0415 - see above

    config = SandboxConfig(
        seed=seed, tier=tier, limits=limits == "on", state_path=state, faults_path=faults
    )
    try:
        run(config, "127.0.0.1", port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise InputError(
            f"The sandbox cannot use port {port}: {error.strerror}. End the program that uses it, "
            "or choose another with --port."
        ) from error


if __name__ == "__main__":
    main()
