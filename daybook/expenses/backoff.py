"""When a failed upload is due again: exponential with jitter, until it is given up. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often an upload is tried and how the waits between grow."""

    attempts_max: int = 10
    first_wait: dt.timedelta = dt.timedelta(minutes=15)
    longest_wait: dt.timedelta = dt.timedelta(days=1)

    def next_due_at(
        self, attempt_count: int, now_at: dt.datetime, jitter: float
    ) -> dt.datetime | None:
        """When to try again after so many attempts; None when it is given up.

        `jitter` from 0 to 1 spreads the wait over half to one and a half of its length.
        """
        if attempt_count >= self.attempts_max:
            return None
        factor: int = 2 ** min(attempt_count - 1, 20)
        wait = min(self.first_wait * factor, self.longest_wait)
        return now_at + wait * (0.5 + jitter)
