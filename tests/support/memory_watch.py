"""The most memory that this process and its children held at once, sampled while a block runs."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAUSE_SECONDS: Final = 0.2


@dataclass
class Peak:
    """Resident bytes, of all processes together."""

    byte_count: int = 0

    def look(self) -> None:
        """Take a sample."""
        process = psutil.Process()
        held = process.memory_info().rss
        for child in process.children(recursive=True):
            try:
                held += child.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        self.byte_count = max(self.byte_count, held)


@contextmanager
def watched_memory() -> Iterator[Peak]:
    """Sample five times a second until the block ends."""
    peak, done = Peak(), threading.Event()

    def sample() -> None:
        while not done.wait(_PAUSE_SECONDS):
            peak.look()

    thread = threading.Thread(target=sample, name="memory watch", daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()
        peak.look()
