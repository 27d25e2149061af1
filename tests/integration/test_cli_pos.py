"""`daybook pos check` at the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select
from till import Receipt, opened_ledger, write_csv

from daybook import cli
from daybook.ledger.tables import metadata

if TYPE_CHECKING:
    from pathlib import Path

STORES = """
[[store]]
store_id = "S01"
name = "Tanjong"
time_zone = "Asia/Singapore"
currency = "SGD"

[[store]]
store_id = "S02"
name = "Bugis"
time_zone = "Asia/Singapore"
currency = "SGD"
"""
QUERIED = ("receipts", "lines", "tenders")
DAY = ("--from", "2026-03-14", "--to", "2026-03-14")

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run `daybook pos check` with these words in a terminal of 100 columns: exit code, output."""
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "stores.toml").write_text(STORES)

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["daybook", "pos", "check", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run


def test_a_source_is_tried_before_anything_is_set_up(check: Run, tmp_path: Path) -> None:
    """With a file of stores there is no need of a ledger, and none is made."""
    folder = write_csv(tmp_path / "pos", [Receipt()])
    code, said = check(str(folder), "--stores", str(tmp_path / "stores.toml"), *DAY)
    assert 0 == code
    assert "Every row can be read, and every day balances." in said
    assert "No receipts of store S02." in said
    assert not (tmp_path / "home").exists()


def test_the_table_fits_a_hundred_columns(check: Run, tmp_path: Path) -> None:
    """With counts and amounts as large as a store has them, nothing is cut off or wrapped."""
    tender = (("Cash", 123_456_789),)
    large = Receipt(lines=(("Food", "GST", 113_262_192, 10_194_597),), tenders=tender)
    folder = write_csv(tmp_path / "pos", [large])
    _, said = check(str(folder), "--stores", str(tmp_path / "stores.toml"), *DAY)
    table = [line for line in said.splitlines()[1:] if "files at" not in line][:4]
    assert max(map(len, table)) <= 100
    assert "date       store cur receipts refunds voids" in table[0]
    row = "2026-03-14 S01 SGD 1 0 0 1132621.92 101945.97 1234567.89 1234567.89 yes"
    assert row in [" ".join(line.split()) for line in table]


def test_what_a_file_says_steers_no_terminal(check: Run, tmp_path: Path) -> None:
    """A store's id and an amount that recolour, rename or erase are shown as they are."""
    receipts = [
        Receipt("R1"),
        Receipt("R2", store_id="\x1b[2JZ9\u202e"),
        Receipt("R\x9b3", lines=()),
    ]
    folder = write_csv(tmp_path / "pos", receipts)
    for words in ((), ("--json",)):
        code, said = check(str(folder), "--stores", str(tmp_path / "stores.toml"), *DAY, *words)
        assert 1 == code
        assert not {"\x1b", "\x9b", "\u202e"}.intersection(said)
        assert "Z9" in said


def test_what_is_wrong_is_said_and_ends_with_one(check: Run, tmp_path: Path) -> None:
    """Rejects with file, row and column; days that do not balance with their receipts."""
    receipts = [
        Receipt("R1", tenders=(("Cash", 1000),)),
        Receipt("R2", lines=(("", "GST", 1, 0),)),
    ]
    folder = write_csv(tmp_path / "pos", receipts)
    code, said = check(str(folder), "--stores", str(tmp_path / "stores.toml"), *DAY)
    assert 1 == code
    assert f"{folder}/lines.csv row 3, column category: It is empty; fill it in." in said
    assert "2026-03-14 store S01: Lines and tax come to 10.90 SGD but tenders to 10.00" in said
    assert "1 row cannot be read (1 day would be held) and 1 day does not balance. Nothing" in said


def test_a_missing_day_is_said_and_ends_with_one(check: Run, tmp_path: Path) -> None:
    """The store trades every day; one that does not say so has no missing days."""
    folder = write_csv(tmp_path / "pos", [Receipt()])
    stores = tmp_path / "stores.toml"
    stores.write_text(f"{STORES}[store.expected]\n")
    code, said = check(str(folder), "--stores", str(stores), *DAY)
    assert 1 == code
    assert "2026-03-14 store S02: it should have traded, no receipts." in said
    assert "1 day is missing. Nothing was written." in said
    _, said = check(str(folder), "--stores", str(stores), "--json", *DAY)
    assert [{"date": "2026-03-14", "store": "S02"}] == json.loads(said)["missing"]


def test_a_script_reads_json(check: Run, tmp_path: Path) -> None:
    """The same as the table says, and the rejects in full."""
    folder = write_csv(tmp_path / "pos", [Receipt(), Receipt(store_id="S99")])
    words = ("--stores", str(tmp_path / "stores.toml"), "--store", "S01", "--json")
    code, said = check(str(folder), *words, *DAY)
    found = json.loads(said)
    assert (1, False, 1) == (code, found["is_fine"], found["reject_count"])
    assert ("10.90", "yes") == (found["days"][0]["total"], found["days"][0]["balanced"])
    assert ("store_id", 3) == (found["rejects"][0]["column"], found["rejects"][0]["row"])
    assert [] == found["stores_without_receipts"]


def test_stores_come_from_the_ledger_and_nothing_is_written(
    check: Run, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every table of the ledger holds afterwards what it held before."""
    monkeypatch.setenv("DAYBOOK_DATABASE_URL", database_url)
    monkeypatch.setenv("DAYBOOK_SECRET_KEY", "7S6cuVxGUJTqUlK5YqfLNr0hYg4GTf6Pbx7Vq3nSpyk=")
    folder = write_csv(tmp_path / "pos", [Receipt(), Receipt("R2", lines=(("", "GST", 1, 0),))])
    monkeypatch.setenv("DAYBOOK_POS_URL", str(folder))
    with opened_ledger(database_url) as ledger:

        def counts() -> dict[str, int]:
            with ledger.connect() as connection:
                return {
                    table.name: connection.execute(
                        select(func.count()).select_from(table)
                    ).scalar_one()
                    for table in metadata.sorted_tables
                }

        before = counts()
        code, said = check(*DAY)
        assert (1, before) == (code, counts())
    assert "2026-03-14 S01   SGD        1" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "2026-03-14"), "files at"),
        ((), "files at"),
        (("--from", "2026-03-14", "--to", "2026-03-13"), "is before the first date"),
        (("--store", "S98"), "There is no store 'S98'."),
        (("--store", "S01", "--store", "S1"), "There is no store 'S1'. Did you mean 'S01'?"),
    ],
)
def test_dates_and_stores_have_defaults(
    check: Run, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """A week that ends with the newest date that is over."""
    folder = write_csv(tmp_path / "pos", [Receipt()])
    _, output = check(str(folder), "--stores", str(tmp_path / "stores.toml"), *words)
    assert said in output


def test_an_address_without_a_source_shows_no_password(check: Run, tmp_path: Path) -> None:
    """The sentence names what there is."""
    words = ("nonsense://till:s3cret@host", "--stores", str(tmp_path / "stores.toml"))
    code, said = check(*words)
    assert 1 == code
    assert "No point of sale is read from addresses that begin with nonsense://" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "url", ["/nowhere", "qashier+file:///nowhere", "gs://bucket/pos", "sql+oracle://host/pos"]
)
def test_advice_is_about_the_address_that_was_given(
    check: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Not about the setting, which says something else or nothing; without an address it is."""
    options = tmp_path / "pos.toml"
    query = "SELECT 1 WHERE at >= :first_at AND at < :last_at"
    options.write_text("[sql]\n" + "".join(f'{one} = "{query}"\n' for one in QUERIED))
    monkeypatch.setenv("DAYBOOK_POS_OPTIONS", str(options))
    words = ("--stores", str(tmp_path / "stores.toml"), *DAY)
    code, said = check(url, *words)
    assert (1, True) == (code, "the address that you gave" in said)
    assert "DAYBOOK_POS_URL" not in said
    monkeypatch.setenv("DAYBOOK_POS_URL", url)
    code, said = check(*words)
    assert (1, True) == (code, "DAYBOOK_POS_URL" in said)
