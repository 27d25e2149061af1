"""Square over HTTP: generated shops, whole windows, to the cent, whatever goes wrong."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from pos_mall import Mall, open_mall

from daybook.errors import InputError, Unavailable
from daybook.pos.api_pages import ReadOptions
from daybook.pos.square import SquareSource

if TYPE_CHECKING:
    import httpx

# Clocks go forward in New York on 9 March; the shop's day ends at four in the morning.
FIRST, LAST = dt.date(2025, 3, 6), dt.date(2025, 3, 12)
# Clocks go back in Sydney on 6 April.
AUTUMN_FIRST, AUTUMN_LAST = dt.date(2025, 4, 4), dt.date(2025, 4, 7)


@pytest.fixture
def mall(http: httpx.Client) -> Mall:
    """Ten days of three shops, seen two days after the last."""
    return open_mall(
        http,
        "square",
        "2025-03-16T00:00:00+00:00",
        first_date="2025-03-04",
        day_count=10,
        receipts_per_day=40,
    )


def source(mall: Mall, *, call_limit: int = 1000, page_receipts: int = 10_000) -> SquareSource:
    """The shops' source."""
    options = ReadOptions(
        categories=mall.categories, call_limit=call_limit, page_receipts=page_receipts
    )
    return SquareSource(mall.api, mall.store_ids, options)


@pytest.mark.parametrize(("call_limit", "page_receipts"), [(1000, 10_000), (13, 100), (500, 1)])
def test_totals_are_the_shops_own(mall: Mall, call_limit: int, page_receipts: int) -> None:
    """Whole windows in three currencies, in pages of any size."""
    expected = mall.expected(FIRST, LAST)
    read = mall.read(source(mall, call_limit=call_limit, page_receipts=page_receipts), FIRST, LAST)
    assert 3 * 7 == len(expected)
    assert expected == read


def test_the_shops_set_every_trap(mall: Mall) -> None:
    """What the totals are right about: each of these was among the sales."""
    days = mall.expected(FIRST, LAST).values()
    categories = {key[0] for day in days for key in day["categories"]}
    tenders = {key for day in days for key in day["tenders"]}
    assert {"Gift cards sold", "Service charge", "Tips", "Rounding"} <= categories
    assert {("SQUARE_GIFT_CARD", False), ("OTHER", True), ("CARD", True)} <= tenders
    assert all(sum(day["counts"][index] for day in days) for index in range(3))


def test_a_day_of_25_hours(http: httpx.Client) -> None:
    """The repeated hour of an autumn night in Sydney belongs to one day, once."""
    mall = open_mall(
        http,
        "square",
        "2025-04-12T00:00:00+00:00",
        first_date="2025-04-03",
        day_count=6,
        receipts_per_day=60,
        seed=5,
    )
    expected = mall.expected(AUTUMN_FIRST, AUTUMN_LAST)
    assert expected == mall.read(source(mall), AUTUMN_FIRST, AUTUMN_LAST)


def test_every_day_alone_comes_to_the_same(mall: Mall) -> None:
    """Ten reads of a day each are one read of ten days."""
    days = [FIRST + dt.timedelta(days=day) for day in range(7)]
    alone = [mall.read(source(mall), day, day) for day in days]
    assert mall.expected(FIRST, LAST) == {key: day for part in alone for key, day in part.items()}


def test_what_is_uploaded_or_closed_later_comes_with_the_next_read(mall: Mall) -> None:
    """What is known on the evening differs from what is known days later; both are exact."""
    day = dt.date(2025, 3, 10)
    seen = []
    for now in ("2025-03-11T08:30:00+00:00", "2025-03-16T00:00:00+00:00"):
        mall.at(now)
        seen.append(mall.read(source(mall), day, day))
        assert mall.expected(day, day) == seen[-1]
    assert seen[0] != seen[1]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "rate_limited", "retry_after": 2, "every": 3},
        {"fault": "server_error", "every": 3},
        {"fault": "lost_reply", "every": 3},
        {"fault": "reset_mid_body", "every": 3},
        {"fault": "truncated_body", "every": 3},
        {"fault": "wrong_content_type", "every": 3},
    ],
)
def test_faults_change_nothing(mall: Mall, fault: dict[str, object]) -> None:
    """Calls of any kind that fail are made again, and no receipt is lost or read twice."""
    mall.control("POST", "/faults", json=fault | {"match": {"path": "/v2/*"}})
    assert mall.expected(FIRST, LAST) == mall.read(source(mall, call_limit=100), FIRST, LAST)
    assert mall.clock.waits


def test_an_outage_is_told(mall: Mall) -> None:
    """An API that stays down is no empty day."""
    mall.control("POST", "/faults", json={"fault": "unavailable", "match": {"path": "/v2/*"}})
    with pytest.raises(Unavailable, match="Square does not answer at the moment"):
        list(source(mall).receipts(mall.stores, FIRST, LAST))


def test_a_location_that_is_not_ours_is_told(mall: Mall) -> None:
    """Square's own words reach the person who set the location."""
    wrong = SquareSource(mall.api, {"LNONE": mall.stores[0].store_id})
    with pytest.raises(InputError, match="A location is not yours"):
        list(wrong.receipts(mall.stores[:1], FIRST, LAST))
