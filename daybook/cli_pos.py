"""`daybook pos`: trying a point of sale before anything depends on it."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from daybook.errors import InputError
from daybook.on_use import loaded_on_use
from daybook.terminal import (
    DATE_FORM,
    AsJson,
    console_for_tables,
    date_of,
    open_wiring,
    plain,
    progress,
    say,
    say_json,
    text_of,
)
from daybook.wording import counted

with loaded_on_use():
    from daybook.jobs import check_source, choose_store_days, load_stores
    from daybook.ledger import stores as stores_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daybook.jobs.check_source import Checked
    from daybook.sales.store import Store
    from daybook.wiring import Wiring

pos_app = typer.Typer(no_args_is_help=True, help="Points of sale, where receipts come from.")

_REJECTS_SHOWN_MAX: Final = 50


@pos_app.callback()
def pos() -> None:
    """Points of sale, where receipts come from."""


@pos_app.command("check")
def check(
    source_url: Annotated[
        str | None, typer.Argument(help="The source; else the one in DAYBOOK_POS_URL.")
    ] = None,
    *,
    first: Annotated[
        dt.date | None,
        typer.Option(
            "--from",
            parser=date_of,
            metavar=DATE_FORM,
            help="The first date; else a week before the last.",
        ),
    ] = None,
    last: Annotated[
        dt.date | None,
        typer.Option(
            "--to",
            parser=date_of,
            metavar=DATE_FORM,
            help="The last date; else the newest that is over.",
        ),
    ] = None,
    store: Annotated[
        list[str] | None, typer.Option(help="Only this store; may be repeated.")
    ] = None,
    stores: Annotated[
        Path | None, typer.Option(help="A TOML file of stores; else those in the ledger.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try a source: what would be read, day by day, and what could not. Writes nothing anywhere.

    Ends with 1 when a row cannot be read, a day does not balance or is missing.

    Example: daybook pos check /mnt/pos --stores stores.toml --from 2026-03-14
    """
    with _speaking_of(source_url), open_wiring() as wired:
        url = source_url or wired.pos_url()
        there = _stores(wired, stores)
        source = wired.source_at(url, there)
        names = ", ".join(sorted(one.store_id for one in there))
        by_id = {one.store_id: one for one in there}
        asked = (
            choose_store_days.stores_named(by_id, store, f"There are: {names}.") if there else []
        )
        dates = _dates(wired, asked, first, last, url)
        with progress(f"Reading {source.name}") as tell:
            checked = check_source.check_source(
                source, asked, *dates, known_store_ids=by_id, progress=tell
            )
    if as_json:
        say_json(_content(checked, *dates))
    else:
        _print(checked, *dates)
    if not checked.is_fine:
        raise typer.Exit(1)


@contextmanager
def _speaking_of(source_url: str | None) -> Iterator[None]:
    """Where the address was typed, advice about the setting would lead astray."""
    try:
        yield
    except InputError as error:
        if source_url is None:
            raise
        said = str(error).replace("DAYBOOK_POS_URL", "the address that you gave")
        raise InputError(said) from error


def _stores(wired: Wiring, file: Path | None) -> list[Store]:
    if file is not None:
        return load_stores.parse_stores(text_of(file), str(file))
    with wired.engine.connect() as connection:
        return [one.store for one in stores_ledger.read_stores(connection).values()]


def _dates(
    wired: Wiring,
    stores: list[Store],
    first: dt.date | None,
    last: dt.date | None,
    url: str,
) -> tuple[dt.date, dt.date]:
    """The dates asked for; without any, the week that the night would look at."""
    now_at, days = wired.clock.now(), wired.settings.trailing_days
    rule = wired.closing_rule(now_at, url)
    newest = (
        check_source.last_common_date(stores, now_at, rule.closed_after)
        if stores
        else now_at.date()
    )
    last_date = last or (max(newest, first) if first else newest)
    return first or last_date - dt.timedelta(days=days - 1), last_date


def _content(checked: Checked, first_date: dt.date, last_date: dt.date) -> dict[str, object]:
    return {
        "source": checked.source_name,
        "from": first_date.isoformat(),
        "to": last_date.isoformat(),
        "days": check_source.day_rows(checked),
        "problems": check_source.imbalances(checked),
        "held": [
            {"date": day.business_date.isoformat(), "store": day.store_id}
            for day in sorted(checked.held)
        ],
        "rejects": check_source.reject_rows(checked),
        "reject_count": checked.reject_count,
        "missing": [
            {"date": day.business_date.isoformat(), "store": day.store_id}
            for day in checked.missing
        ],
        "stores_without_receipts": list(checked.silent_store_ids),
        "is_fine": checked.is_fine,
    }


def _print(checked: Checked, first_date: dt.date, last_date: dt.date) -> None:
    say(f"{checked.source_name}, {first_date} to {last_date}")
    rows = check_source.day_rows(checked)
    if rows:
        # No lines between the columns: eleven of them have to fit into 100 characters.
        table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
        for name in rows[0]:
            is_text = name in {"date", "store", "currency", "balanced"}
            heading = "cur" if name == "currency" else name
            table.add_column(
                heading,
                justify="left" if is_text else "right",
                overflow="fold",
                no_wrap=name == "date",
            )
        for row in rows:
            table.add_row(*(Text(plain(str(value))) for value in row.values()))
        console_for_tables().print(table)
    for day in checked.missing:
        say(f"{day.business_date} store {day.store_id}: it should have traded, no receipts.")
    if checked.silent_store_ids:
        say(f"No receipts of store {', '.join(checked.silent_store_ids)}.")
    for sentence in check_source.imbalances(checked):
        say(sentence)
    for one in checked.rejects[:_REJECTS_SHOWN_MAX]:
        place = f" row {one.row_number}" if one.row_number else ""
        column = f", column {one.column}" if one.column else ""
        say(f"{one.url}{place}{column}: {one.reason}")
    if (more := checked.reject_count - _REJECTS_SHOWN_MAX) > 0:
        say(f"And {counted(more, 'more row')} that cannot be read.")
    say(_verdict(checked))


def _verdict(checked: Checked) -> str:
    if checked.is_fine:
        return (
            "Every row can be read, and every day balances." if checked.totals else "No receipts."
        )
    wrong = []
    if checked.reject_count:
        days = len(checked.held)
        holding = f" ({counted(days, 'day')} would be held)" if days else ""
        wrong.append(f"{counted(checked.reject_count, 'row')} cannot be read{holding}")
    if days := len(checked.failures):
        wrong.append(f"{counted(days, 'day')} {'does' if days == 1 else 'do'} not balance")
    if days := len(checked.missing):
        wrong.append(f"{counted(days, 'day')} {'is' if days == 1 else 'are'} missing")
    return f"{' and '.join(wrong)}. Nothing was written."
