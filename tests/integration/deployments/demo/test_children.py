"""The demo's processes: found by their mark, ended with what they started, and nobody else."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from daybook.errors import Unavailable
from daybook.settings import inherited_variables
from deployments.demo.children import MARK, Crew, end_marked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = "import time; time.sleep(600)"
# A process that leaves its group, as the runs of Prefect's worker do, and ignores requests to end.
STUBBORN = f"""
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    """A crew with a mark of the test's own."""
    crew = Crew(f"{tmp_path}:test", tmp_path / "logs")
    yield crew
    crew.end()


def start(crew: Crew, name: str, script: str) -> psutil.Process:
    """Start a Python script as one of the crew."""
    crew.start(name, (sys.executable, "-c", script), inherited_variables())
    return psutil.Process(crew[name].process.pid)


def has_ended(process: psutil.Process) -> bool:
    """Whether a process is gone, or only waits to be buried."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def logged(path: Path) -> str:
    """Wait for the first line of a log."""
    deadline = time.monotonic() + 60
    while not path.read_text().endswith("\n"):
        assert time.monotonic() < deadline, "nothing was logged"
        time.sleep(0.02)
    return path.read_text().strip()


def test_ending_ends_also_what_left_its_group(crew: Crew, tmp_path: Path) -> None:
    """A process that refuses to end and its child in another session are both gone."""
    parent = start(crew, "stubborn", STUBBORN)
    child = psutil.Process(int(logged(tmp_path / "logs" / "stubborn.log")))

    crew.end()

    assert has_ended(parent)
    assert has_ended(child)


def test_processes_of_others_are_left_alone(crew: Crew, tmp_path: Path) -> None:
    """Ending one demo's processes ends neither another demo's nor a stranger."""
    ours = start(crew, "ours", SLEEP)
    other = {**inherited_variables(), MARK: f"{tmp_path}-other:test"}
    with (
        subprocess.Popen([sys.executable, "-c", SLEEP], env=other) as another_demo,  # noqa: S603 - this interpreter
        subprocess.Popen([sys.executable, "-c", SLEEP]) as stranger,  # noqa: S603 - this interpreter
    ):
        assert 1 == end_marked(f"{tmp_path}:")

        assert has_ended(ours)
        assert (None, None) == (another_demo.poll(), stranger.poll())
        another_demo.kill()
        stranger.kill()


def test_a_process_that_fails_is_told_with_its_last_words(crew: Crew) -> None:
    """Waiting for a process that has ended stops at once and says what it wrote last."""
    start(crew, "broken", "import sys; sys.exit('no disk')")

    with pytest.raises(Unavailable, match=r"^broken ended with code 1: no disk\. Its log is "):
        crew.wait_for("broken", lambda: False)


def test_a_process_that_ends_well_does_not_stop_the_others(crew: Crew) -> None:
    """A command that has done its work may end."""
    start(crew, "command", "")
    start(crew, "server", SLEEP)

    crew.wait_for("command", lambda: crew["command"].process.poll() == 0)

    crew.check()


def test_a_process_reads_what_it_is_told(crew: Crew, tmp_path: Path) -> None:
    """The word to go ahead arrives; telling a process that has ended is harmless."""
    start(crew, "listener", "print('heard', input(), flush=True)")

    crew["listener"].say("go")

    assert "heard go" == logged(tmp_path / "logs" / "listener.log")
    crew["listener"].process.wait()
    crew["listener"].say("go")
