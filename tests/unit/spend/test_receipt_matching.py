"""Receipts and the expenses they belong to."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from daybook.expenses.expense import AttachmentRef, Expense, SourceStatus
from daybook.spend.receipt_matching import match

ONE = Expense(
    source="files",
    id_source="E-1",
    account_id_source="a1",
    status=SourceStatus.SETTLED,
    spent_date=dt.date(2026, 3, 14),
    amount_minor=1250,
    currency="SGD",
    merchant="Grab",
    category="Transport",
)
TWO = replace(ONE, id_source="E-2", merchant="Ya Kun Kaya Toast")
OTHER = replace(ONE, id_source="E-3", amount_minor=9900)


def test_receipts_are_matched_by_id() -> None:
    """File name, numbered file name, folder."""
    files = [AttachmentRef(key, key) for key in ("e-1.pdf", "E-1_2.jpg", "E-3/hotel.jpg", "x.pdf")]
    found = match([ONE, TWO, OTHER], files)
    assert {"files-E-1": ["E-1_2.jpg", "e-1.pdf"], "files-E-3": ["E-3/hotel.jpg"]} == {
        key: [one.key for one in refs] for key, refs in found.by_expense.items()
    }
    assert () == found.unmatched


def test_receipts_are_matched_by_facts_and_ambiguous_ones_are_held() -> None:
    """Date and amount, then the merchant; what still fits two is held with both named."""
    files = [
        AttachmentRef(key, key)
        for key in ("2026-03-14 99.00.jpg", "20260314 12.50 kaya.jpg", "2026-03-14 12.50.jpg")
    ]
    found = match([ONE, TWO, OTHER], files)
    assert {"files-E-3", "files-E-2"} == set(found.by_expense)
    [held] = found.unmatched
    assert "files-E-1, files-E-2" in held.sentence


def keys_of(expenses: list[Expense], *names: str) -> dict[str, list[str]]:
    """What was matched, by expense; what was held is under ""."""
    found = match(expenses, [AttachmentRef(name, name) for name in names])
    keys = {key: [one.key for one in refs] for key, refs in found.by_expense.items()}
    return keys | ({"": [one.where for one in found.unmatched]} if found.unmatched else {})


def test_thousands_are_not_cut_off() -> None:
    """1,200.00 is no receipt of 200.00."""
    small, large = replace(ONE, amount_minor=20000), replace(TWO, amount_minor=120000)
    assert {"files-E-2": ["2026-03-14 1,200.00.jpg"]} == keys_of(
        [small, large], "2026-03-14 1,200.00.jpg"
    )
    assert {} == keys_of([small], "2026-03-14 1,200.00.jpg", "2026-03-14 200.00,5.jpg")


def test_name_with_two_amounts_is_not_guessed() -> None:
    """Both fit an expense of that day: held, unless the merchant is named."""
    assert {"": ["2026-03-14 99.00 12.50.jpg"], "files-E-3": ["2026-03-14 99.00 1.50.jpg"]} == (
        keys_of([ONE, OTHER], "2026-03-14 99.00 12.50.jpg", "2026-03-14 99.00 1.50.jpg")
    )


@pytest.mark.parametrize(
    "name",
    ["2026-03-14 12.50.pdf", "2026-03-14 12.50 Kopi Pte Ltd.pdf", "receipt 2026-03-14 12.50.pdf"],
)
def test_words_that_say_nothing_of_a_merchant_decide_nothing(name: str) -> None:
    """Extension, date, legal form: the receipt is held."""
    first = replace(ONE, merchant="PDF Receipt 2026 Pte Ltd")
    assert {"": [name]} == keys_of([first, TWO], name)


def test_ids_that_differ_by_case_alone_are_told_apart() -> None:
    """As written it is clear; otherwise it is held."""
    upper, lower = ONE, replace(ONE, id_source="e-1")
    assert {"files-E-1": ["E-1.pdf"], "files-e-1": ["e-1_2.pdf"]} == keys_of(
        [upper, lower], "E-1.pdf", "e-1_2.pdf"
    )
    first, second = replace(ONE, id_source="Ab"), replace(ONE, id_source="aB")
    assert {"": ["ab.pdf"]} == keys_of([first, second], "ab.pdf")
