"""What can go wrong in a night, one thing after the other, and the check after each of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopi_night import Night

# A reply that comes after the loader has stopped waiting for it; the request is carried out.
LATE_SECONDS: Final = 0.6
_PATIENCE_SECONDS: Final = 0.3
_RUNS_MAX: Final = 3

FAULTS: Final[dict[str, dict[str, Any]]] = {
    "lost reply": {"fault": "lost_reply"},
    "lost request": {"fault": "lost_request"},
    "reset in the middle of the body": {"fault": "reset_mid_body"},
    "truncated body": {"fault": "truncated_body"},
    "reply too late": {"fault": "slow", "when": "after", "seconds": LATE_SECONDS},
    "request arrives after it was given up": {
        "fault": "slow",
        "when": "before",
        "seconds": LATE_SECONDS,
    },
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
    night: Night, *, before: Callable[[], object] = lambda: None, **job: object
) -> list[str]:
    """Kill a run at its first step, then at its second, and so on, until one gets through.

    `before` prepares each scenario. Returns the steps of the run that got through.
    """
    step = 0
    while True:
        night.start_again()
        before()
        ending = night.run(kill_at=step, **job)
        recover(night, f"killed at step {step}")
        if not ending.was_killed:
            return ending.steps
        step += 1


def fail_at_every_call(night: Night, name: str, **job: object) -> int:
    """Let the first call fail, then the second, and so on, until none is left; counts them."""
    fault = FAULTS[name]
    call = 0
    while True:
        call += 1
        night.start_again()
        night.fault(**fault, nth=call)
        patience = _PATIENCE_SECONDS if fault["fault"] == "slow" else 20
        night.run(read_timeout_seconds=patience, **job)
        has_struck = night.has_struck()
        if fault["fault"] == "slow":
            time.sleep(LATE_SECONDS)
        night.control.delete("/_sandbox/faults").raise_for_status()
        recover(night, f"{name} at call {call}")
        if not has_struck:
            return call - 1
