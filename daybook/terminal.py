"""What all commands share: the wiring of one command, reading a file, showing a table."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from daybook.errors import InputError
from daybook.on_use import loaded_on_use

with loaded_on_use():
    from daybook import settings, wiring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from daybook.expenses.problems import Problem

_STEERING = frozenset(("Cc", "Cf", "Cs"))  # controls, marks of direction, halves of letters
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
DATE_FORM: Final = "YYYY-MM-DD"
_WIDTH: Final = 100  # of a table that goes into a file or a pipe
_WIDTH_MAX: Final = 10_000
_SILENT_SECONDS: Final = 2.0  # so long nobody wonders
_LINE_SECONDS: Final = 10.0
_REFRESH_SECONDS: Final = 0.2
_SHORT_HEADINGS: Final = {"currency": "cur", "difference": "diff"}
_UNSPLIT_COLUMNS: Final = frozenset(("date", "invoice"))


@contextmanager
def open_wiring() -> Iterator[wiring.Wiring]:
    """One command's collaborators, given back at its end."""
    parts = wiring.Wiring(settings.load_settings())
    try:
        yield parts
    finally:
        parts.close()


def date_of(text: str) -> dt.date:
    """The date that somebody typed.

    Raises:
        typer.BadParameter: the calendar has no such date, or it is written in another way.
    """
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError as error:
        raise typer.BadParameter(
            f"'{plain(text)}' is not a date; write year, month and day, like 2026-03-14."
        ) from error


def text_of(file: Path) -> str:
    """A file's text."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"There is no file {file}. Check the name and the folder.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as UTF-8 text: {error}.") from error


def plain(text: str) -> str:
    """The text without what steers a terminal; line breaks stay.

    A merchant's name may hold escape sequences that recolour, rename or rewrite what is shown.
    """
    return "".join(
        one if one == "\n" or unicodedata.category(one) not in _STEERING else _for(one)
        for one in text
    )


def _for(control: str) -> str:
    return " " if control.isspace() else "?"


def say(sentence: str, *, err: bool = False) -> None:
    """Print a sentence, which may quote what others wrote."""
    typer.echo(plain(sentence), err=err)


def say_problems(problems: Mapping[str, Sequence[Problem]]) -> bool:
    """Each sentence once, with the expenses that it is about; whether there was any."""
    about: dict[str, list[str]] = {}
    for expense_id, found in problems.items():
        for one in found:
            about.setdefault(one.sentence, []).append(expense_id)
    for sentence, ids in about.items():
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        say(f"{ids[0]}{more}: {sentence}", err=True)
    return bool(about)


@contextmanager
def progress(sentence: str) -> Iterator[Callable[[str], None]]:
    """Show on stderr how far something has come, once it takes longer than two seconds.

    The caller says it anew by what is yielded; it stands in one line of a terminal, and in a line
    every ten seconds of a file.
    """
    latest = [sentence]
    ended = Event()
    teller = Thread(target=_tell, args=(latest, ended), daemon=True)
    teller.start()
    try:
        yield lambda said: latest.__setitem__(0, f"{sentence}: {said}")
    finally:
        ended.set()
        teller.join()


def _tell(latest: list[str], ended: Event) -> None:
    if ended.wait(_SILENT_SECONDS):
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        say(f"{latest[0]} ...", err=True)
        while not ended.wait(_LINE_SECONDS):
            say(f"{latest[0]} ...", err=True)
        return
    with console.status(Text(plain(latest[0]))) as status:
        while not ended.wait(_REFRESH_SECONDS):
            status.update(Text(plain(latest[0])))


def say_json(value: object) -> None:
    """Print JSON; what steers a terminal is written as escapes, which mean the same."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    typer.echo(
        "".join(
            f"\\u{ord(one):04x}" if one != "\n" and _is_short_control(one) else one for one in text
        )
    )


def _is_short_control(one: str) -> bool:
    return one < "\U00010000" and unicodedata.category(one) in _STEERING


def show(title: str, rows: Sequence[Mapping[str, str | int]], *, as_json: bool) -> None:
    """Print rows as a table, or as JSON."""
    if as_json:
        say_json(rows)
        return
    if not rows:
        typer.echo(f"{title}: none.")
        return
    console = console_for_tables()
    wide, narrow = (_table(title, rows, is_narrow=one) for one in (False, True))
    # Sentences are folded either way, and then the lines tell the rows apart.
    is_narrow = _width(console, wide) > console.width >= _width(console, narrow)
    console.print(narrow if is_narrow else wide)


def console_for_tables() -> Console:
    """Where tables go; a file or a pipe takes as many columns as the documents promise."""
    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, _WIDTH))


def _width(console: Console, table: Table) -> int:
    unbound = console.options.update_width(_WIDTH_MAX)
    return Measurement.get(console, unbound, table).maximum


def _table(title: str, rows: Sequence[Mapping[str, str | int]], *, is_narrow: bool) -> Table:
    """The rows; narrow is without lines and with short headings, so that no figure is cut."""
    table = Table(title=plain(title))
    if is_narrow:
        table = Table(
            title=plain(title), box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False
        )
    for name, value in rows[0].items():
        justify: Literal["left", "right"] = "right" if _is_figure(value) else "left"
        heading = _SHORT_HEADINGS.get(name, name) if is_narrow else name
        # A long file name goes on in the next line; cut off it would be of no use.
        table.add_column(
            heading, justify=justify, overflow="fold", no_wrap=name in _UNSPLIT_COLUMNS
        )
    for row in rows:
        table.add_row(*(Text(plain(str(value))) for value in row.values()))
    return table


def _is_figure(value: str | int) -> bool:
    return isinstance(value, int) or value.replace(",", "").replace(".", "").lstrip("-").isdigit()
