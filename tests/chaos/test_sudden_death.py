"""A loader killed at every step it takes leaves books that its next run makes right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from chaos_scenarios import kill_at_every_step

if TYPE_CHECKING:
    from kopi_night import Night

API = "/api.xro/2.0"


def test_first_run_killed_at_every_step(scenarios: Night) -> None:
    """Before and after every commit, request and reply: the next run finishes the same books."""
    steps = kill_at_every_step(scenarios)
    for call in ("PUT /Contacts", "PUT /Invoices", "PUT /CreditNotes", "PUT /Payments"):
        method, path = call.split()
        assert {f"{when} {method} {API}{path}" for when in ("before", "sent", "after")} <= set(
            steps
        )
    assert "sent POST /connect/token" in steps


@pytest.mark.parametrize(
    "collection",
    [
        *[pytest.param(name, marks=pytest.mark.chaos) for name in ("Contacts", "Invoices")],
        pytest.param("CreditNotes", marks=pytest.mark.chaos),
        "Payments",
    ],
)
def test_recovery_killed_at_every_step(scenarios: Night, collection: str) -> None:
    """The run that recovers is killed itself, at every step, lookup included; a third finishes."""
    scenarios.start_again()
    sent = scenarios.run().steps.index(f"sent PUT {API}/{collection}")
    steps = kill_at_every_step(scenarios, before=lambda: scenarios.run(kill_at=sent))
    assert f"sent GET {API}/{collection}" in steps, "the lookup is among the steps"
