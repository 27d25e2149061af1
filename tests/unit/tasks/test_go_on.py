"""When the rest of a run is scheduled."""

from __future__ import annotations

import datetime as dt

import pytest

from daybook.errors import RateLimited, ReconnectNeeded
from tasks.go_on import calls_back_in_seconds, quarter_after


def test_the_organisation_that_waits_longest_decides() -> None:
    """One run does the rest of all."""
    errors = [RateLimited("a", "day", 4000), ReconnectNeeded("b"), RateLimited("c", "day", 7000)]
    assert 7000 == calls_back_in_seconds(errors)


def test_calls_that_come_back_one_by_one_are_gathered() -> None:
    """The first comes back within a second: a run for it alone would be worth nothing."""
    assert 900 == calls_back_in_seconds([RateLimited("a", "day", 1)])


def test_other_failures_are_not_scheduled_anew() -> None:
    """A limit of a minute has been waited for, and a connection needs a person."""
    assert calls_back_in_seconds([RateLimited("a", "minute", 4000), ReconnectNeeded("b")]) is None


@pytest.mark.parametrize(
    ("at", "quarter"),
    [
        ("10:00:01", "10:15"),
        ("10:15:00", "10:15"),
        ("10:15:00.000001", "10:30"),
        ("23:50", "00:00"),
    ],
)
def test_runs_that_wait_for_the_same_calls_begin_at_the_same_time(at: str, quarter: str) -> None:
    """Only so are they seen to be one; it is never before the calls are back."""
    found = quarter_after(dt.datetime.fromisoformat(f"2026-03-14T{at}+00:00"))
    assert quarter == f"{found:%H:%M}"
    assert 0 == found.second == found.microsecond
