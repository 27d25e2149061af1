"""Batches of expenses."""

from __future__ import annotations

import datetime as dt

import pytest

from daybook.errors import InputError
from daybook.expenses.batching import chosen_ids, oldest_first


def test_more_than_a_thousand_are_refused_with_the_number() -> None:
    """1,000 pass, each once; 1,001 do not."""
    thousand = [f"a-{number}" for number in range(1000)]
    assert thousand == chosen_ids([*thousand, *thousand])
    with pytest.raises(InputError, match="1001 expenses were asked for"):
        chosen_ids([*thousand, "b"])


def test_batches_are_cut_oldest_first() -> None:
    """2,500 expenses make three batches; the newest is last."""
    start = dt.date(2026, 1, 1)
    dates = {f"a-{number:04}": start - dt.timedelta(days=number) for number in range(2500)}
    batches = list(oldest_first(dates))
    assert [1000, 1000, 500] == [len(batch) for batch in batches]
    assert ("a-2499", "a-0000") == (batches[0][0], batches[-1][-1])
