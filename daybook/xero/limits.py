"""Xero's call limits: what the reply headers say, and the budget that every call goes through.

Xero allows, for each organisation, 5 calls in progress, 60 a minute and 1,000 or 5,000 a day, and
10,000 a minute for the whole app. A call refused with 429 was not carried out.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS_WITHOUT_RETRY_AFTER: Final = {"concurrent": 1, "minute": 10, "appminute": 10, "day": 3600}


@dataclass(frozen=True, slots=True)
class LimitsSeen:
    """What one reply said about the limits; None where it said nothing.

    `problem` is set on a 429 only: concurrent, minute, day or appminute. A 429 always says how long
    to wait: where Xero does not, a default by problem stands in.
    """

    minute_remaining: int | None = None
    day_remaining: int | None = None
    app_minute_remaining: int | None = None
    retry_after_seconds: int | None = None
    problem: str | None = None


class CallBudget(Protocol):
    """Decides when the next call to an organisation may be made, over all processes."""

    def acquire(self, tenant_id_xero: str) -> int:
        """Wait until a call is allowed and return its id.

        Raises:
            RateLimited: the day is used up (problem "day"), or waiting took too long.
        """
        ...

    def release(self, call_id: int, seen: LimitsSeen) -> None:
        """Record that the call has ended, and what Xero said about the limits."""
        ...


class Unlimited:
    """Allows every call at once, for servers that do not count."""

    def acquire(self, tenant_id_xero: str) -> int:  # noqa: ARG002 - the protocol's parameter
        """Return without waiting."""
        return 0

    def release(self, call_id: int, seen: LimitsSeen) -> None:
        """Remember nothing."""


def read_limits(status: int, headers: Mapping[str, str]) -> LimitsSeen:
    """Read the limit headers of a reply; header names are matched without regard to case."""
    lower = {name.lower(): value for name, value in headers.items()}
    problem = _problem(lower) if status == HTTPStatus.TOO_MANY_REQUESTS else None
    return LimitsSeen(
        minute_remaining=_count(lower.get("x-minlimit-remaining")),
        day_remaining=_count(lower.get("x-daylimit-remaining")),
        app_minute_remaining=_count(lower.get("x-appminlimit-remaining")),
        retry_after_seconds=_wait_seconds(lower, problem),
        problem=problem,
    )


def _wait_seconds(headers: Mapping[str, str], problem: str | None) -> int | None:
    seconds = _count(headers.get("retry-after"))
    if problem is None:
        return seconds
    return max(1, _SECONDS_WITHOUT_RETRY_AFTER[problem] if seconds is None else seconds)


def _problem(headers: Mapping[str, str]) -> str:
    """Name the limit; without the header the remaining counts tell, and minute is the likeliest."""
    named = headers.get("x-rate-limit-problem", "").lower().replace("-", "").replace(" ", "")
    if named in {"concurrent", "minute", "day", "appminute"}:
        return named
    if _count(headers.get("x-daylimit-remaining")) == 0:
        return "day"
    return "minute"


def _count(text: str | None) -> int | None:
    """Read a whole number that is not negative; anything else is as good as absent."""
    if text is None or not text.strip().isascii() or not text.strip().isdigit():
        return None
    return int(text)
