"""The mapping file."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (TOML.replace('contact = "Daily sales"', ""), "contact"),
        (TOML.replace('Cash = "091"', "Cash = 91"), "tenders"),
        (TOML.replace("[tracking]", "[trackings]"), "trackings"),
        (TOML.replace("2026-01-01", "2026-13-01"), "mapping.toml"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(broken: str, says: str) -> None:
    """A missing, mistyped, misspelt or impossible entry is named, with the file."""
    with pytest.raises(InputError, match=r"The mapping in mapping\.toml cannot be used") as refused:
        parse_mapping(broken, "mapping.toml")
    assert says in str(refused.value)
