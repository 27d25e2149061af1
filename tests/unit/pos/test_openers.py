"""Opening the sources that need more than an address."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from doc_blocks import doc_blocks
from till import SINGAPORE

from daybook.errors import InputError, SettingError
from daybook.pos.registry import source_of
from daybook.pos.source_context import SourceContext, parse_options
from daybook.sales.store import Store

OPTIONS = """
[square]
stores = {L1 = "S01"}
categories = {Latte = "Coffee"}
test_sources = ["Training"]

[loyverse]
stores = {"0a-1b" = "S01"}
default_category = "Food"

[qashier]
stores = {"Kopi Corner (Tanjong)" = "S01"}
is_early_allowed = true
"""
NAMESAKE = Store("S02", SINGAPORE.name, "Asia/Singapore", "SGD")


def context(**other: Any) -> SourceContext:  # noqa: ANN401 - any field of it
    """All options and a token."""
    given: dict[str, Any] = {
        "tables": parse_options(OPTIONS, "pos.toml"),
        "where": "pos.toml",
        "token": "s3cret",
        "http": httpx.Client,
        "stores": lambda: [SINGAPORE],
    }
    return SourceContext(**given | other)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("square+https://connect.squareup.com", "Square at https://connect.squareup.com"),
        ("loyverse+https://api.loyverse.com", "Loyverse at https://api.loyverse.com"),
        ("qashier+file:///mnt/q", "Qashier's files at file:///mnt/q"),
        ("qashier+/mnt/q", "Qashier's files at /mnt/q"),
        ("qashier+sftp://till:s3cret@host/q", "Qashier's files at sftp://host/q"),
    ],
)
def test_each_source_is_opened_with_its_options(url: str, name: str) -> None:
    """Nothing is asked of it yet."""
    assert name == source_of(url, context()).name


def test_the_options_on_the_operators_page_work() -> None:
    """As they are printed."""
    toml = next(one for one in doc_blocks("operations.md", "toml") if "[qashier]" in one)
    tables = parse_options(toml, "operations.md")
    assert ["loyverse", "qashier", "square"] == sorted(tables)
    for name in tables:
        assert source_of(f"{name}+https://x.example", context(tables=tables)).name


def test_qashier_needs_no_options() -> None:
    """Stores are recognised by their own names."""
    assert "Qashier's files at /mnt/q" == source_of("qashier+/mnt/q", context(tables={})).name


@pytest.mark.parametrize("url", ["square+https://x.example", "loyverse+https://x.example"])
def test_an_account_needs_a_token_and_its_stores(url: str) -> None:
    """The sentences name the variable and the table."""
    with pytest.raises(SettingError, match=r"^DAYBOOK_POS_TOKEN is missing"):
        source_of(url, context(token=None))
    name = url.partition("+")[0]
    with pytest.raises(InputError, match=rf"write a table \[{name}\] into pos.toml"):
        source_of(url, context(tables={}))


def test_a_misspelt_option_is_refused() -> None:
    """It would be ignored silently."""
    tables: dict[str, dict[str, dict[str, str]]] = {"loyverse": {"stores": {}, "category": {}}}
    with pytest.raises(InputError, match=r"\[loyverse\] in pos.toml is wrong: .*`category`"):
        source_of("loyverse+https://x.example", context(tables=tables))


def test_two_stores_of_one_name_cannot_be_told_apart() -> None:
    """Qashier's files know names only."""
    with pytest.raises(InputError, match="The stores S01 and S02 are both called 'Tanjong'"):
        source_of("qashier+/mnt/q", context(stores=lambda: [SINGAPORE, NAMESAKE]))
