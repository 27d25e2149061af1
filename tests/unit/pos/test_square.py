"""The Square source: what it asks, how orders, payments and refunds come together."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import httpx
import pytest
from answered_pos import DAY, SHOP, AnsweredPos, rows

from daybook.errors import InputError, Unavailable
from daybook.pos.api_pages import ReadOptions
from daybook.pos.square import SquareSource
from daybook.sales.store import Store

Json = dict[str, Any]
LOCATION = "L1"
SYNCED = "2025-03-15T23:10:00.000Z"
OFFLINE = "2025-03-15T18:40:00Z"


def order(order_id: str = "O1", **more: object) -> Json:
    """A sale of 5.00 in cash."""
    money = {"amount": 500, "currency": "SGD"}
    return {
        "id": order_id,
        "location_id": LOCATION,
        "state": "COMPLETED",
        "version": 1,
        "created_at": "2025-03-15T05:00:00Z",
        "closed_at": "2025-03-15T05:10:00Z",
        "updated_at": "2025-03-15T05:10:01Z",
        "line_items": [{"name": "Kopi", "total_money": money}],
        "tenders": [{"type": "CASH", "amount_money": money}],
        "total_money": money,
    } | more


def returned(order_id: str = "O2", **more: object) -> Json:
    """A return of 5.00, whose refund is told elsewhere."""
    found = order(order_id, **more)
    money = found.pop("total_money")
    del found["tenders"]
    lines = found.pop("line_items")
    found["returns"] = [{"return_line_items": lines}]
    return found | {"return_amounts": {"total_money": money}}


def refund(order_id: str | None = "O2", **more: object) -> Json:
    """A refund of 5.00 to a card."""
    return {
        "id": "R1",
        "status": "PENDING",
        "order_id": order_id,
        "created_at": "2025-03-15T05:10:00Z",
        "amount_money": {"amount": 500},
        "destination_type": "CARD",
    } | more


class Square:
    """Answers the three lists, one page each unless pages of orders are given."""

    def __init__(
        self,
        *orders: Json,
        refunds: tuple[Json, ...] = (),
        payments: tuple[Json, ...] = (),
        pages: list[Json] | None = None,
    ) -> None:
        """Remember the answers."""
        self._pages = iter(pages or [{"orders": list(orders)}])
        self.lists = {"refunds": refunds, "payments": payments}
        self.till = AnsweredPos(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/orders/search":
            return httpx.Response(200, json=next(self._pages))
        name = request.url.path.removeprefix("/v2/")
        return httpx.Response(200, json={name: self.lists[name]})

    def asked(self, path: str) -> list[httpx.Request]:
        """The requests of that path."""
        return [one for one in self.till.requests if one.url.path == path]

    def read(self, **options: Any) -> dict[str, list[tuple[Any, ...]]]:  # noqa: ANN401 - as given
        """What the source makes of it."""
        source = SquareSource(self.till.api, {LOCATION: "BUGIS"}, ReadOptions(**options))
        return rows(source.receipts([SHOP], DAY, DAY))


def test_a_sale_is_dated_by_its_close() -> None:
    """An order becomes a receipt of its location's store, when it was closed."""
    found = Square(order()).read()
    closed, updated = "2025-03-15 05:10:00+00:00", "2025-03-15 05:10:01+00:00"
    assert [("BUGIS", "O1", closed, updated, "SGD", False, False)] == found["receipts"]
    assert [("O1", 1, "Sales", "No tax", 500, 0, 0)] == found["lines"]
    assert [("O1", 1, "CASH", 500)] == found["tenders"]


def test_an_offline_sale_is_dated_by_the_till() -> None:
    """The order was closed when it was uploaded, after the day's end at 04:00 in Singapore."""
    late = order(created_at=SYNCED, closed_at=SYNCED, updated_at=SYNCED)
    first, last = (
        {"id": f"P{at}", "order_id": "O1", "offline_payment_details": {"client_created_at": at}}
        for at in ("2025-03-15T18:39:00Z", OFFLINE)
    )
    assert [] == Square(late).read()["receipts"]
    found = Square(late, payments=(last, first)).read()
    assert ["2025-03-15 18:40:00+00:00"] == [row[2] for row in found["receipts"]]


def test_a_return_is_paid_by_its_refund() -> None:
    """The return order carries no tender; the refund of its id does."""
    found = Square(order(), returned(), refunds=(refund(),)).read()
    assert [("O1", 1, "CASH", 500), ("O2", 1, "CARD", -500)] == found["tenders"]
    assert [False, True] == [row[5] for row in found["receipts"]]


def test_a_refund_without_an_order_is_a_reject() -> None:
    """Nobody knows what was given back for it."""
    found = Square(order(), refunds=(refund(None),)).read()
    assert [("refund R1", "order_id")] == [row[:2] for row in found["rejects"]]
    assert ["BUGIS"] == [row[0] for row in found["reaches"]]


def test_a_return_without_its_refund_is_a_reject_on_its_day() -> None:
    """Its tender is unknown; a return of another day, whose refund was not asked for, is silent."""
    other = returned("O3", closed_at="2025-03-01T05:00:00Z")
    found = Square(returned(), other).read()
    assert [("O2", "returns")] == [row[:2] for row in found["rejects"]]


def test_voided_orders_stay_and_open_ones_do_not() -> None:
    """A later read brings the open ones when they are final."""
    found = Square(order("O1", state="CANCELED"), order("O2", state="OPEN")).read()
    assert [("O1", True)] == [(row[1], row[6]) for row in found["receipts"]]


def test_the_newest_version_wins() -> None:
    """The same order twice: the higher version, whichever comes last."""
    newer = order(version=3, state="CANCELED")
    for orders in ((order(version=2), newer), (newer, order(version=2))):
        assert True is Square(*orders).read()["receipts"][-1][6]


def test_training_sales_are_left_out_by_the_name_of_their_source() -> None:
    """Square marks no order as a test; whoever trains does it in a source of its own."""
    square = Square(order("O1", source={"name": "Training till"}), order("O2", source={}))
    source = SquareSource(square.till.api, {LOCATION: "BUGIS"}, test_sources=["Training till"])
    assert ["O2"] == [row[1] for row in rows(source.receipts([SHOP], DAY, DAY))["receipts"]]


def test_bad_orders_are_named_and_their_page_is_read() -> None:
    """Half a cent, a strange state, a time that is none: three rejects beside one receipt."""
    half = order("O2", total_money={"amount": 500.5})
    found = Square(order(), half, order("O3", state="PARKED"), order("O4", closed_at="noon")).read()
    assert [("O2", ""), ("O3", "state"), ("O4", "sold_at")] == sorted(
        row[:2] for row in found["rejects"]
    )
    assert ["O1"] == [row[1] for row in found["receipts"]]
    assert [True, True, False] == [at is not None for _, at in found["reaches"]]
    assert {"BUGIS"} == {store_id for store_id, _ in found["reaches"]}


def test_an_offline_order_that_cannot_be_read_holds_the_day_of_its_sale() -> None:
    """Not the one on which it was uploaded; also where only that day is read."""
    late = order(created_at=SYNCED, closed_at=SYNCED, updated_at=SYNCED)
    late["total_money"] = {"amount": 0.5}
    payment = {
        "id": "P",
        "order_id": "O1",
        "offline_payment_details": {"client_created_at": OFFLINE},
    }
    assert [("BUGIS", dt.datetime.fromisoformat(OFFLINE))] == Square(
        late, payments=(payment,)
    ).read()["reaches"]
    assert [] == Square(late).read()["rejects"]


def test_what_cannot_be_read_and_is_no_receipt_of_the_window_is_not_said() -> None:
    """An order of another day waits for its day, an open one until it is final."""
    bad = {"total_money": {"amount": 0.5}}
    other = order("O2", closed_at="2025-03-29T05:10:00Z", updated_at="2025-03-29T05:10:01Z", **bad)
    unfinished = [order(f"O-{state}", state=state, **bad) for state in ("OPEN", "DRAFT")]
    assert [] == Square(order(), other, *unfinished).read()["rejects"]
    unknown = order("O3", state="NEW", **bad)
    assert ["O3"] == [row[0] for row in Square(unknown).read()["rejects"]]
    timeless = order("O4", closed_at=None, created_at=None, **bad)
    assert [("BUGIS", None)] == Square(timeless).read()["reaches"]


def test_an_order_of_another_location_may_be_of_any_store() -> None:
    """What cannot be read, and names no location we know, holds the time it tells of."""
    found = Square(order(location_id="L9", total_money={"amount": 0.5})).read()
    assert ["any"] == [row[0] for row in found["reaches"]]


def test_what_is_asked() -> None:
    """Changes since an hour before the day begins, oldest first, without an end."""
    pages: list[Json] = [{"orders": [order()], "cursor": "abc"}, {"orders": []}]
    square = Square(pages=pages)
    square.read(call_limit=5000)
    first, second = (json.loads(one.content) for one in square.asked("/v2/orders/search"))
    assert {
        "location_ids": [LOCATION],
        "query": {
            "filter": {
                "date_time_filter": {"updated_at": {"start_at": "2025-03-14T19:00:00.000Z"}}
            },
            "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
        },
        "limit": 1000,
    } == first
    assert first | {"cursor": "abc"} == second
    (payments,) = square.asked("/v2/payments")
    assert {
        "location_id": LOCATION,
        "updated_at_begin_time": "2025-03-14T19:00:00.000Z",
        "sort_field": "UPDATED_AT",
        "sort_order": "ASC",
        "limit": "100",
        "is_offline_payment": "true",
    } == dict(payments.url.params)


def test_what_one_read_could_not_use_the_next_asks_for_again() -> None:
    """The order never changes again; a watermark that had passed it would leave its day held."""
    square = Square(pages=[{"orders": [returned()]}, {"orders": [returned()]}])
    source = SquareSource(square.till.api, {LOCATION: "BUGIS"})
    first = rows(source.receipts([SHOP], DAY, DAY))
    assert ([], 1) == (first["receipts"], len(first["rejects"]))
    square.lists["refunds"] = (refund(),)
    second = rows(source.receipts([SHOP], DAY, DAY))
    assert ([("O2", 1, "CARD", -500)], []) == (second["tenders"], second["rejects"])
    asked, again = (one.content for one in square.asked("/v2/orders/search"))
    assert asked == again


def test_orders_of_this_very_minute_have_their_refunds_listed_again() -> None:
    """The second page holds an order newer than the lists, so they are brought up to date."""
    now = "2025-03-31T11:59:59Z"
    pages: list[Json] = [
        {"orders": [order()], "cursor": "abc"},
        {"orders": [returned(updated_at=now)]},
    ]
    square = Square(pages=pages)
    asked = iter([(), (refund(),)])
    answer = square._answer  # noqa: SLF001 - one more answer in front of it

    def with_late_refund(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/refunds":
            return httpx.Response(200, json={"refunds": next(asked)})
        return answer(request)

    till = AnsweredPos(with_late_refund)
    found = rows(SquareSource(till.api, {LOCATION: "BUGIS"}).receipts([SHOP], DAY, DAY))
    assert [("O1", 1, "CASH", 500), ("O2", 1, "CARD", -500)] == found["tenders"]
    begins = [
        one.url.params["updated_at_begin_time"]
        for one in till.requests
        if one.url.path == "/v2/refunds"
    ]
    assert ["2025-03-14T19:00:00.000Z", "2025-03-31T11:55:00.000Z"] == begins


def test_locations_are_asked_ten_at_a_time() -> None:
    """Square takes no more in one search; stores that are not asked for are not searched."""
    square = Square(pages=[{"orders": []}] * 3)
    stores = [Store(f"S{n:02}", "", "Asia/Singapore", "SGD") for n in range(21)]
    source = SquareSource(square.till.api, {f"L{n:02}": f"S{n:02}" for n in range(30)})
    list(source.receipts(stores, DAY, DAY))
    asked = [json.loads(one.content)["location_ids"] for one in square.asked("/v2/orders/search")]
    assert [10, 10, 1] == [len(places) for places in asked]
    assert [f"L{n:02}" for n in range(21)] == [place for places in asked for place in places]
    assert "Square at https://till.example" == source.name


def test_pages_are_bounded() -> None:
    """Three calls of one order each make pages of two."""
    pages: list[Json] = [
        {"orders": [order("O1")], "cursor": "1"},
        {"orders": [order("O2")], "cursor": "2"},
        {"orders": [order("O3")]},
    ]
    square = Square(pages=pages)
    source = SquareSource(square.till.api, {LOCATION: "BUGIS"}, ReadOptions(page_receipts=2))
    assert [2, 1] == [len(page.batch.receipts) for page in source.receipts([SHOP], DAY, DAY)]


def test_a_store_without_its_location_is_said_at_once() -> None:
    """Nothing is asked before every store has its location."""
    with pytest.raises(InputError, match="Store BUGIS has no Square location"):
        list(SquareSource(Square().till.api, {}).receipts([SHOP], DAY, DAY))


def test_an_outage_is_no_empty_day() -> None:
    """When Square does not answer, the caller hears it."""
    till = AnsweredPos(lambda _: httpx.Response(500))
    with pytest.raises(Unavailable):
        list(SquareSource(till.api, {LOCATION: "BUGIS"}).receipts([SHOP], DAY, DAY))
