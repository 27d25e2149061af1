"""What can go wrong in a night, one thing after the other, and the check after each of them."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopi_night import Night

_RUNS_MAX: Final = 3

FAULTS: Final[dict[str, dict[str, Any]]] = {
    "lost reply": {"fault": "lost_reply"},
    "lost request": {"fault": "lost_request"},
    "reset in the middle of the body": {"fault": "reset_mid_body"},
    "truncated body": {"fault": "truncated_body"},
    # Later than the loader waits for it; both times are the night's own.
    "reply too late": {"fault": "slow", "when": "after"},
    "request arrives after it was given up": {"fault": "slow", "when": "before"},
    "429 with Retry-After": {"fault": "rate_limited"},
    "429 without Retry-After": {"fault": "rate_limited", "retry_after": None},
    "429 for the day": {"fault": "rate_limited", "problem": "day", "retry_after": 4000},
    "500 before the work": {"fault": "server_error"},
    "500 after the work": {"fault": "server_error", "is_committed": True},
    "503 before the work": {"fault": "unavailable"},
    "503 after the work": {"fault": "unavailable", "is_committed": True},
    "token expired in flight": {"fault": "expired_token"},
    "delivered twice": {"fault": "duplicate_delivery"},
    "a web page instead of JSON": {"fault": "wrong_content_type"},
    "a web page and 403": {"fault": "wrong_content_type", "status": 403},
}
# Those that take no real time.
QUICK_FAULTS: Final = sorted(name for name, fault in FAULTS.items() if fault["fault"] != "slow")


class WrongBooks(AssertionError):
    """A scenario whose books are not what they must be."""


def recover(night: Night, what: str, **job: object) -> None:
    """Run as a retry would, until a run has nothing to complain of; then hold the books."""
    for _ in range(_RUNS_MAX):
        error = night.run(**job).error
        if not error:
            break
    problems = night.problems()
    if error or problems:
        raise WrongBooks(f"{what}: {error or '; '.join(problems)}")


def kill_at_every_step(
    night: Night,
    *,
    before: Callable[[], object] = lambda: None,
    first: int = 0,
    every: int = 1,
    **job: object,
) -> list[str]:
    """Kill a run at its first step, then at its second, and so on, until one gets through.

    `before` prepares each scenario; tests that share the steps among them take `every` so many,
    from the `first` on. Returns the steps of the run that got through.
    """
    for step in itertools.count(first, every):
        night.start_again()
        before()
        ending = night.run(kill_at=step, **job)
        recover(night, f"killed at step {step}")
        if not ending.was_killed:
            return ending.steps
    raise AssertionError("unreachable: a run has an end")


def fail_at_every_call(night: Night, name: str, **job: object) -> int:
    """Let the first call fail, then the second, and so on, until none is left; counts them."""
    fault = FAULTS[name]
    is_slow = fault["fault"] == "slow"
    late_seconds = night.late_seconds
    # A used up day is over when the recovery comes; it would rightly do nothing before.
    is_day = fault.get("problem") == "day"
    later = {"skipped_seconds": fault["retry_after"]} if is_day else {}
    call = 1
    while True:
        night.start_again()
        night.fault(**fault, **({"seconds": late_seconds} if is_slow else {}), nth=call)
        # What it believes to be ten seconds is longer than the request is late.
        speed = max(1, int(8 / late_seconds))
        hurry = {"read_timeout_seconds": late_seconds / 2, "clock_speed": speed}
        patience = hurry if is_slow else {}
        error = night.run(**patience, **job).error
        has_struck = night.has_struck()
        if is_slow:
            time.sleep(late_seconds)
        night.control.delete("/_sandbox/faults").raise_for_status()
        recover(night, f"{name} at call {call}", **later)
        if has_struck:
            call += 1
        elif not error:
            return call - 1
        elif is_slow:  # it gave up on calls that were not made late: this machine is slower
            late_seconds *= 2
        else:
            raise WrongBooks(f"{name} never came to call {call}: {error}")
