"""A loader killed at every step it takes leaves books that its next run makes right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopi_night import Night


def kill_at_every_step(night: Night, *, prepare: Callable[[], object], **job: object) -> list[str]:
    """Kill a run at its first step, then at its second, and so on, until one gets through.

    Returns the steps of the run that got through; every scenario's books are checked.
    """
    for step in range(10_000):
        night.start_again()
        prepare()
        ending = night.run(kill_at=step, **job)
        if not ending.was_killed:
            assert ending.error == ""
            assert [] == night.problems()
            return ending.steps
        assert "" == night.run().error, f"killed at step {step}"
        assert [] == night.problems(), f"killed at step {step}"
    raise AssertionError("a run never got through")


def test_first_run_killed_at_every_step(
    small_night: Night, record_property: Callable[[str, object], None]
) -> None:
    """Before and after every commit, request and reply: the next run finishes the same books."""
    steps = kill_at_every_step(small_night, prepare=lambda: None)
    assert "sent PUT /api.xro/2.0/Payments" in steps
    record_property("scenarios", small_night.scenario_count)
