"""What all commands share: the wiring of one command, reading a file, showing a table."""

from __future__ import annotations

import json
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from daybook.errors import InputError
from daybook.settings import load_settings
from daybook.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from daybook.expenses.problems import Problem

_STEERING = frozenset(("Cc", "Cf", "Cs"))  # controls, marks of direction, halves of letters
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]


@contextmanager
def open_wiring() -> Iterator[Wiring]:
    """One command's collaborators, given back at its end."""
    parts = Wiring(load_settings())
    try:
        yield parts
    finally:
        parts.close()


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
    table = Table(title=plain(title))
    for name, value in rows[0].items():
        justify: Literal["left", "right"] = "right" if _is_figure(value) else "left"
        # A long file name goes on in the next line; cut off it would be of no use.
        table.add_column(name, justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(str(value))) for value in row.values()))
    Console().print(table)


def _is_figure(value: str | int) -> bool:
    return isinstance(value, int) or value.replace(",", "").replace(".", "").lstrip("-").isdigit()
