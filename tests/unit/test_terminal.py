"""What is shown at a terminal."""

from __future__ import annotations

import datetime as dt
import json
import threading

import pytest
import typer

from daybook import terminal
from daybook.terminal import date_of, plain, progress, say, say_json, show

STEERING = "Ya \x1b[31mKun\x1b]0;pwned\x07\x9b2J \u202eecived"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Café 咖啡 · 12.50", "Café 咖啡 · 12.50"),
        ("two\nlines", "two\nlines"),
        ("a\tb\rc", "a b c"),
        (STEERING, "Ya ?[31mKun?]0;pwned??2J ?ecived"),
    ],
)
def test_what_steers_a_terminal_is_replaced(text: str, shown: str) -> None:
    """Letters of any language stay as they are."""
    assert shown == plain(text)


def test_tables_and_sentences_steer_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever the text came from."""
    show("Expenses", [{"merchant": STEERING}], as_json=False)
    say(STEERING)
    said = capsys.readouterr().out
    assert "pwned" in said
    assert not set("\x1b\x07\x9b\u202e\r") & set(said)


def test_json_says_the_same_without_steering(capsys: pytest.CaptureFixture[str]) -> None:
    """A script reads exactly what is stored."""
    say_json({"merchant": STEERING})
    said = capsys.readouterr().out
    assert {"merchant": STEERING} == json.loads(said)
    assert not set("\x1b\x07\x9b\u202e\r") & set(said)


def test_wide_table_fits_a_hundred_columns_without_cutting_dates_or_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Eleven columns of a store-day: lines between them and long headings give way first."""
    row: dict[str, str | int] = {
        "date": "2026-03-14",
        "store": "31582",
        "receipts": 12,
        "tenders": 3,
        "currency": "SGD",
        "pos": "12,345.67",
        "ledger": "12,345.67",
        "xero": "12,345.67",
        "difference": "0.00",
        "invoice": "DB-31582-20260314",
        "status": "posted",
    }
    show("Store-days", [row], as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert 100 >= max(len(line) for line in lines)
    assert [str(value) for value in row.values()] == lines[-1].split()


def test_date_is_read_as_it_is_asked_for() -> None:
    """Year, month, day."""
    assert dt.date(2026, 3, 14) == date_of("2026-03-14")


@pytest.mark.parametrize("text", ["14/3/2026", "2026-02-30", "yesterday", ""])
def test_what_is_no_date_says_how_to_write_one(text: str) -> None:
    """Without the words of a programming language."""
    with pytest.raises(typer.BadParameter, match="is not a date; write year, month and day"):
        date_of(text)


def test_what_takes_long_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, so that the output can go on to another program; the newest word counts."""
    monkeypatch.setattr(terminal, "_SILENT_SECONDS", 0)
    monkeypatch.setattr(terminal, "_LINE_SECONDS", 0.01)
    said = ""
    with progress("Reading tills") as tell:
        tell("3 receipts read")
        while "Reading tills: 3 receipts read ...\n" not in said:
            found = capsys.readouterr()
            assert "" == found.out
            said += found.err


def test_a_terminal_shows_progress_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a file is called steers nothing there, and is no markup."""
    monkeypatch.setattr(terminal, "_SILENT_SECONDS", 0)
    monkeypatch.setattr(terminal, "_REFRESH_SECONDS", 0.01)
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = ""
    with progress("Reading [tills]\x07") as tell:
        tell("3 receipts read")
        while "Reading [tills]?: 3 receipts read" not in said:
            said += capsys.readouterr().err
    assert "\x07" not in said


def test_what_is_quick_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody wonders within two seconds; the end does not wait for them either."""
    with progress("Reading tills") as tell:
        tell("3 receipts read")
    assert ("", "") == capsys.readouterr()


def test_what_fails_ends_the_progress_too() -> None:
    """No thread goes on talking."""
    before = threading.active_count()
    with pytest.raises(ValueError, match="torn"), progress("Reading tills"):
        raise ValueError("torn")
    assert before == threading.active_count()
