"""Time as the sandbox sees it: real time plus an offset a test can move, or standing still."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """All lifetimes, windows and timestamps of the sandbox come from here."""

    def __init__(self) -> None:
        """Start at the machine's time."""
        self.offset_seconds: float = 0.0
        self.frozen_at: datetime | None = None

    def now(self) -> datetime:
        """Aware UTC."""
        if self.frozen_at is not None:
            return self.frozen_at
        return datetime.fromtimestamp(time.time() + self.offset_seconds, tz=UTC)

    def advance(self, seconds: float) -> None:
        """Move forward, or backward with a negative number."""
        if self.frozen_at is not None:
            self.frozen_at += timedelta(seconds=seconds)
        else:
            self.offset_seconds += seconds

    def set_now(self, moment: datetime) -> None:
        """Jump to a moment; time then goes on from there unless frozen."""
        if self.frozen_at is not None:
            self.frozen_at = moment
        else:
            self.offset_seconds = moment.timestamp() - time.time()

    def freeze(self, *, frozen: bool) -> None:
        """Stop or restart the flow of time without a jump."""
        if frozen and self.frozen_at is None:
            self.frozen_at = self.now()
        elif not frozen and self.frozen_at is not None:
            moment, self.frozen_at = self.frozen_at, None
            self.set_now(moment)

    def as_json(self) -> dict[str, object]:
        """What `GET /_sandbox/clock` answers; also what the state file keeps."""
        return {
            "now": self.now().isoformat(),
            "offset_seconds": round(self.offset_seconds, 6),
            "frozen": self.frozen_at is not None,
        }
