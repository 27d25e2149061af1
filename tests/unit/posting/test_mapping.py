"""The mapping file."""

from __future__ import annotations

import datetime as dt

import pytest

from daybook.errors import InputError
from daybook.posting.mapping import content_hash, decode, encode, parse_mapping

TOML = """
organisation = "Kopi Corner"
effective_date = 2026-01-01
contact = "Daily sales"
[tracking]
category = "Store"
[categories]
Drinks = "200"
[taxes]
GST = "OUTPUT2"
[tenders]
Cash = "091"
[stores.S01]
tracking_option = "Tanjong"
"""


def test_file_becomes_a_mapping() -> None:
    """Every table of the file is there, and a store's rule applies to that store alone."""
    mapping = parse_mapping(TOML, "mapping.toml")
    assert mapping.categories == {"Drinks": "200"}
    assert mapping.tracking_option_of("S01", "Kopi Tanjong") == "Tanjong"
    assert mapping.tracking_option_of("S02", "Kopi Bedok") == "Kopi Bedok"
    assert mapping.contact_of("S01") == "Daily sales"


def test_stored_form_is_the_same_mapping() -> None:
    """Encoding and decoding loses nothing, and the hash is of the content."""
    mapping = parse_mapping(TOML, "mapping.toml")
    assert decode(encode(mapping)) == mapping
    assert content_hash(decode(encode(mapping))) == content_hash(mapping)


DATED = TOML.replace(
    'GST = "OUTPUT2"',
    """
SST = [
  { from = 2024-03-01, tax_type = "SERVICE8", rate = "8" },
  { from = 2018-09-01, tax_type = "SERVICE6", rate = "6" },
]
GST = "OUTPUT2"
""",
)


@pytest.mark.parametrize(
    ("date", "tax_type"),
    [
        (dt.date(2018, 8, 31), None),
        (dt.date(2018, 9, 1), "SERVICE6"),
        (dt.date(2024, 2, 29), "SERVICE6"),
        (dt.date(2024, 3, 1), "SERVICE8"),
    ],
)
def test_a_tax_code_may_mean_another_type_from_a_date_on(
    date: dt.date, tax_type: str | None
) -> None:
    """In whatever order they are written; before the first it means nothing."""
    mapping = decode(encode(parse_mapping(DATED, "mapping.toml")))
    rule = mapping.tax_rule("SST", date)
    assert tax_type == (rule.tax_type if rule else None)
    always = mapping.tax_rule("GST", date)
    assert always is not None
    assert ("OUTPUT2", None) == (always.tax_type, always.rate_percent)
    assert mapping.tax_rule("VAT", date) is None


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (TOML.replace('contact = "Daily sales"', ""), "contact"),
        (TOML.replace('Cash = "091"', "Cash = 91"), "tenders"),
        (TOML.replace("[tracking]", "[trackings]"), "trackings"),
        (TOML.replace("2026-01-01", "2026-13-01"), "mapping.toml"),
        (DATED.replace("2024-03-01", "2018-09-01"), "two tax types of 'SST' begin on the same"),
        (DATED.replace('rate = "8"', "rate = 8.0"), "got `float` - at `$.taxes"),
        (DATED.replace('rate = "8"', 'rate = "8 %"'), "matching regex"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(broken: str, says: str) -> None:
    """A missing, mistyped, misspelt or impossible entry is named, with the file."""
    with pytest.raises(InputError, match=r"The mapping in mapping\.toml cannot be used") as refused:
        parse_mapping(broken, "mapping.toml")
    assert says in str(refused.value)


def test_another_kind_of_file_is_told_where_the_form_is_shown() -> None:
    """A stores file was given, say."""
    with pytest.raises(InputError, match=r"docs/operations\.md shows the form"):
        parse_mapping('[[store]]\nstore_id = "S01"\n', "stores.toml")
