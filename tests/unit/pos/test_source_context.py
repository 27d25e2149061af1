"""What a source may need besides its address."""

from __future__ import annotations

import msgspec
import pytest

from daybook.errors import InputError, SettingError
from daybook.pos.source_context import SourceContext, parse_options


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """Options of a source."""

    account: str
    pages: int = 3


def test_options_are_read_from_the_table_of_the_source() -> None:
    """Other sources' tables do not matter."""
    tables = parse_options('[a]\naccount = "x"\n[b]\nz = 1\n', "pos.toml")
    assert Options("x", 3) == SourceContext(tables, "pos.toml").options("a", Options)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "missing required field `account`"),
        ({"account": 1}, r"Expected `str`, got `int`"),
        ({"account": "x", "page": 1}, "unknown field `page`"),
    ],
)
def test_wrong_options_are_named(table: dict[str, object], said: str) -> None:
    """With the file, the table and the field."""
    with pytest.raises(InputError, match=rf"^The table \[a\] in pos.toml is wrong: .*{said}"):
        SourceContext({"a": table}, "pos.toml").options("a", Options)


@pytest.mark.parametrize(
    ("where", "said"),
    [("", "into a TOML file and set DAYBOOK_POS_OPTIONS"), ("pos.toml", "into pos.toml")],
)
def test_missing_options_say_where_to_write_them(where: str, said: str) -> None:
    """Whether there is a file already or not."""
    with pytest.raises(InputError, match=rf"write a table \[a\] {said}"):
        SourceContext({}, where).options("a", Options)


@pytest.mark.parametrize("toml", ["account = 1", "[a", '[a]\nx = "\\q"'])
def test_a_file_that_holds_no_tables_is_refused(toml: str) -> None:
    """The sentence names it."""
    with pytest.raises(InputError, match=r"^The options in pos.toml cannot be used"):
        parse_options(toml, "pos.toml")


def test_the_token_is_asked_for_by_the_name_of_its_variable() -> None:
    """And never shown."""
    with pytest.raises(SettingError, match=r"^DAYBOOK_POS_TOKEN is missing"):
        SourceContext().needed_token()
    context = SourceContext(token="s3cret")
    assert "s3cret" == context.needed_token()
    assert "s3cret" not in repr(context)
