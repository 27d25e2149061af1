"""Reading what a reply says about the limits."""

from __future__ import annotations

import pytest

from daybook.xero.limits import LimitsSeen, read_limits


def test_a_reply_tells_what_remains_whatever_the_case_of_its_headers() -> None:
    """Header names match without regard to case."""
    headers = {
        "X-MinLimit-Remaining": "59",
        "x-daylimit-remaining": "4984",
        "X-AppMinLimit-Remaining": "9999",
    }
    assert LimitsSeen(59, 4984, 9999) == read_limits(200, headers)


def test_a_reply_without_headers_says_nothing() -> None:
    """Some refusals of the gateway carry no limit headers."""
    assert LimitsSeen() == read_limits(401, {})


@pytest.mark.parametrize("text", ["", "-1", "many", "1.5", "٣"])
def test_a_count_that_is_no_count_is_as_good_as_absent(text: str) -> None:
    """A broken header never stops a call."""
    assert read_limits(200, {"X-MinLimit-Remaining": text}).minute_remaining is None


def test_the_recorded_refusal_names_the_minute_and_the_wait() -> None:
    """The headers of a real 429 are understood."""
    seen = read_limits(
        429,
        {
            "retry-after": "22",
            "x-rate-limit-problem": "minute",
            "x-minlimit-remaining": "0",
            "x-daylimit-remaining": "4539",
            "x-appminlimit-remaining": "9938",
        },
    )
    assert LimitsSeen(0, 4539, 9938, 22, "minute") == seen


@pytest.mark.parametrize(
    ("name", "problem"),
    [("app-minute", "appminute"), ("AppMinute", "appminute"), ("day", "day"), ("", "minute")],
)
def test_a_problem_is_known_under_every_spelling(name: str, problem: str) -> None:
    """Xero's pages spell the app's limit in two ways; no name at all means the minute."""
    assert problem == read_limits(429, {"X-Rate-Limit-Problem": name}).problem


def test_a_used_up_day_is_recognised_without_its_name() -> None:
    """Nothing left of the day is a day problem even if the name is missing."""
    assert read_limits(429, {"X-DayLimit-Remaining": "0"}).problem == "day"


@pytest.mark.parametrize(
    ("problem", "seconds"), [("concurrent", 1), ("minute", 10), ("appminute", 10), ("day", 3600)]
)
def test_a_refusal_without_a_wait_gets_a_default(problem: str, seconds: int) -> None:
    """Retry-After is promised for two of the four limits only."""
    assert seconds == read_limits(429, {"X-Rate-Limit-Problem": problem}).retry_after_seconds


def test_a_wait_of_zero_is_one_second() -> None:
    """Hammering a limit may extend it."""
    seen = read_limits(429, {"X-Rate-Limit-Problem": "concurrent", "Retry-After": "0"})
    assert seen.retry_after_seconds == 1
