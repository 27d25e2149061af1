"""The calls a posting will take are known before it starts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from kopi_corner import DATE, daily_total

from daybook.clock import SystemClock
from daybook.jobs.forecast import Forecast, beside_used, forecast
from daybook.jobs.reconcile import reconcile
from daybook.ledger.call_budget import LedgerCallBudget

if TYPE_CHECKING:
    from kopi_corner import Chain

    from daybook.sales.store import StoreDay


def expected(chain: Chain, days: list[StoreDay]) -> Forecast:
    """What is said before the posting."""
    return forecast(
        chain.engine, chain.organisation.organisation_id, days, minute_calls=60, day_calls=5000
    )


def api_calls(chain: Chain) -> int:
    """Calls the organisation has had."""
    params = {"path": "/api.xro/"}
    return int(chain.control.get("/_sandbox/requests", params=params).json()["count"])


def test_forecast_is_what_is_used(chain: Chain) -> None:
    """Batches, looking up the contact and reading back: to the call, if the contact is there."""
    first = chain.total([daily_total("S01", DATE - dt.timedelta(days=1))])
    chain.plan(first)
    chain.post(first)
    days = chain.total(
        [
            daily_total(store.store_id, DATE + dt.timedelta(days=offset), refund=1100)
            for offset in range(40)
            for store in chain.stores
        ]
    )
    chain.plan(days)
    said = expected(chain, days)
    assert 600 == said.document_count
    before = api_calls(chain)
    chain.post(days)
    reconcile(chain.engine, {chain.organisation.organisation_id: chain.client}, days)
    assert said.call_count == api_calls(chain) - before


def test_nothing_to_post_takes_no_call(chain: Chain) -> None:
    """What is posted already is not counted."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    assert (0, 0) == (expected(chain, days).document_count, expected(chain, days).call_count)


def test_sentence_says_how_long_it_takes() -> None:
    """Seconds, minutes or days, by the limit that matters."""
    assert "takes under a minute" in str(Forecast(100, 5, 60, 5000, 5000))
    assert "takes about 9 minutes" in str(Forecast(27_000, 600, 60, 5000, 5000))
    assert "takes 3 days" in str(Forecast(500_000, 12_000, 60, 5000, 5000))


def test_calls_that_are_used_up_already_are_not_counted_on() -> None:
    """What is left of today comes first; what does not fit into it takes another day."""
    assert 1 == Forecast(100, 40, 60, 4700, 40).day_count
    assert 2 == Forecast(100, 41, 60, 4700, 40).day_count
    assert "4700 a day, 0 left today) that takes 2 days" in str(Forecast(100, 4700, 60, 4700, 0))


def test_forecast_is_laid_beside_what_was_used(chain: Chain) -> None:
    """The calls of all processes since then, which the shared budget has counted."""
    budget = LedgerCallBudget(chain.engine, SystemClock())
    counted = replace(chain, access=replace(chain.access, budget=budget))
    first = counted.total([daily_total("S02")])
    counted.plan(first)
    counted.post(first)
    since_at = SystemClock().now()
    days = counted.total([daily_total("S01")])
    counted.plan(days)
    said = expected(counted, days)
    counted.post(days)
    reconcile(counted.engine, {counted.organisation.organisation_id: counted.client}, days)
    used_count = budget.used_since(counted.organisation.tenant_id_xero, since_at)
    assert "4 calls were forecast and 4 used, as forecast." == beside_used(said, used_count)
    assert "4 calls were forecast and 6 used, 2 more than that." == beside_used(said, 6)
    assert "4 calls were forecast and 3 used, 1 fewer than that." == beside_used(said, 3)
