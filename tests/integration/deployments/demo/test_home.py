"""The demo's state folder: one demo at a time, and cleaning deletes the demo's own and no more."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daybook.errors import Busy, SettingError
from daybook.ledger import embedded
from deployments.demo.clean import clean
from deployments.demo.home import only_demo_in

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def home() -> Iterator[Path]:
    """A state folder inside one that any account can reach."""
    with tempfile.TemporaryDirectory(prefix="daybook-home-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


def test_a_home_is_held_by_one_demo(home: Path) -> None:
    """A second demo is refused with the first one's process id; afterwards it may run."""
    with only_demo_in(home):
        with pytest.raises(Busy, match=r"A demo is already running in .*process \d+"):
            only_demo_in(home).__enter__()
        with pytest.raises(Busy):
            clean(home)

    with only_demo_in(home):
        assert home.is_dir()


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """The sentence names the setting to change."""
    (tmp_path / "home").write_text("a file where the folder should be")

    with pytest.raises(SettingError, match="set DAYBOOK_HOME to a folder you may write in"):
        only_demo_in(tmp_path / "home").__enter__()


@pytest.mark.postgres
def test_cleaning_deletes_the_state_and_spares_the_rest(home: Path) -> None:
    """The database, logs and keys go; a file that is not the demo's stays."""
    with only_demo_in(home):
        embedded.start(home, durable=False).stop()
        folder = (home / "postgres").resolve()
        (home / "logs").mkdir()
        (home / "secret.key").write_text("key")
        (home / "letter.txt").write_text("not the demo's")

    clean(home)

    assert [home / "letter.txt"] == list(home.iterdir())
    assert not folder.exists()


@pytest.mark.postgres
def test_a_database_in_use_is_not_deleted(home: Path) -> None:
    """While somebody works in the demo's database, cleaning refuses and deletes nothing."""
    with only_demo_in(home):
        pass
    with embedded.start(home, durable=False) as server:
        with pytest.raises(Busy, match="is in use"):
            clean(home)
        assert server.place.cluster.is_dir()

    clean(home)
    assert not home.exists()


def test_a_home_no_demo_used_is_not_touched(home: Path) -> None:
    """Cleaning looks for the demo's own sign before it deletes anything."""
    home.mkdir()
    (home / "secret.key").write_text("of a real organisation")

    clean(home)

    assert "of a real organisation" == (home / "secret.key").read_text()
