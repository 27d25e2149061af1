"""Two loaders on one organisation, in processes of their own: one works, the other waits."""

from __future__ import annotations

import json
import random
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from chaos_scenarios import FAULTS, QUICK_FAULTS, recover
from kopi_night import ending_of, open_loader

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from kopi_night import Night

API = "/api.xro/2.0"
# Who waits its turn in a hurry gives up in seconds: with this speed it waits for 30.
PATIENT_SPEED = 20


@pytest.fixture(scope="module")
def other_loader() -> Iterator[subprocess.Popen[str]]:
    """A second loader."""
    with ExitStack() as cleanup:
        yield open_loader(cleanup)


def test_two_loaders_at_once_post_everything_once(
    scenarios: Night, other_loader: subprocess.Popen[str]
) -> None:
    """Whoever comes first works; the other waits, and finds nothing left to send."""
    scenarios.start_again()
    loaders = (scenarios.loader, other_loader)
    for loader in loaders:
        scenarios.start(loader, clock_speed=PATIENT_SPEED)
    endings = [ending_of(loader) for loader in loaders]
    assert ["", ""] == [ending.error for ending in endings]
    writes = [sum(step.startswith("sent PUT") for step in ending.steps) for ending in endings]
    assert 0 == min(writes)
    assert [] == scenarios.problems()


def test_loader_goes_on_when_the_other_is_killed(
    scenarios: Night, other_loader: subprocess.Popen[str]
) -> None:
    """A killed holder of the organisation keeps nobody waiting, and what it sent is looked up."""
    scenarios.start_again()
    last_send = scenarios.run().steps.index(f"sent PUT {API}/Payments")
    scenarios.start_again()
    scenarios.fault(fault="slow", match={"path": "/Invoices"}, nth=1, seconds=1)
    scenarios.start(scenarios.loader, kill_at=last_send)
    while not scenarios.has_struck():
        time.sleep(0.01)
    scenarios.start(other_loader, clock_speed=PATIENT_SPEED)
    assert ending_of(scenarios.loader).was_killed
    ending = ending_of(other_loader)
    assert "" == ending.error
    assert f"sent GET {API}/Payments" in ending.steps
    assert [] == scenarios.problems()


def test_long_run_lets_another_go_first(
    scenarios: Night, other_loader: subprocess.Popen[str]
) -> None:
    """A night that comes in the middle of a backfill is posted before the backfill goes on."""
    scenarios.start_again()
    scenarios.fault(fault="slow", match={"path": "/Invoices"}, nth=1, seconds=10)
    night_day, backfill_day = ((day.business_date, day.store_id) for day in scenarios.days)
    # Its waits are real: the other has the time to take what it was let have.
    scenarios.start(scenarios.loader, days=[backfill_day], turn_seconds=0, clock_speed=1)
    while not scenarios.has_struck():
        time.sleep(0.01)
    scenarios.start(other_loader, days=[night_day], clock_speed=PATIENT_SPEED)
    assert ["", ""] == [ending_of(loader).error for loader in (scenarios.loader, other_loader)]
    lines = map(json.loads, scenarios.record_path.read_text().splitlines())
    written = [" ".join(line["names"]) for line in lines if line.get("names")]
    assert [False, True, True, False] == [f"-{night_day[1]}-" in names for names in written[:4]]
    assert not any(f"-{night_day[1]}-" in names for names in written[3:])
    assert [] == scenarios.problems()


@pytest.mark.parametrize(
    "seeds",
    [range(6), pytest.param(range(6, 200), marks=[pytest.mark.chaos, pytest.mark.timeout(3600)])],
    ids=["few", "many"],
)
def test_two_loaders_under_faults_deaths_and_jumps_of_time(
    scenarios: Night, other_loader: subprocess.Popen[str], seeds: range
) -> None:
    """They take turns after every batch, calls fail, one dies, their clocks differ: books right."""
    days = [(day.business_date, day.store_id) for day in scenarios.days]
    for seed in seeds:
        chance = random.Random(seed)  # noqa: S311 - reproducible on purpose
        scenarios.start_again()
        for _ in range(chance.randrange(4)):
            fault = FAULTS[chance.choice(QUICK_FAULTS)]
            scenarios.fault(**fault, nth=chance.randint(1, 16))
        for loader in (scenarios.loader, other_loader):
            scenarios.start(
                loader,
                days=chance.choice([days, days[:1], days[1:]]),
                turn_seconds=0,
                batch_documents=chance.choice([3, 6, 50]),
                kill_at=chance.choice([None, chance.randrange(50)]),
                skipped_seconds=chance.choice([0, -7200, 60, 7200]),
            )
        for loader in (scenarios.loader, other_loader):
            assert "crashed" not in ending_of(loader).error
        scenarios.control.delete("/_sandbox/faults").raise_for_status()
        recover(scenarios, f"seed {seed}", skipped_seconds=chance.choice([0, -7200, 7200]))
