"""Which errors a step is tried again after."""

from __future__ import annotations

from daybook.errors import RateLimited, ReconnectNeeded, passes_soon


def test_a_used_up_day_does_not_pass_within_seconds() -> None:
    """So its step is not tried again at once, as that of another limit is."""
    assert not passes_soon(RateLimited("a", "day", 4000))
    assert passes_soon(RateLimited("a", "minute", 4))
    assert not passes_soon(ReconnectNeeded("b"))
