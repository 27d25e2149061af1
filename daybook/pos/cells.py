"""One cell's text to a value, or the reason why not: the words a reject carries."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from daybook.errors import InputError
from daybook.money import minor_digits

if TYPE_CHECKING:
    from decimal import Decimal

NAME_LENGTH_MAX: Final = 200
_YEARS: Final = range(1970, 2200)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_POSITION_MAX: Final = 2**31 - 1
_SHOWN_LENGTH_MAX: Final = 60
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)", re.ASCII
)
_POSITION: Final = re.compile(r"\d{1,10}", re.ASCII)


def shown(text: str) -> str:
    """The text as a sentence quotes it: short, and on one line."""
    line = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return f"'{line[:_SHOWN_LENGTH_MAX]}{'...' if len(line) > _SHOWN_LENGTH_MAX else ''}'"


def plain(value: Decimal) -> str:
    """The number written out in full, without an exponent and without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def instant_us(text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 time that carries its offset."""
    try:
        if _TIME.fullmatch(text):
            return instant_in_range((dt.datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND)
    except ValueError:
        pass
    raise InputError(
        f"{shown(text)} is not a time with its offset; write it like 2025-03-15T18:30:00+08:00."
    )


def instant_in_range(microseconds: int) -> int:
    """The instant itself, unless it lies in a year no till has seen."""
    year = 1970 + microseconds // 31_556_952_000_000
    if year not in _YEARS:
        raise InputError(f"The year {year} cannot be right; check the clock of the till.")
    return microseconds


def position(text: str) -> int:
    """A place on a receipt, from 1."""
    number = int(text) if _POSITION.fullmatch(text) else 0
    if not 1 <= number <= _POSITION_MAX:
        raise InputError(f"{shown(text)} is not a position; write 1 for the first, 2 for the next.")
    return number


def name(text: str) -> str:
    """A name or an id: not empty, not endless, without control characters."""
    if not text:
        raise InputError("It is empty; fill it in.")
    if len(text) > NAME_LENGTH_MAX:
        raise InputError(f"{shown(text)} has more than {NAME_LENGTH_MAX} characters; shorten it.")
    if "\0" in text:
        raise InputError(f"{shown(text)} holds a NUL character; remove it.")
    return text


def currency(text: str) -> str:
    """A currency's code."""
    minor_digits(text)
    return text


def is_refund(text: str) -> bool:
    """Whether money went back to the customer."""
    return _one_of(text, {"sale": False, "refund": True})


def is_voided(text: str) -> bool:
    """Whether the receipt was cancelled."""
    return _one_of(text, {"final": False, "voided": True})


def _one_of(text: str, meanings: dict[str, bool]) -> bool:
    if text not in meanings:
        raise InputError(f"{shown(text)} is not known; write {' or '.join(meanings)}.")
    return meanings[text]
