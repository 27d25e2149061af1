"""Every fault of the sandbox, at every call of a run: the books come out the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from chaos_scenarios import FAULTS, fail_at_every_call

if TYPE_CHECKING:
    from kopi_night import Night


@pytest.mark.parametrize("name", FAULTS)
def test_every_call_fails_once(scenarios: Night, name: str) -> None:
    """Token, contacts, invoices, credit notes, payments: each call fails in this way once."""
    assert 7 <= fail_at_every_call(scenarios, name)
