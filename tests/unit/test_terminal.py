"""What is shown at a terminal."""

from __future__ import annotations

import json

import pytest

from daybook.terminal import plain, say, say_json, show

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
