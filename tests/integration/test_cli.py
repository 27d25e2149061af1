"""The command at its edges: one clear sentence, and an exit code that tells the truth."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from kopi_corner import connected_chain

from daybook import cli
from daybook.ledger.store_days import StoreDayStatus, write_store_days
from daybook.posting.holds import Hold, HoldCode
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kopi_corner import Chain

Run = tuple[int, str, str]

# What takes long to load; a person who asks for help waits for none of it.
HEAVY = frozenset(
    ("PIL", "alembic", "fsspec", "httpx", "numpy", "pandas", "pikepdf", "prefect", "psycopg")
) | {"pyarrow", "pydantic_settings", "sqlalchemy"}
WHAT_IS_LOADED = """
import sys
from daybook.cli import main
for words in sys.argv[1].split(";"):
    sys.argv = ["daybook", *words.split()]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, ended.code
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded_by(*commands: str) -> set[str]:
    """The packages that a process of its own has loaded after these commands."""
    asked = [sys.executable, "-c", WHAT_IS_LOADED, ";".join(commands)]
    ran = subprocess.run(asked, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return set(ran.stdout.splitlines()[-1].split())


@pytest.fixture
def chain(database_url: str) -> Iterator[Chain]:
    """Three stores, connected to an organisation in a sandbox of their own."""
    with connected_chain(database_url) as connected:
        yield connected


@pytest.fixture
def daybook(
    database_url: str,
    chain: Chain,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Run]:
    """Run `daybook` with these words; returns exit code, output and errors."""
    app = chain.access.app
    settings = {
        "HOME": str(tmp_path / "home"),
        "DATABASE_URL": database_url,
        "SECRET_KEY": chain.access.connections.key,
        "XERO_API_URL": app.api_url,
        "XERO_IDENTITY_URL": app.identity_url,
        "XERO_LOGIN_URL": app.login_url,
        "XERO_CLIENT_ID": app.client_id,
        "XERO_CLIENT_SECRET": app.client_secret,
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"DAYBOOK_{name}", value)

    def run(*words: str, **other: str) -> Run:
        for name, value in other.items():
            monkeypatch.setenv(f"DAYBOOK_{name}", value)
        monkeypatch.setattr(sys, "argv", ["daybook", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, " ".join(said.err.split())

    return run


def test_stores_are_loaded_and_listed(daybook: Callable[..., Run], tmp_path: Path) -> None:
    """What the file says is in the list, as a table and as JSON."""
    file = tmp_path / "stores.toml"
    file.write_text(
        '[[store]]\nstore_id = "S09"\nname = "Kopi 9"\n'
        'time_zone = "Asia/Singapore"\ncurrency = "SGD"\n'
    )
    code, out, _ = daybook("stores", "load", str(file), "--organisation", "Kopi Corner")
    assert (0, f"1 store loaded from {file}.\n") == (code, out)
    _, listed, _ = daybook("stores", "list", "--json")
    assert "Asia/Singapore" in {one["time zone"] for one in json.loads(listed)}


def test_mapping_that_was_loaded_before_says_so(
    daybook: Callable[..., Run], tmp_path: Path
) -> None:
    """Loading the same file twice changes nothing, and that is what is said."""
    file = tmp_path / "mapping.toml"
    file.write_text(
        'organisation = "Kopi Corner"\neffective_date = 2026-02-01\ncontact = "Sales"\n'
        "[categories]\n[taxes]\n[tenders]\n"
    )
    assert "loaded" in daybook("mapping", "load", str(file))[1]
    assert "was loaded before" in daybook("mapping", "load", str(file))[1]


def test_status_shows_the_connection_and_the_calls_left(daybook: Callable[..., Run]) -> None:
    """A script learns whether the connection lives and for how long."""
    code, out, _ = daybook("status", "--json")
    said = json.loads(out)
    rows = {one["organisation"]: one for one in said["organisations"]}
    assert (0, []) == (code, said["store_days"])
    assert ("connected", 59) == (
        rows["Kopi Corner"]["connection"],
        rows["Kopi Corner"]["days left"],
    )
    assert 4990 < rows["Kopi Corner"]["calls left today"] <= 5000


def test_status_shows_what_is_not_in_xero_and_what_to_do(
    daybook: Callable[..., Run], chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, in a terminal of 100 columns; a script gets the days that are not shown too."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(cli, "_WAITING_SHOWN_MAX", 1)
    place = f"/mnt/{'very-long-name-' * 8}lines.csv row 3"
    hold = Hold(
        HoldCode.UNREADABLE, place, f"A row could not be read: {place}. Correct the source."
    )
    store_id = chain.stores[0].store_id
    days = [StoreDay(dt.date(2026, 3, day), store_id) for day in (13, 14)]
    with chain.engine.begin() as connection:
        held = [StoreDayStatus(day, "held", (hold,)) for day in days]
        write_store_days(
            connection, held, run_id="test", now_at=dt.datetime(2026, 3, 15, tzinfo=dt.UTC)
        )
    code, out, _ = daybook("status")
    assert 0 == code
    assert max(map(len, out.splitlines())) <= 100
    (shown,) = [line for line in out.splitlines() if "2026-03-1" in line]
    assert f"2026-03-14 │ {store_id}" in shown
    words = re.sub(r"[│\s]", "", out)
    assert place.replace(" ", "") in words
    assert "And 1 older one; daybook status --json lists all." in out
    listed = json.loads(daybook("status", "--json")[1])["store_days"]
    assert [("2026-03-14", "held"), ("2026-03-13", "held")] == [
        (one["date"], one["state"]) for one in listed
    ]


@pytest.mark.parametrize(
    ("words", "settings", "says"),
    [
        (("stores", "load", "nowhere.toml"), {}, "There is no file nowhere.toml."),
        (("mapping", "load", "nowhere.toml"), {}, "There is no file nowhere.toml."),
        (("days", "2026-03-14", "2026-03-01"), {}, "is before the first date"),
        (("days", "2026-03-14", "--store", "S0l"), {}, "There is no store 'S0l'. Did you mean"),
        (("days", "2026-03-14"), {"XERO_API_URL": "ftp://x"}, "DAYBOOK_XERO_API_URL must be"),
        (("days", "2026-03-14"), {"XERO_AP_URL": "http://x"}, "did you mean DAYBOOK_XERO_API_URL"),
        (
            ("days", "2026-03-14"),
            {"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/none"},
            "port 1 failed: Connection refused. Check that PostgreSQL runs",
        ),
        (("days", "2026-03-14"), {"DATABASE_URL": "mysql://x"}, "DAYBOOK_DATABASE_URL must be"),
        (
            ("connect",),
            {"XERO_REDIRECT_URL": "https://example.com/callback"},
            "an address on this machine",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(
    daybook: Callable[..., Run], words: tuple[str, ...], settings: dict[str, str], says: str
) -> None:
    """No traceback, exit code 1, and the thing to correct by name."""
    code, _, said = daybook(*words, **settings)
    assert 1 == code
    assert said.startswith("daybook: ")
    assert says in said
    assert "Traceback" not in said


def test_wrong_word_is_a_usage_error(daybook: Callable[..., Run]) -> None:
    """An unknown command or a date that is none ends with 2, as commands do."""
    assert 2 == daybook("dayz")[0]
    code, _, err = daybook("days", "14.3.2026")
    assert 2 == code
    assert "'14.3.2026' is not a date; write year, month" in err


def test_every_command_explains_itself(daybook: Callable[..., Run]) -> None:
    """Each command's help has an example to copy."""
    for words in (
        ("connect",), ("status",), ("days",), ("secret-key",), ("sandbox",),
        ("stores", "load"), ("stores", "list"), ("mapping", "load"),
    ):  # fmt: skip
        code, out, _ = daybook(*words, "--help")
        assert 0 == code
        assert "Example: " in out


def test_help_loads_nothing_that_takes_long() -> None:
    """Neither the list of commands nor the help of one waits for libraries that it does not use."""
    helps = ("", "status", "days", "stores load", "mapping load", "connect", "explain", "pos check")
    asked = [*helps, *(f"expenses {one}".rstrip() for one in ("", "list", "sync", "set", "fetch"))]
    found = loaded_by(*(f"{one} --help" for one in asked))
    assert "typer" in found
    assert set() == HEAVY & found


def test_what_only_looks_loads_no_library_of_the_work(daybook: Callable[..., Run]) -> None:
    """A ledger that is up to date needs no Alembic, and no frame is made of what is listed."""
    daybook("stores", "list", POS_URL="/mnt/pos")
    found = loaded_by("status", "stores list", "expenses list", "expenses attachments")
    assert "sqlalchemy" in found
    assert set() == (HEAVY - {"numpy", "psycopg", "pydantic_settings", "sqlalchemy"}) & found


def test_an_error_that_quotes_a_name_steers_no_terminal(daybook: Callable[..., Run]) -> None:
    """A name that erases the screen is shown, not obeyed."""
    code, _, said = daybook("stores", "load", "\x1b[2Jstores.toml")
    assert (1, "There is no file ?[2Jstores.toml.") == (code, said.removeprefix("daybook: ")[:33])
