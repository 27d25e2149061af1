"""Whatever happens in whatever order: after each recovery the books are the ledger's."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from chaos_scenarios import FAULTS, QUICK_FAULTS, recover
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

if TYPE_CHECKING:
    from kopi_night import Night

_EXAMPLES = 30
_STEPS = 12


class AnyOrder(RuleBasedStateMachine):
    """Runs, backfills over parts of the days, faults, deaths, clock jumps, lost and old tokens."""

    night: Night

    def __init__(self) -> None:
        """Begin with empty books."""
        super().__init__()
        self.night.start_again()
        self.clock_seconds = 0

    @rule()
    def finish(self) -> None:
        """Finish everything, and hold the books."""
        self.night.control.delete("/_sandbox/faults").raise_for_status()
        recover(self.night, "after this history", skipped_seconds=self.clock_seconds)

    @rule(first=st.integers(0, 3), count=st.integers(1, 4), kill_at=st.none() | st.integers(0, 55))
    def run(self, first: int, count: int, kill_at: int | None) -> None:
        """Plan and post some of the days, perhaps to be killed at it."""
        days = [(day.business_date, day.store_id) for day in self.night.days]
        self.night.run(
            days=days[first : first + count], kill_at=kill_at, skipped_seconds=self.clock_seconds
        )

    @rule(name=st.sampled_from(QUICK_FAULTS), nth=st.integers(1, 6))
    def fault(self, name: str, nth: int) -> None:
        """A call that is still to come fails."""
        self.night.fault(**FAULTS[name], nth=nth)

    @rule(seconds=st.sampled_from([-7200, -60, 60, 2000, 7200]))
    def jump(self, seconds: int) -> None:
        """The loader's clock jumps, and the sandbox's does not follow."""
        self.clock_seconds += seconds

    @rule(seconds=st.sampled_from([400, 2000]))
    def time_passes(self, seconds: int) -> None:
        """Xero forgets idempotency keys, or the access token runs out."""
        moved = {"advance_seconds": seconds}
        self.night.control.post("/_sandbox/clock", json=moved).raise_for_status()

    @rule()
    def expire(self) -> None:
        """The ledger's access token has run out."""
        self.night.expire_token()

    def teardown(self) -> None:
        """Each history ends with books that are right."""
        self.finish()
        self.night.control.post("/_sandbox/clock", json={"offset_seconds": 0}).raise_for_status()


def test_any_order_of_events_ends_in_the_same_books(scenarios: Night) -> None:
    """Runs, deaths, faults and jumps of time, as hypothesis makes them up."""
    AnyOrder.night = scenarios
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=_EXAMPLES,
            stateful_step_count=_STEPS,
            deadline=dt.timedelta(minutes=1),
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
            derandomize=True,
            database=None,
        ),
    )
