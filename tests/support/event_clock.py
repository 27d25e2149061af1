"""Simulated time for several threads, which the sandbox follows."""

from __future__ import annotations

import datetime as dt
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@dataclass
class EventClock:
    """Time stands still while anybody works; when all wait, it jumps to the first who wakes.

    Every thread that uses it does so inside `taking_part`. The sandbox's clock is set with it.
    """

    control: httpx.Client
    now_at: dt.datetime
    _sleepers: dict[int, dt.datetime] = field(default_factory=dict)
    _working_count: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        """Stop the sandbox's clock at the same moment."""
        self.started_at = self.now_at
        self._tell_sandbox(freeze=True)

    def now(self) -> dt.datetime:
        """The simulated time."""
        return self.now_at

    @contextmanager
    def taking_part(self) -> Iterator[None]:
        """Time goes on without this thread only once it has left."""
        with self._changed:
            self._working_count += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._working_count -= 1
                self._go_on()

    def await_others(self, count: int) -> None:
        """Let no time pass until so many other threads take part; to be called by one that does."""
        with self._changed:
            self._changed.wait_for(lambda: self._working_count + len(self._sleepers) > count)

    def sleep(self, seconds: float) -> None:
        """Wait until the simulated time has come."""
        me = threading.get_ident()
        with self._changed:
            wakes_at = self.now_at + dt.timedelta(seconds=seconds)
            self._sleepers[me] = wakes_at
            self._working_count -= 1
            self._go_on()
            self._changed.wait_for(lambda: me not in self._sleepers)

    def _go_on(self) -> None:
        """Wake the first sleeper when nobody works."""
        if self._working_count or not self._sleepers:
            return
        self.now_at = max(self.now_at, min(self._sleepers.values()))
        self._tell_sandbox()
        for thread, wakes_at in list(self._sleepers.items()):
            if wakes_at <= self.now_at:
                del self._sleepers[thread]
                self._working_count += 1
        self._changed.notify_all()

    def _tell_sandbox(self, **more: object) -> None:
        moment = {"set": self.now_at.isoformat(), **more}
        self.control.post("/_sandbox/clock", json=moment).raise_for_status()
