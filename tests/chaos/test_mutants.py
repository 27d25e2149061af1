"""The suite finds the faults it is there for: each broken loader fails it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from chaos_scenarios import WrongBooks, fail_at_every_call, kill_at_every_step

if TYPE_CHECKING:
    from kopi_night import Night


def test_loader_without_intent_is_caught(scenarios: Night) -> None:
    """Killed after a send it knows nothing of it, and sends the same again."""
    with pytest.raises(WrongBooks, match="sent again without being looked up"):
        kill_at_every_step(scenarios, mutant="no_intent")


@pytest.mark.parametrize("mutant", ["no_lookup", "sends_again"])
def test_loader_that_does_not_look_first_is_caught(scenarios: Night, mutant: str) -> None:
    """After a lost reply it sends the same again, without knowing whether it is there."""
    with pytest.raises(WrongBooks, match="sent again without being looked up"):
        fail_at_every_call(scenarios, "lost reply", mutant=mutant)


@pytest.mark.parametrize(
    ("mutant", "how"),
    [("no_key", "sent without a key"), ("one_key", "one key was used for two requests")],
)
def test_loader_without_keys_of_its_own_is_caught(scenarios: Night, mutant: str, how: str) -> None:
    """A delivery that Xero gets twice would be carried out twice, or a new one not at all."""
    with pytest.raises(WrongBooks, match=how):
        fail_at_every_call(scenarios, "delivered twice", mutant=mutant)
