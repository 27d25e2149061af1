"""A clock for those who cannot wait."""

from __future__ import annotations

import datetime as dt
import time

from daybook.clock import SystemClock


class HurriedClock:
    """The machine's clock, where waiting takes next to no time but is believed to have happened."""

    def __init__(self, skipped_seconds: int = 0, speed: int = 1000) -> None:
        """Start ahead of the machine's clock by so much, or behind it."""
        self._skipped = dt.timedelta(seconds=skipped_seconds)
        self._speed = speed

    def now(self) -> dt.datetime:
        """The time, with every wait in it."""
        return SystemClock().now() + self._skipped

    def sleep(self, seconds: float) -> None:
        """Wait a small part of it."""
        time.sleep(min(seconds / self._speed, 20 / self._speed))
        self._skipped += dt.timedelta(seconds=seconds)
