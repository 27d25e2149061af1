"""The full form: 200 store-days of four tenders with credit notes, everything that can go wrong.

Run by `make chaos`; the other tests of this folder are its short form, on two store-days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from chaos_scenarios import FAULTS, fail_at_every_call, kill_at_every_step
from kopi_night import night, night_totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopi_night import Night

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(7200)]
_PARTS = 4  # of the steps: workers share them


@pytest.fixture(scope="session")
def long_night(
    new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Night]:
    """Ten dates of twenty stores, under the shared budget of calls."""
    folder = tmp_path_factory.mktemp("long_night")
    totals = night_totals(20, 10)
    with night(new_database(), folder, totals, late_seconds=1, has_budget=True) as long:
        yield long


@pytest.fixture
def long_scenarios(
    long_night: Night, record_property: Callable[[str, object], None]
) -> Iterator[Night]:
    """The long night; the scenarios that a test makes of it are counted."""
    before = long_night.scenario_count
    yield long_night
    record_property("scenarios", long_night.scenario_count - before)


@pytest.mark.parametrize("first", range(_PARTS))
def test_full_night_killed_at_every_step(long_scenarios: Night, first: int) -> None:
    """Before and after every commit, request and reply of some thirty calls, shared among tests."""
    assert 150 <= len(kill_at_every_step(long_scenarios, first=first, every=_PARTS))


@pytest.mark.parametrize("name", FAULTS)
def test_every_call_of_a_full_night_fails_once(long_scenarios: Night, name: str) -> None:
    """Each of some thirty calls fails once in each way."""
    assert 28 <= fail_at_every_call(long_scenarios, name)
