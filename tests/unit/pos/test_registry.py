"""Which source an address means."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from daybook.errors import InputError
from daybook.pos.files import FilesSource
from daybook.pos.registry import SOURCES, SourceKind, grace_of, source_of
from daybook.pos.source_context import SourceContext

if TYPE_CHECKING:
    from daybook.pos.source import ReceiptSource

QUERIES = dict.fromkeys(
    ("receipts", "lines", "tenders"), "SELECT 1 WHERE at >= :first_at AND at < :last_at"
)
SQL = SourceContext({"sql": QUERIES}, "pos.toml")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("/mnt/pos", "files at /mnt/pos"),
        ("tills/a+b", "files at tills/a+b"),
        ("s3://bucket/pos", "files at s3://bucket/pos"),
        ("sftp://till:s3cret@host/pos", "files at sftp://host/pos"),
        ("zip://::/mnt/pos.zip", "files at zip://::/mnt/pos.zip"),
        ("simplecache::s3://bucket/pos", "files at simplecache::s3://bucket/pos"),
        ("sql+postgresql://till:s3cret@host:5433/pos", "database postgresql://host:5433/pos"),
        ("sql+sqlite:////mnt/pos.db", "database sqlite:////mnt/pos.db"),
    ],
)
def test_the_address_says_which_source_it_is(url: str, name: str) -> None:
    """A name and a plus choose a source, everything else is files; no password is shown."""
    assert name == source_of(url, SQL).name


@pytest.mark.parametrize("url", ["nonsense://till:s3cret@host/pos", "oracle+sql://till:s3cret@h"])
def test_an_unknown_kind_of_address_names_the_known_ones(url: str) -> None:
    """What to write instead, and not the password."""
    with pytest.raises(
        InputError, match=r"folder or an fsspec URL .* like loyverse\+.* sql\+"
    ) as caught:
        source_of(url, SourceContext())
    assert "s3cret" not in str(caught.value)


def test_a_new_source_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets what stands after the plus, and the context."""
    opened = []

    def open_own(url: str, context: SourceContext) -> ReceiptSource:
        opened.append((url, context))
        return FilesSource(url)

    monkeypatch.setitem(SOURCES, "own", SourceKind("own+file:///tills", open_own))
    context = SourceContext({"own": {}}, "pos.toml")
    assert "files at file:///mnt/x" == source_of("own+file:///mnt/x", context).name
    assert [("file:///mnt/x", context)] == opened


@pytest.mark.parametrize(
    ("url", "grace"),
    [
        ("square+https://connect.squareup.com", dt.timedelta(hours=3)),
        ("/mnt/pos", dt.timedelta(0)),
        ("sql+postgresql://host/pos", None),
    ],
)
def test_each_source_has_its_own_grace(url: str, grace: dt.timedelta | None) -> None:
    """The minutes in its table; where none stand, the setting for all of them counts."""
    tables = {"square": {"grace_minutes": 180}, "files": {"grace_minutes": 0}, "sql": QUERIES}
    assert grace == grace_of(url, SourceContext(tables, "pos.toml"))


def test_a_grace_is_no_option_of_the_source_itself() -> None:
    """It may stand in any table; one that is no number of minutes is refused."""
    tables = {"sql": QUERIES | {"grace_minutes": 30}, "files": {"grace_minutes": 30}}
    context = SourceContext(tables, "pos.toml")
    assert "database" in source_of("sql+sqlite://", context).name
    assert "files at /mnt/pos" == source_of("/mnt/pos", context).name
    with pytest.raises(InputError, match=r"^The table \[files\] in pos.toml is wrong: Expected"):
        grace_of("/mnt/pos", SourceContext({"files": {"grace_minutes": -1}}, "pos.toml"))


def test_files_have_no_other_options() -> None:
    """A misspelt one would be ignored silently."""
    with pytest.raises(InputError, match=r"^The table \[files\] in pos.toml is wrong"):
        source_of("/mnt/pos", SourceContext({"files": {"grace": 30}}, "pos.toml"))


def test_options_of_no_source_are_refused() -> None:
    """A misspelt table would be ignored silently."""
    with pytest.raises(InputError, match=r"^\[slq\] in pos.toml is not the options of any source"):
        source_of("/mnt/pos", SourceContext({"slq": {}}, "pos.toml"))


def test_every_example_begins_with_its_name() -> None:
    """The sentences show addresses that work."""
    assert all(kind.example.startswith(f"{name}+") for name, kind in SOURCES.items())
