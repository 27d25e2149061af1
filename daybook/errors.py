"""Everything that can go wrong in a call, as one tree.

    DaybookError
    |-- SettingError        a setting is missing or wrong; the sentence names the variable
    |-- InputError          a request or a file is wrong; the sentence says where and what to do
    |-- FinalError          Xero answered no, and the same request would get the same answer
    |   |-- Refused             validation: an element of the request is not acceptable
    |   |-- ReconnectNeeded     the connection is gone; a person must connect again
    |-- RetryableError      nothing was done; the same request may succeed later
    |   |-- RateLimited         a limit of Xero is used up
    |   |-- Unavailable         Xero, a source or the database did not answer, or said it is down
    |-- UnknownOutcome      a write was sent, its reply never arrived: look it up before a retry
    |   |-- RefusedWhole        a batch was refused without saying which element is at fault
    |-- Busy                another process is doing this very work right now

Things wrong in the *data* (an unmapped tender, a day that does not balance) are not exceptions:
they are values, collected and shown for review (`daybook.posting.holds`). Broken invariants are
assertions.
"""

from __future__ import annotations


class DaybookError(Exception):
    """Root of every error a caller may treat; `str()` is a sentence a shop owner can act on."""


class SettingError(DaybookError):
    """A setting is missing or wrong."""


class InputError(DaybookError):
    """A request or a file cannot be used as it is."""


class FinalError(DaybookError):
    """The other side refused, and asking again would not help."""


class Refused(FinalError):
    """Xero did not accept an element of the request; `messages` are its own words."""

    def __init__(self, sentence: str, messages: tuple[str, ...] = ()) -> None:
        """Keep Xero's own words beside our sentence."""
        super().__init__(sentence)
        self.messages = messages


class ReconnectNeeded(FinalError):
    """The connection to Xero has ended; a person has to connect again."""


class RetryableError(DaybookError):
    """Nothing was done; the same request may succeed after `retry_after_seconds`."""

    def __init__(self, sentence: str, retry_after_seconds: int | None = None) -> None:
        """Remember how long the other side asked us to wait, if it did."""
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class RateLimited(RetryableError):
    """A limit of Xero is used up; `problem` is its name: concurrent, minute, day or appminute."""

    def __init__(self, sentence: str, problem: str, retry_after_seconds: int | None = None) -> None:
        """Remember which limit it was."""
        super().__init__(sentence, retry_after_seconds)
        self.problem = problem


class Unavailable(RetryableError):
    """The other side did not answer, or said that it is down; a write cannot have been applied."""


class UnknownOutcome(DaybookError):
    """A write was sent and its reply never arrived; it may or may not have been applied."""


class RefusedWhole(UnknownOutcome):
    """A batch was refused as a whole; Xero may have saved some of it. `messages` are its words."""

    def __init__(self, sentence: str, messages: tuple[str, ...]) -> None:
        """Keep Xero's own words beside our sentence."""
        super().__init__(sentence)
        self.messages = messages


class Busy(DaybookError):
    """Another process holds the lock on this work."""


def passes_soon(error: object) -> bool:
    """Whether the same step may succeed when it is tried again within seconds.

    A limit of the day lasts for hours; what a person has to mend does not pass at all.
    """
    if isinstance(error, RateLimited) and error.problem == "day":
        return False
    return isinstance(error, RetryableError | UnknownOutcome)
