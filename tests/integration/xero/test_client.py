"""The client and the shared budget against the sandbox's own limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from daybook.errors import RateLimited
from daybook.ledger.call_budget import LedgerCallBudget, Limits
from daybook.ledger.engine import open_engine
from daybook.xero.auth import Bearer
from daybook.xero.client import XeroClient
from daybook.xero.reference_data import read_organisation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from xero_place import Place


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated, empty ledger."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def _budgeted(place: Place, engine: Engine, limits: Limits | None = None) -> XeroClient:
    return XeroClient(
        http=place.keeper.http,
        auth=Bearer(place.keeper),
        api_url=place.keeper.app.api_url,
        tenant_id_xero=place.client.tenant_id_xero,
        budget=LedgerCallBudget(engine, place.clock, limits or Limits()),
        clock=place.clock,
    )


def _refused_count(place: Place) -> int:
    log = place.control.get("/_sandbox/requests", params={"path": "/Organisation"}).json()
    return sum(entry["status"] == 429 for entry in log["requests"])


def test_two_processes_never_hear_of_a_limit(place: Place, engine: Engine) -> None:
    """150 calls of two clients that share a budget: not one is refused by the sandbox."""
    clients = [_budgeted(place, engine), _budgeted(place, engine)]
    for number in range(150):
        read_organisation(clients[number % 2])
    assert 0 == _refused_count(place)
    assert 60 <= place.clock.waited_seconds <= 125


def test_calls_that_somebody_else_made_today_are_learnt_in_time(
    place: Place, engine: Engine
) -> None:
    """After one reply the budget knows what is left of the day, and keeps to it."""
    place.limits(day=5000, day_used=4990, tenant_id=place.client.tenant_id_xero)
    client = _budgeted(place, engine)
    for _ in range(10):
        read_organisation(client)
    with pytest.raises(RateLimited) as caught:
        read_organisation(client)
    assert "day" == caught.value.problem
    assert 0 == _refused_count(place)
