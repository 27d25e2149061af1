"""Loyverse over HTTP: generated shops, whole windows, to the cent, whatever goes wrong."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from pos_mall import Mall, open_mall

from daybook.errors import InputError, Unavailable
from daybook.pos.api_pages import ReadOptions
from daybook.pos.loyverse import LoyverseSource

if TYPE_CHECKING:
    import httpx

# Clocks go forward in Lisbon on 30 March, and back in Auckland on 6 April.
FIRST, LAST = dt.date(2025, 3, 28), dt.date(2025, 4, 6)
NOW = "2025-04-09T00:00:00+00:00"


@pytest.fixture
def mall(http: httpx.Client) -> Mall:
    """Twelve days of three shops, seen two days after the last."""
    return open_mall(
        http, "loyverse", NOW, first_date="2025-03-27", day_count=12, receipts_per_day=25
    )


def source(mall: Mall, *, call_limit: int = 1000, page_receipts: int = 10_000) -> LoyverseSource:
    """The shops' source."""
    options = ReadOptions(
        categories=mall.categories, call_limit=call_limit, page_receipts=page_receipts
    )
    return LoyverseSource(mall.api, mall.store_ids, options)


@pytest.mark.parametrize(("call_limit", "page_receipts"), [(250, 10_000), (7, 50), (1000, 1)])
def test_totals_are_the_shops_own(mall: Mall, call_limit: int, page_receipts: int) -> None:
    """Whole windows in three currencies and two DST changes, in pages of any size."""
    expected = mall.expected(FIRST, LAST)
    read = mall.read(source(mall, call_limit=call_limit, page_receipts=page_receipts), FIRST, LAST)
    assert 3 * 10 == len(expected)
    assert expected == read


def test_one_store_alone_is_asked_for(mall: Mall) -> None:
    """Its days are the same as among all."""
    (store,) = [one for one in mall.stores if one.store_id == "Rua Augusta"]
    pages = list(source(mall).receipts([store], FIRST, LAST))
    expected = {
        key: day for key, day in mall.expected(FIRST, LAST).items() if key[0] == store.store_id
    }
    assert expected == mall.totals(pages, FIRST, LAST)


def test_late_receipts_and_voids_come_with_the_next_read(mall: Mall) -> None:
    """What is known on the evening differs from what is known four days later; both are exact."""
    day = dt.date(2025, 4, 2)
    seen = []
    for now in ("2025-04-03T05:00:00+00:00", "2025-04-07T00:00:00+00:00"):
        mall.at(now)
        seen.append(mall.read(source(mall), day, day))
        assert mall.expected(day, day) == seen[-1]
    assert seen[0] != seen[1]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "rate_limited", "retry_after": 2, "every": 3},
        {"fault": "server_error", "every": 2},
        {"fault": "unavailable", "every": 3},
        {"fault": "lost_reply", "every": 3},
        {"fault": "reset_mid_body", "every": 3},
        {"fault": "truncated_body", "every": 3},
        {"fault": "wrong_content_type", "every": 3},
    ],
)
def test_faults_change_nothing(mall: Mall, fault: dict[str, object]) -> None:
    """Calls that fail are made again, and no receipt is lost or read twice."""
    mall.control("POST", "/faults", json=fault | {"match": {"path": "/v1.0/receipts"}})
    assert mall.expected(FIRST, LAST) == mall.read(source(mall, call_limit=100), FIRST, LAST)
    assert mall.clock.waits


def test_an_outage_is_told(mall: Mall) -> None:
    """An API that stays down is no empty day."""
    mall.control("POST", "/faults", json={"fault": "unavailable", "match": {"path": "/v1.0/*"}})
    with pytest.raises(Unavailable, match="Loyverse does not answer at the moment"):
        list(source(mall).receipts(mall.stores, FIRST, LAST))


def test_the_wall_of_31_days(mall: Mall) -> None:
    """On 29 April 30 March is closed: it began too early in Auckland; with the add-on it is not."""
    mall.at("2025-04-29T12:00:00+00:00")
    with pytest.raises(InputError, match="2025-03-28 to 2025-03-30 cannot be read") as caught:
        list(source(mall).receipts(mall.stores, FIRST, LAST))
    assert "Ask for 2025-03-31 to 2025-04-06 only" in str(caught.value)
    open_date = dt.date(2025, 3, 31)
    assert mall.expected(open_date, LAST) == mall.read(source(mall), open_date, LAST)
    unlimited = open_mall(
        mall.http,
        "loyverse",
        "2025-04-29T12:00:00+00:00",
        first_date="2025-03-27",
        day_count=12,
        receipts_per_day=5,
        unlimited_history=True,
    )
    assert unlimited.expected(FIRST, LAST) == unlimited.read(source(unlimited), FIRST, LAST)


def test_a_wrong_token_is_told(mall: Mall) -> None:
    """The sentence says what to renew."""
    mall.info["tokens"]["loyverse"] = "old"
    with pytest.raises(InputError, match="Loyverse does not accept the access token"):
        list(source(mall).receipts(mall.stores, FIRST, LAST))
