"""When a failed upload is due again."""

from __future__ import annotations

import datetime as dt

from daybook.expenses.backoff import RetryPolicy

NOW = dt.datetime(2026, 3, 14, tzinfo=dt.UTC)


def test_waits_double_up_to_a_day_and_end() -> None:
    """15, 30, 60 minutes ... a day; after the last attempt it is given up."""
    policy = RetryPolicy(attempts_max=9)
    due = [policy.next_due_at(count, NOW, 0.5) for count in range(1, 10)]
    minutes = [(at - NOW).total_seconds() / 60 for at in due if at is not None]
    assert [15, 30, 60, 120, 240, 480, 960, 1440] == minutes
    assert due[-1] is None


def test_jitter_spreads_the_wait() -> None:
    """From half to one and a half of it."""
    policy = RetryPolicy()
    assert NOW + dt.timedelta(minutes=7.5) == policy.next_due_at(1, NOW, 0)
    assert NOW + dt.timedelta(minutes=22.5) == policy.next_due_at(1, NOW, 1)
