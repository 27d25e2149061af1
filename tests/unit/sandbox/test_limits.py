"""Windows of calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from daybook.sandbox.limits import Limiter, LimitSettings

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


def taken(limiter: Limiter, moments: list[datetime], tenant: str = "t") -> list[str]:
    """Take calls and return the problem of each, empty when it went through."""
    breaches = (limiter.take("app", tenant, moment) for moment in moments)
    return [breach.problem if breach else "" for breach in breaches]


def test_window_is_fixed_and_starts_at_its_own_moment() -> None:
    """Retry-After leads exactly to the next window; before it calls are refused."""
    limiter = Limiter(LimitSettings(minute=2))
    assert ["", ""] == taken(limiter, [NOW, NOW])
    breach = limiter.take("app", "t", NOW)
    assert breach is not None
    assert breach.retry_after is not None
    again = NOW + timedelta(seconds=breach.retry_after)
    assert ["minute", ""] == taken(limiter, [again - timedelta(seconds=1), again])


def test_windows_of_organisations_differ() -> None:
    """Two organisations' minutes end at different moments."""
    limiter = Limiter(LimitSettings(minute=0))
    waits = set()
    for tenant in "abcdef":
        breach = limiter.take("app", tenant, NOW)
        assert breach is not None
        waits.add(breach.retry_after)
    assert len(waits) > 1


def test_refused_call_does_not_count() -> None:
    """A call refused for the minute is not taken from the day."""
    limiter = Limiter(LimitSettings(minute=1, day=2))
    assert ["", "minute", "minute"] == taken(limiter, [NOW] * 3)
    assert ["", "day"] == taken(limiter, [NOW + timedelta(minutes=n) for n in (1, 2)])


def test_sixth_call_at_once_is_refused() -> None:
    """More than five in progress is a problem of its own, without a wait."""
    limiter = Limiter(LimitSettings())
    limiter.usage("app", "t").in_progress = 6
    breach = limiter.take("app", "t", NOW)
    assert breach is not None
    assert ("concurrent", None) == (breach.problem, breach.retry_after)


def test_app_minute_spans_organisations() -> None:
    """The app's own minute ends for all of its organisations together."""
    limiter = Limiter(LimitSettings(app_minute=1))
    assert limiter.take_app("app", NOW) is None
    breach = limiter.take_app("app", NOW)
    assert breach is not None
    assert "appminute" == breach.problem
    assert limiter.take_app("other", NOW) is None


def test_lifted_limits_pin_the_headers() -> None:
    """Without limits nothing is refused and the remaining counts stay full."""
    limiter = Limiter(LimitSettings(enabled=False, minute=1))
    assert ["", "", ""] == taken(limiter, [NOW] * 3)
    assert {
        "x-minlimit-remaining": "1",
        "x-daylimit-remaining": "5000",
        "x-appminlimit-remaining": "10000",
    } == limiter.headers("app", "t")
