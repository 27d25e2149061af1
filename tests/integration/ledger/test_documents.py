"""Documents in the ledger while planning and posting meet, which do not wait for each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from kopi_corner import connected_chain, daily_total
from sqlalchemy import text

from daybook.clock import SystemClock
from daybook.jobs.settle import look_up
from daybook.ledger.documents import settle, unsettled_documents, waiting_documents
from daybook.posting.documents import DocumentKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopi_corner import Chain

    from daybook.sales.store import StoreDay


@pytest.fixture
def chain(database_url: str) -> Iterator[Chain]:
    """A store, connected to an organisation in a sandbox of its own."""
    with connected_chain(database_url, store_count=1) as connected:
        yield connected


def held_day(chain: Chain) -> list[StoreDay]:
    """Xero has 11.50 under the day's number, the ledger wants 13.80."""
    days = chain.total([daily_total("S01")])
    chain.plan(days)
    chain.post(days)
    with chain.engine.begin() as connection:
        connection.execute(text("TRUNCATE documents, document_events, store_days CASCADE"))
    chain.total([daily_total("S01", net=1200)])
    chain.plan(days)
    chain.post(days)
    return days


def test_what_is_planned_anew_during_a_lookup_is_not_adopted_for_what_was_looked_up(
    chain: Chain,
) -> None:
    """The lookup finds 11.50, and the till says 12.65 by now: nobody has seen that in Xero."""
    days = held_day(chain)
    organisation_id = chain.organisation.organisation_id
    chain.total([daily_total("S01")])
    chain.plan(days)
    with chain.engine.connect() as connection:
        read = unsettled_documents(connection, organisation_id)
    chain.total([daily_total("S01", net=1100)])
    chain.plan(days)
    found = look_up(chain.client, read)
    assert ["adopted"] == [one.event for one in found]
    with chain.engine.begin() as connection:
        settle(connection, found, actor="test", now_at=SystemClock().now())
        assert ["unknown"] == [
            one.state for one in unsettled_documents(connection, organisation_id)
        ]


def test_held_document_holds_none_of_another_currency(chain: Chain) -> None:
    """What builds on it is in its own."""
    days = held_day(chain)
    organisation_id = chain.organisation.organisation_id
    dollars = replace(daily_total("S01"), currency="USD")
    chain.total([daily_total("S01", net=1200), dollars])
    chain.plan(days)
    with chain.engine.connect() as connection:
        waiting = waiting_documents(connection, organisation_id, days, kind=DocumentKind.INVOICE)
    assert 1 == len(waiting)
