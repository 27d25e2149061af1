"""The lock of an organisation: one holds it, whoever waits is seen, and who gives way is second."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest

from daybook.clock import SystemClock
from daybook.errors import Busy
from daybook.ledger.engine import open_engine
from daybook.ledger.organisation_lock import organisation_lock, somebody_waits
from daybook.ledger.organisations import Organisation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

OURS = Organisation(1, "tenant-1", 1, "Kopi Corner", "NZ", "NZD")
OTHER = Organisation(2, "tenant-2", 1, "Teh Tarik", "NZ", "NZD")
CLOCK = SystemClock()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A ledger."""
    ledger = open_engine(database_url)
    yield ledger
    ledger.dispose()


def test_other_organisations_and_other_work_are_free(engine: Engine) -> None:
    """The lock is of one organisation, and of one kind of work."""
    with (
        organisation_lock(engine, OURS, wait_seconds=0, clock=CLOCK),
        organisation_lock(engine, OTHER, wait_seconds=0, clock=CLOCK),
        organisation_lock(engine, OURS, wait_seconds=0, clock=CLOCK, work="attaching"),
        pytest.raises(Busy, match="Another run is posting into Kopi Corner"),
        organisation_lock(engine, OURS, wait_seconds=0, clock=CLOCK),
    ):
        pass


def test_holder_sees_who_waits_for_this_very_lock(engine: Engine) -> None:
    """While another waits it is seen; once that has given up it is not."""
    seen = []

    class Watching(SystemClock):
        def sleep(self, seconds: float) -> None:
            seen.append(
                (
                    somebody_waits(holder, OURS),
                    somebody_waits(holder, OTHER),
                    somebody_waits(holder, OURS, "attaching"),
                )
            )
            super().sleep(seconds)

    with organisation_lock(engine, OURS, wait_seconds=0, clock=CLOCK) as holder:
        assert not somebody_waits(holder, OURS)
        with (
            pytest.raises(Busy),
            organisation_lock(engine, OURS, wait_seconds=0.5, clock=Watching()),
        ):
            pass
        assert {(True, False, False)} == set(seen)
        assert not somebody_waits(holder, OURS)


def test_who_gives_way_comes_after_those_who_wait(engine: Engine) -> None:
    """A holder that lets go and asks again at once gets it second."""
    order = []
    is_waiting = Event()

    class Telling(SystemClock):
        def sleep(self, seconds: float) -> None:
            is_waiting.set()
            super().sleep(seconds)

    def other() -> None:
        with organisation_lock(engine, OURS, wait_seconds=30, clock=Telling()):
            order.append("other")

    with ThreadPoolExecutor(1) as pool:
        with organisation_lock(engine, OURS, wait_seconds=0, clock=CLOCK):
            waiting = pool.submit(other)
            assert is_waiting.wait(30)
        with organisation_lock(engine, OURS, wait_seconds=30, clock=CLOCK, gives_way=True):
            order.append("who gave way")
        waiting.result()
    assert ["other", "who gave way"] == order
