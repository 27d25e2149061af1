"""Time as something handed in: the real clock at the edges, a simulated one in tests."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> dt.datetime:
        """The time now, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Come back when that much of this clock's time has passed."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """The time now, aware, in UTC."""
        return dt.datetime.now(dt.UTC)  # noqa: TID251 - the one place that reads it

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
