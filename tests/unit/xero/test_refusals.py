"""Every message of Xero that is known has its explanation and its next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from daybook.xero.refusals import ELSE, REFUSALS, Refusal, explained, refusal_of

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.words)
def test_each_message_is_explained_by_its_own_row(row: Refusal) -> None:
    """With a name filled in and a full stop, as Xero sends it; no row hides another."""
    message = row.words.replace("*", "X-9") + "."
    assert row == refusal_of(message)
    assert f"{message} {row.explanation} {row.next_step}" == explained([message])


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.words)
def test_each_message_stands_in_the_operations_manual(row: Refusal) -> None:
    """The table a person reads is the table the loader uses."""
    wanted = f"| {row.words} | {row.explanation} | {row.next_step} |"
    assert wanted in OPERATIONS.read_text().splitlines()


def test_unknown_message_is_passed_on_with_what_is_always_right() -> None:
    """Nothing Xero says is swallowed."""
    assert f"Something quite new. {ELSE}" == explained(["Something quite new"])


def test_two_messages_with_one_meaning_are_explained_once() -> None:
    """All of Xero's words, and each explanation a single time."""
    words = [
        "Account code '1' is not a valid code for this document.",
        "Account could not be found",
    ]
    sentence = explained([words[0], words[0], words[1]])
    assert 2 == sentence.count(words[0])
    assert 1 == sentence.count("takes no lines")
    assert 1 == sentence.count("The tender's account does not exist.")
