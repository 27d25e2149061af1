"""What happened to an expense, in words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from daybook.jobs.expense_history import history_rows, told


@pytest.mark.parametrize(
    ("event", "detail", "said"),
    [
        ("found", {"amount_minor": 1250}, "12.50 SGD"),
        (
            "changed",
            {
                "amount_minor": {"from": 1250, "to": 2300},
                "spent_date": {"from": "2026-03-05", "to": "2026-03-06"},
                "note": {"from": "", "to": "taxi"},
                "receipts": {"from": 1, "to": 1},
            },
            "amount 12.50 SGD -> 23.00 SGD; date 2026-03-05 -> 2026-03-06; note nothing -> taxi",
        ),
        ("held", {"why": ["No mapping.", "No account."]}, "No mapping. No account."),
        ("by_hand", {"why": "journal 7"}, "journal 7"),
        ("ready", {}, ""),
        ("synced", {"id_xero": "11db"}, "id in Xero 11db"),
        (
            "sync error",
            {"problem": {"code": "refused", "key": "x", "sentence": "Xero says no."}},
            "Xero says no.",
        ),
        ("attachment uploaded", {"name": "a.pdf", "uploaded_name": "a-1f.pdf"}, "a.pdf; as a-1f.p"),
        ("attachment failed", {"name": "a.pdf", "reason": "It is damaged."}, "a.pdf; It is damag"),
        ("corrected", {"references": ["E-1-C1", "E-1-C2"]}, "E-1-C1, E-1-C2"),
        (
            "removed in Xero",
            {
                "documents": [
                    {"id_xero": "1f", "content": {"reference": "E-1", "date": "2026-03-05"}}
                ]
            },
            "E-1 of 2026-03-05, id in Xero 1f",
        ),
        (
            "correction removed in Xero",
            {"id_xero": "1f", "content": {"reference": "E-1-C1", "date": "2026-03-05"}},
            "id in Xero 1f; E-1-C1 of 2026-03-05",
        ),
    ],
)
def test_each_event_says_what_it_was_about(event: str, detail: dict[str, Any], said: str) -> None:
    """In words, with amounts in the expense's currency."""
    assert said in told(event, detail, "SGD")
    assert not {"{", "}", '"'} & set(told(event, detail, "SGD"))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"account": "420", "note": "taxi"}, "account nothing -> 420; note nothing -> taxi"),
        ({"account": "420", "note": "taxi"}, {"note": "taxi"}, "account 420 -> nothing"),
        ({"tracking": {}}, {"tracking": {"Region": "North"}}, "tracking none -> Region=North"),
        ({}, {"is_no_double": True}, "no double of a payment in Xero"),
        ({"needs_no_receipt": True}, {}, "no longer complete without a receipt"),
        (
            {},
            {
                "lines": [
                    {"amount_minor": 1200, "category": "Meals"},
                    {"amount_minor": 850, "category": "Transport", "description": "taxi"},
                ]
            },
            "split whole -> 12.00 SGD Meals + 8.50 SGD Transport 'taxi'",
        ),
    ],
)
def test_a_decision_is_told_from_what_to_what(
    before: dict[str, Any], after: dict[str, Any], said: str
) -> None:
    """Only what differs; what was taken back is nothing again."""
    assert said == told("set", {"from": before, "to": after}, "SGD")


def test_the_decimals_are_those_of_the_currency() -> None:
    """A yen has none."""
    assert "1250 JPY" == told("found", {"amount_minor": 1250}, "JPY")


def test_a_row_says_who_and_when() -> None:
    """In order, as they were recorded."""
    at = dt.datetime(2026, 3, 14, 9, 30, tzinfo=dt.UTC)
    event = {"at": at, "actor": "mei", "event": "by_hand", "detail": {"why": "journal 7"}}
    assert [
        {"at": "2026-03-14 09:30", "who": "mei", "what": "by hand", "detail": "journal 7"}
    ] == history_rows([event], "SGD")
