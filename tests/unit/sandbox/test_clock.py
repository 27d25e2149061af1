"""The movable clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from daybook.sandbox.clock import Clock

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


def test_clock_follows_the_machine_until_moved() -> None:
    """Without any setting it is the real time; an advance adds to it."""
    clock = Clock()
    for offset_seconds in (0, 3600):
        clock.advance(offset_seconds)
        before = time.time() + offset_seconds
        seen = clock.now().timestamp()
        # A timestamp is a whole number of microseconds.
        assert before - 1e-3 <= seen <= time.time() + offset_seconds + 1e-3


def test_frozen_clock_moves_only_when_told() -> None:
    """Frozen time stands still, can be set and advanced, and goes on from there."""
    clock = Clock()
    clock.freeze(frozen=True)
    clock.set_now(MOMENT)
    assert MOMENT == clock.now() == clock.now()
    clock.advance(90)
    assert MOMENT + timedelta(seconds=90) == clock.now()
    clock.freeze(frozen=False)
    assert timedelta(0) <= clock.now() - MOMENT - timedelta(seconds=90) < timedelta(minutes=1)


def test_running_clock_can_be_set() -> None:
    """Setting a running clock lets it run on from the moment."""
    clock = Clock()
    clock.set_now(MOMENT)
    assert timedelta(0) <= clock.now() - MOMENT < timedelta(minutes=1)
    assert clock.as_json()["frozen"] is False
