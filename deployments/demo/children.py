"""The demo's processes: each in a group of its own, its output in a log, and none left behind.

Every process carries a mark in its environment, which the processes it starts inherit: the runs of
Prefect's worker too, which leave its process group. Whoever cleans up looks for the mark. Unlike a
list of process ids it cannot name a stranger, and it cannot be out of date.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from daybook.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PROJECT = Path(__file__).parents[2]
MARK = "STORE_DAYBOOK_DEMO"
_READY_SECONDS_MAX = 300
_POLL_SECONDS = 0.05
_TERM_SECONDS_MAX = 5.0
_KILL_SECONDS_MAX = 5.0
_DISMISS_SECONDS_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Child:
    """A running process of the demo."""

    name: str
    process: subprocess.Popen[bytes] = field(repr=False)
    log: Path

    def check(self) -> None:
        """Raise Unavailable, with the last words of its log, if the process has ended."""
        code = self.process.poll()
        if code is not None:
            raise Unavailable(
                f"{self.name} ended with code {code}: {last_words(self.log)} Its log is {self.log}."
            )

    def say(self, line: str) -> None:
        """Write a line to the process; harmless if it has ended."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()

    def end(self, seconds: float = _TERM_SECONDS_MAX) -> None:
        """Ask the process group to end and wait; after `seconds` end it by force."""
        _signal_group(self.process, signal.SIGTERM)
        self._wait_or_kill(seconds)

    def dismiss(self) -> None:
        """Close the process's input, which tells it to end by itself, and wait."""
        self._wait_or_kill(_DISMISS_SECONDS_MAX)

    def _wait_or_kill(self, seconds: float) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            _signal_group(self.process, signal.SIGKILL)
            self.process.wait()


class Crew:
    """The processes of one demo; they carry its mark and write to `logs`/NAME.log."""

    def __init__(self, mark: str, logs: Path) -> None:
        """Begin with nobody."""
        self._mark = mark
        self._logs = logs
        self._children: dict[str, Child] = {}

    def __getitem__(self, name: str) -> Child:
        """Return the process of this name."""
        return self._children[name]

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process that belongs to the demo."""
        marked = {**environment, MARK: self._mark}
        self._children[name] = start_child(name, command, environment=marked, logs=self._logs)

    def check(self) -> None:
        """Raise Unavailable if one of them has failed, or has ended though it should stay."""
        for child in self._children.values():
            if child.process.poll() != 0:
                child.check()

    def wait_for(self, name: str, is_ready: Callable[[], bool]) -> None:
        """Poll until ready; raise Unavailable when one of them fails or it takes too long."""
        deadline = time.monotonic() + _READY_SECONDS_MAX
        while not is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{name} is not ready after {_READY_SECONDS_MAX} seconds; "
                    f"its log is {self._children[name].log}."
                )
            time.sleep(_POLL_SECONDS)

    def end(self) -> None:
        """End all of them and whatever they started."""
        end_marked(self._mark)
        for child in self._children.values():
            child.end()


def start_child(
    name: str, command: Sequence[str], *, environment: Mapping[str, str], logs: Path
) -> Child:
    """Start a process in a group of its own, in the checkout; its output goes to a log."""
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
            command,
            env=dict(environment),
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(name, process, log)


def end_marked(mark: str) -> int:
    """End every process whose mark starts with this one; return how many there were."""
    marked = _marked(mark)
    for process in marked:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(marked, timeout=_TERM_SECONDS_MAX)
    deadline = time.monotonic() + _KILL_SECONDS_MAX
    # Looked up again each time: a process that is ending may have started another one.
    while (alive := _marked(mark)) and time.monotonic() < deadline:
        for process in alive:
            _signal(process, signal.SIGKILL)
        psutil.wait_procs(alive, timeout=0.2)
    return len(marked)


def last_words(log: Path) -> str:
    """Return the last line of a log, as a sentence's end."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"{lines[-1].rstrip('.')}." if lines else "it wrote nothing."


def _marked(mark: str) -> list[psutil.Process]:
    """Find our processes by their mark, this process excepted."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK, "").startswith(mark):
                found.append(process)
        except (psutil.Error, OSError):
            continue  # it ended, or belongs to somebody else
    return found


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.Error):
        process.send_signal(number)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
