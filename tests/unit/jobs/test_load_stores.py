"""The stores file."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from daybook.errors import InputError
from daybook.jobs.load_stores import parse_stores
from daybook.posting.mapping import parse_mapping
from daybook.sales.store import Store, TradingDays

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"

TOML = """
[[store]]
store_id = "S01"
name = "Kopi Corner Tanjong"
time_zone = "Asia/Singapore"
currency = "SGD"
cutoff = 04:00:00
opened_date = 2025-03-01
"""


def test_file_becomes_stores() -> None:
    """Cut-off and dates are the file's own; what is left out has its default."""
    assert [
        Store(
            "S01",
            "Kopi Corner Tanjong",
            "Asia/Singapore",
            "SGD",
            dt.time(4),
            dt.date(2025, 3, 1),
            None,
        )
    ] == parse_stores(TOML, "stores.toml")


def test_a_store_may_say_when_it_trades() -> None:
    """Days of the week, and dates that differ; a store that says nothing expects nothing."""
    said = TOML + "[store.expected]\n" + 'weekdays = ["Sun", "Mon"]\nclosed = [2026-02-17]\n'
    (store,) = parse_stores(said, "stores.toml")
    assert TradingDays((0, 6), (dt.date(2026, 2, 17),)) == store.expected
    (daily,) = parse_stores(TOML + "[store.expected]\n", "stores.toml")
    assert TradingDays() == daily.expected
    (silent,) = parse_stores(TOML, "stores.toml")
    assert silent.expected is None


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (TOML.replace("Asia/Singapore", "Asia/Singapura"), "time zone 'Asia/Singapura'"),
        (TOML.replace("Asia/Singapore", "../etc/passwd"), "time zone"),
        (TOML.replace('"SGD"', '"S$"'), "currency code"),
        (TOML.replace('"S01"', '"S 01"'), "cannot be a store id"),
        (TOML + TOML, "stands twice"),
        (TOML.replace("cutoff", "cut_off"), "cut_off"),
        (TOML.replace('name = "Kopi Corner Tanjong"', ""), "name"),
        ("[[store]", "docs/operations.md shows the form, under 'Stores and mapping'"),
        (TOML + '[store.expected]\nweekdays = ["Monday"]', "Invalid enum value 'Monday'"),
        (TOML + "[store.expected]\nclosed = [2026-02-30]", "cannot be used"),
        (
            TOML + "[store.expected]\nclosed = [2026-02-17]\nopen = [2026-02-17]",
            "2026-02-17 stands under closed and under open of store 'S01'",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(broken: str, says: str) -> None:
    """The entry that cannot be used is named."""
    with pytest.raises(InputError) as refused:
        parse_stores(broken, "stores.toml")
    assert says in str(refused.value)


def test_stores_and_mapping_of_the_manual_can_be_loaded() -> None:
    """As they are printed there."""
    chapter = OPERATIONS.read_text(encoding="utf-8").split("## Stores and mapping")[1]
    stores, mapping = re.findall(r"```toml\n(.*?)```", chapter.split("\n## ")[0], re.DOTALL)
    assert ["S01"] == [one.store_id for one in parse_stores(stores, "the manual")]
    assert "Kopi Corner Pte Ltd" == parse_mapping(mapping, "the manual").organisation
