"""The example of the contributing page, run as it is printed."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from doc_blocks import doc_blocks

from daybook import cli
from daybook.pos.registry import SOURCES, SourceKind

ROOT = Path(__file__).parents[2]
SOURCE, ENTRY = doc_blocks("contributing.md", "python")
(JOURNAL,) = doc_blocks("contributing.md", "json")
(OUTPUT,) = doc_blocks("contributing.md", "text")
STORES = """
[[store]]
store_id = "S01"
name = "Tanjong"
time_zone = "Asia/Singapore"
currency = "SGD"
"""
DAY = ("--from", "2026-03-14", "--to", "2026-03-14")


@pytest.fixture
def journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the journal of the page, and its source registered as the page says."""
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    path = tmp_path / "journal.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("journal", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "journal", module)
    spec.loader.exec_module(module)
    names: dict[str, Any] = {"SourceKind": SourceKind, "open_journal": module.open_journal}
    entries: dict[str, SourceKind] = eval(f"{{{ENTRY}}}", names)  # noqa: S307 - our own page
    for name, kind in entries.items():
        monkeypatch.setitem(SOURCES, name, kind)
    folder = tmp_path / "journals"
    folder.mkdir()
    (folder / "2026-03-14.jsonl").write_text(JOURNAL)
    (tmp_path / "stores.toml").write_text(STORES)
    return folder


def checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[str]]:
    """Exit code and lines of `daybook pos check` on the folder."""
    url, stores = f"journal+file://{folder}", str(folder.parent / "stores.toml")
    monkeypatch.setattr(sys, "argv", ["daybook", "pos", "check", url, "--stores", stores, *DAY])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    lines = [re.sub(r"\s+", " ", line).strip() for line in capsys.readouterr().out.splitlines()]
    return int(ended.value.code or 0), lines


def test_the_example_gives_what_the_page_shows(
    journals: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Source, registration, journal and output belong together."""
    code, lines = checked(journals, monkeypatch, capsys)
    assert 1 == code
    shown = OUTPUT.replace("/mnt/journals", str(journals))
    for line in shown.splitlines():
        assert re.sub(r"\s+", " ", line).strip() in lines


def test_the_example_survives_a_torn_line_and_a_strange_shop(
    journals: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is a reject; the receipts beside them are read."""
    with (journals / "2026-03-14.jsonl").open("ab") as file:
        file.write(b'{"shop": "S99", "id": "A-9", "at": "2026-03-14T12:30:00+08:00"}\n\xff{"shop')
    _, lines = checked(journals, monkeypatch, capsys)
    assert "2026-03-14 S01 SGD 2 1 1 0.00 0.00 0.00 0.00 yes" in lines
    assert any("Store 'S99' is not known" in line for line in lines)
    assert any("A line is not a receipt" in line for line in lines)


@pytest.mark.parametrize("command", [("check",), ("format", "--check")])
def test_the_example_keeps_to_the_style_of_the_house(command: tuple[str, ...]) -> None:
    """Whoever copies it starts without a complaint."""
    words = ["ruff", *command, "--no-cache", "--stdin-filename", "daybook/pos/journal.py", "-"]
    done = subprocess.run(  # noqa: S603 - our own tools
        [sys.executable, "-m", *words],
        input=SOURCE,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_page_names_commands_that_exist() -> None:
    """Every make target and every link of the page leads somewhere."""
    page = (ROOT / "docs" / "contributing.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z-]+)", page, re.MULTILINE))
    assert {"install-dev", "check", "test"} <= named <= targets
    for link in re.findall(r"\]\(([\w./-]+\.md)", page):
        assert (ROOT / "docs" / link).exists()
