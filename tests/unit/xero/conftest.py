"""What the tests of the Xero adapter share: a clock that jumps, and clients without a network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from answered_xero import JumpingClock, answered_client

if TYPE_CHECKING:
    from answered_xero import MakeClient

    from daybook.clock import Clock


@pytest.fixture
def clock() -> Clock:
    """A clock that jumps ahead instead of waiting."""
    return JumpingClock()


@pytest.fixture
def make_client(clock: Clock) -> MakeClient:
    """Make a client of an organisation whose requests the given function answers."""
    return partial(answered_client, clock=clock)
