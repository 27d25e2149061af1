"""Reading Xero back, also when it does not let Daybook in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kopi_corner import daily_total

from daybook.errors import DaybookError, ReconnectNeeded
from daybook.jobs import store_day_table
from daybook.jobs.reconcile import reconcile

if TYPE_CHECKING:
    from kopi_corner import Chain


def test_organisation_that_cannot_be_read_is_said_and_stops_no_other(chain: Chain) -> None:
    """Its days are not called different, and what else is wrong is said all the same."""
    days = chain.total([daily_total("S01"), daily_total("S02", refund=10)])
    chain.plan(days)
    tenant = chain.organisation.tenant_id_xero
    chain.control.post(f"/_sandbox/organisations/{tenant}/accounts/201/archive")
    chain.post(days)
    clients = {chain.organisation.organisation_id: chain.client}
    chain.control.post(f"/_sandbox/organisations/{tenant}/disconnect").raise_for_status()
    with pytest.raises(ReconnectNeeded):
        reconcile(chain.engine, clients, days)
    unread: dict[int, DaybookError] = {}
    lines = reconcile(chain.engine, clients, days, unread)
    assert [chain.organisation.organisation_id] == list(unread)
    assert ["not_read_back", "failed"] == [store_day_table.status(one) for one in lines]
    (sentence,) = store_day_table.problems(lines)
    assert "2026-03-14 store S02: Xero refused" in sentence
    assert ["", ""] == [row["xero"] for row in store_day_table.table(lines)]
    assert "1 not read back, 1 failed" in store_day_table.summary(lines)
    assert "apart" not in store_day_table.summary(lines)
