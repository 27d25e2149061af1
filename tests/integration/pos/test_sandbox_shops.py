"""What the sandbox's points of sale refuse, as the vendors do, and how their lists are cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pos_mall import open_mall

if TYPE_CHECKING:
    import httpx

NOW = "2025-03-16T00:00:00+00:00"
SEARCH = "/v2/orders/search"


def ask(http: httpx.Client, method: str, path: str, token: str, **kwargs: Any) -> httpx.Response:  # noqa: ANN401 - as httpx takes them
    """One call with a vendor's token."""
    headers = {"Authorization": f"Bearer {token}-sandbox-token"}
    return http.request(method, path, headers=headers, **kwargs)


@pytest.fixture
def shops(http: httpx.Client) -> httpx.Client:
    """Two days of all shops."""
    open_mall(http, "square", NOW, first_date="2025-03-12", day_count=2, receipts_per_day=15)
    return http


def test_the_same_plan_makes_the_same_shops(http: httpx.Client) -> None:
    """Every figure follows from the seed; another seed makes other days."""
    told = []
    for seed in (3, 3, 4):
        plan = {"seed": seed, "first_date": "2025-03-12", "day_count": 2, "receipts_per_day": 15}
        open_mall(http, "square", NOW, **plan)
        told.append(http.get("/_sandbox/pos/totals").json())
    assert told[0] == told[1]
    assert told[0] != told[2]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"location_ids": ["LNYC0001"]}, 200),
        ({"location_ids": ["LNYC0001"], "limit": 1000}, 200),
        ({"location_ids": ["LNYC0001"], "limit": 1001}, 400),
        ({"location_ids": []}, 400),
        ({"location_ids": [f"L{number}" for number in range(11)]}, 400),
        ({"location_ids": ["LNONE"]}, 400),
        ({"location_ids": ["LNYC0001"], "cursor": "nonsense"}, 400),
        (
            {
                "location_ids": ["LNYC0001"],
                "query": {"filter": {"date_time_filter": {"updated_at": {"start_at": NOW}}}},
            },
            400,
        ),
    ],
)
def test_square_refuses_what_square_refuses(
    shops: httpx.Client, body: dict[str, object], status: int
) -> None:
    """Limits, foreign locations, foreign cursors, a sort that is not the filter."""
    assert status == ask(shops, "POST", SEARCH, "square", json=body).status_code


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=250", 200),
        ("limit=251", 400),
        ("updated_at_min=2025-02-14T00:00:00Z", 200),
        ("updated_at_min=2025-02-12T00:00:00Z", 402),
        ("created_at_min=2025-02-12T00:00:00Z", 402),
        ("cursor=nonsense", 400),
        ("order=anything", 400),
    ],
)
def test_loyverse_refuses_what_loyverse_refuses(
    shops: httpx.Client, query: str, status: int
) -> None:
    """Limits, the wall of 31 days, foreign cursors, what is not simulated."""
    assert status == ask(shops, "GET", f"/v1.0/receipts?{query}", "loyverse").status_code


@pytest.mark.parametrize(
    ("method", "path", "token"),
    [("POST", SEARCH, "loyverse"), ("GET", "/v1.0/receipts", "square"), ("GET", "/v2/refunds", "")],
)
def test_tokens_do_not_open_other_doors(
    shops: httpx.Client, method: str, path: str, token: str
) -> None:
    """Each vendor knows its own token only."""
    assert 401 == ask(shops, method, path, token, json={} if method == "POST" else None).status_code


def test_places_are_told(shops: httpx.Client) -> None:
    """Locations with zone and currency, stores, and the ways to pay."""
    locations = ask(shops, "GET", "/v2/locations", "square").json()["locations"]
    assert ["America/New_York", "Australia/Sydney", "Asia/Tokyo"] == [
        place["timezone"] for place in locations
    ]
    stores = ask(shops, "GET", "/v1.0/stores", "loyverse").json()["stores"]
    assert ["Petaling Street", "Rua Augusta", "Ponsonby Road"] == [one["name"] for one in stores]
    types = ask(shops, "GET", "/v1.0/payment_types", "loyverse").json()["payment_types"]
    assert {"Cash", "Card", "EFTPOS"} <= {one["name"] for one in types}


def test_pages_hold_everything_once(shops: httpx.Client) -> None:
    """Newest first at Loyverse, in pages of four: each receipt once, in falling order."""
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        query = {"limit": "4", **({"cursor": cursor} if cursor else {})}
        page = ask(shops, "GET", "/v1.0/receipts", "loyverse", params=query).json()
        seen += page["receipts"]
        cursor = page.get("cursor", "")
        if not cursor:
            break
    whole = ask(shops, "GET", "/v1.0/receipts?limit=250", "loyverse").json()["receipts"]
    assert whole == seen
    assert 90 >= len(seen) == len({one["receipt_number"] for one in seen}) > 80
    times = [one["created_at"] for one in seen]
    assert sorted(times, reverse=True) == times
