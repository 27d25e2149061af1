"""The demo's state folder: held by one demo at a time, and what may be deleted in it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from daybook.errors import Busy, SettingError
from deployments.demo.children import end_marked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = "demo.lock"
RECEIPTS = "demo/receipts"
COMMANDS = "demo/commands.sh"
# Everything the demo keeps in its home; `demo/` is for what the story writes.
STATE = ("postgres", "prefect", "logs", "demo", "tmp", "sandbox.json", "secret.key", LOCK)


@contextlib.contextmanager
def only_demo_in(home: Path) -> Iterator[None]:
    """Hold the home for the length of the block.

    Raises:
        Busy: another demo holds it; one that was killed does not.
        SettingError: the home cannot be written.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / LOCK).open("a+")
    except OSError as error:
        raise SettingError(
            f"The demo cannot write in {home} ({error.strerror}); "
            "set DAYBOOK_HOME to a folder you may write in."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Busy(
                f"A demo is already running in {home} (process {lock.read().strip()}); "
                "end it first, or set DAYBOOK_HOME to another folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def mark_of(home: Path, name: str) -> str:
    """Return the mark of the processes of one demo in this home."""
    return f"{home}:{name}"


def end_leftovers(home: Path) -> int:
    """End what earlier demos in this home left running; return how many processes there were."""
    return end_marked(mark_of(home, ""))
