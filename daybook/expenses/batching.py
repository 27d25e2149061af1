"""Which expenses go into one run: at most 1,000, oldest first. Pure."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of public signatures
from typing import TYPE_CHECKING, Final

from daybook.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

EXPENSE_COUNT_MAX: Final = 1000


def chosen_ids(expense_ids: Sequence[str]) -> list[str]:
    """The ids asked for, each once; more than 1,000 are refused with their number."""
    wanted = list(dict.fromkeys(expense_ids))
    if len(wanted) > EXPENSE_COUNT_MAX:
        raise InputError(
            f"{len(wanted)} expenses were asked for; one run takes at most {EXPENSE_COUNT_MAX}. "
            "Split the list, or run it with auto, which makes batches by itself."
        )
    return wanted


def oldest_first(spent_dates: Mapping[str, dt.date]) -> Iterator[list[str]]:
    """All of them in batches of at most 1,000, the oldest first."""
    ordered = sorted(spent_dates, key=lambda expense_id: (spent_dates[expense_id], expense_id))
    for start in range(0, len(ordered), EXPENSE_COUNT_MAX):
        yield ordered[start : start + EXPENSE_COUNT_MAX]
