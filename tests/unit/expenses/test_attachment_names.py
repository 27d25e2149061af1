"""File names that every receiver takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.expenses.attachment_names import extension_of, safe_stem, unique_names


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("../../etc/passwd.png", "passwd"),
        ("C:\\receipts\\taxi 12.pdf", "taxi-12"),
        ("Caf\u00e9 \u6536\u636e.jpg", "Cafe"),
        ("\u6536\u636e.jpg", "receipt"),
        ("receipt.exe.pdf", "receipt-exe"),
        ("...", "receipt"),
        ("", "receipt"),
        ("a+b&c#d.png", "a-b-c-d"),
        ("CON.png", "receipt-CON"),
        ("-rf.png", "rf"),
    ],
)
def test_stem_keeps_what_can_be_kept(name: str, stem: str) -> None:
    """Folders, tricks and foreign characters go, the readable rest stays."""
    assert stem == safe_stem(name)


@pytest.mark.parametrize(
    ("name", "extension"),
    [("a.JPEG", "jpg"), ("a.tiff", "tif"), ("a", ""), (".", ""), ("a.pdf ", "pdf"), ("a.b.c", "c")],
)
def test_extensions_have_one_spelling(name: str, extension: str) -> None:
    """However it was written."""
    assert extension == extension_of(name)


def test_same_names_get_numbers_whatever_the_case() -> None:
    """Receivers that ignore case must not overwrite one file by another."""
    wanted = [("a.png", "png"), ("A.png", "png"), ("a-2.png", "png"), ("a.jpg", "jpg")]
    assert ("a.png", "A-2.png", "a-2-2.png", "a.jpg") == unique_names(wanted, 100)


def test_long_names_keep_their_extension() -> None:
    """The end that decides about the type is never cut off."""
    names = unique_names([("x" * 300 + ".pdf", "pdf")] * 2, 30)
    assert ("x" * 26 + ".pdf", "x" * 24 + "-2.pdf") == names


@given(st.lists(st.tuples(st.text(max_size=40), st.sampled_from(["jpg", "pdf"])), max_size=20))
def test_names_are_always_legal_and_unique(wanted: list[tuple[str, str]]) -> None:
    """Whatever the names were."""
    names = unique_names(wanted, 30)
    assert len(wanted) == len({name.lower() for name in names})
    legal = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,25}\.(jpg|pdf)")
    assert [] == [name for name in names if not legal.fullmatch(name) or len(name) > 30]
