"""Calls to a point of sale: what is repeated, how long it waits, what an error says."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest
from answered_pos import AnsweredPos

from daybook.errors import InputError, Unavailable
from daybook.pos.api_pages import (
    ApiPage,
    HistoryClosed,
    PageDecoder,
    ReadOptions,
    Unread,
    iso,
    one_ahead,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Thing(msgspec.Struct):
    id: str
    size: int


_DECODE = PageDecoder(_Thing, "things", "id", place_name="shop", time_names=("closed", "made"))
_GOOD = '{"things": [{"id": "a", "size": 1}]}'


def _answers(*replies: httpx.Response | Exception) -> AnsweredPos:
    coming: Iterator[httpx.Response | Exception] = iter(replies)

    def answer(_: httpx.Request) -> httpx.Response:
        reply = next(coming)
        if isinstance(reply, Exception):
            raise reply
        return reply

    return AnsweredPos(answer)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(429),
        httpx.Response(500),
        httpx.Response(503, text="down"),
        httpx.Response(408),
        httpx.Response(200, text="<html>sign in</html>"),
        httpx.Response(200, text=_GOOD[:20]),
        httpx.ConnectError("no route"),
        httpx.ReadTimeout("silence"),
        httpx.RemoteProtocolError("cut"),
    ],
)
def test_a_read_is_repeated(failure: httpx.Response | Exception) -> None:
    """Whatever kept the answer away, the next attempt may bring it."""
    till = _answers(failure, failure, httpx.Response(200, text=_GOOD))
    assert [_Thing("a", 1)] == till.api.read("/things", _DECODE).items
    assert [3, 2] == [len(till.requests), len(till.clock.waits)]


def test_waits_grow_and_end() -> None:
    """Six attempts, with waits that about double; then the caller is told."""
    till = _answers(*[httpx.Response(503)] * 6)
    with pytest.raises(
        Unavailable, match=r"^Till does not answer at the moment \(503 on /things\)"
    ):
        till.api.read("/things", _DECODE)
    assert 6 == len(till.requests)
    assert all(
        0.5 * 0.5 * 2**turn <= wait <= 0.5 * 1.5 * 2**turn
        for turn, wait in enumerate(till.clock.waits)
    )


@pytest.mark.parametrize(
    ("header", "seconds"), [("17", 17), ("Mon, 31 Mar 2025 12:00:20 GMT", 21), ("soon", None)]
)
def test_the_asked_wait_is_kept(header: str, seconds: int | None) -> None:
    """Retry-After counts, in seconds or as a date; nonsense in it does not."""
    limited = httpx.Response(429, headers={"retry-after": header})
    till = _answers(limited, httpx.Response(200, text=_GOOD))
    till.api.read("/things", _DECODE)
    (wait,) = till.clock.waits
    assert wait == seconds if seconds else wait < 1


def test_nobody_waits_for_an_hour() -> None:
    """A wait beyond the budget is handed to the caller with its length."""
    till = _answers(httpx.Response(429, headers={"retry-after": "3600"}))
    with pytest.raises(Unavailable) as caught:
        till.api.read("/things", _DECODE)
    assert ([], 3600) == (till.clock.waits, caught.value.retry_after_seconds)


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, InputError, "does not accept the access token"),
        (403, InputError, "does not accept the access token"),
        (400, InputError, "Till refused /things with 400: no such filter"),
        (302, InputError, "with 302"),
        (402, HistoryClosed, "with 402"),
    ],
)
def test_a_refusal_is_final(status: int, kind: type[InputError], said: str) -> None:
    """What would be refused again is not asked again."""
    till = _answers(httpx.Response(status, text="no such  filter"))
    with pytest.raises(kind, match=said) as caught:
        till.api.read("/things", _DECODE)
    assert (1, kind) == (len(till.requests), type(caught.value))


def test_the_token_stays_secret() -> None:
    """No error, and no print of the API, shows the token."""
    till = _answers(*[httpx.ConnectError("no")] * 6)
    with pytest.raises(Unavailable) as caught:
        till.api.read("/things", _DECODE)
    assert "secret-token" not in f"{caught.value} {till.api!r} {caught.value.__cause__}"
    assert "Bearer secret-token" == till.requests[0].headers["authorization"]


def test_a_bad_item_leaves_its_page_whole() -> None:
    """Items that do not fit are named with the reason; the others are read."""
    body = b'{"things": [{"id": "a", "size": 1}, {"id": "b", "size": "x"}, 7], "cursor": "c"}'
    page = _DECODE(body)
    assert [_Thing("a", 1)] == page.items
    reason = "It cannot be read: Expected `int`, got `str` - at `$.size`."
    assert Unread("b", reason) == page.unreadable[0]
    assert ["b", ""] == [one.item_id for one in page.unreadable]
    assert "c" == page.cursor


@pytest.mark.parametrize(
    ("more", "place", "time"),
    [
        ('"shop": "X", "closed": "2026-03-14", "made": "2026-03-13"', "X", "2026-03-14"),
        ('"shop": "X", "closed": null, "made": "2026-03-13"', "X", "2026-03-13"),
        ('"shop": 7, "made": 7', None, None),
    ],
)
def test_an_item_of_another_shape_still_says_whose_it_is(
    more: str, place: str | None, time: str | None
) -> None:
    """As far as it can be told: the store, and the first of its times that is there."""
    (unread,) = _DECODE(f'{{"things": [{{"id": 1, {more}}}]}}'.encode()).unreadable
    assert (place, time) == (unread.place, unread.time)


@pytest.mark.parametrize("body", [b"{}", b'{"things": null, "cursor": null}', b'{"cursor": ""}'])
def test_nothing_is_a_page(body: bytes) -> None:
    """A reply without items is an empty last page."""
    assert ApiPage([], [], None) == _DECODE(body)


def test_pages_follow_their_cursors() -> None:
    """Every page once, from the first to the one without a cursor."""
    chain = {None: "1", "1": "2", "2": None}
    asked = []

    def fetch(cursor: str | None) -> ApiPage[str]:
        asked.append(cursor)
        return ApiPage([f"after {cursor}"], [], chain[cursor])

    assert ["after None", "after 1", "after 2"] == [page.items[0] for page in one_ahead(fetch)]
    assert [None, "1", "2"] == asked


def test_a_circle_of_cursors_ends() -> None:
    """An API that hands out the same cursor again is not followed for ever."""
    with pytest.raises(Unavailable, match="do not end"):
        list(one_ahead(lambda _: ApiPage([], [], "same")))


def test_changes_are_asked_for_from_before_the_window_on() -> None:
    """By the overlap, for tills and servers whose clocks differ."""
    start = dt.datetime(2025, 3, 15, tzinfo=dt.UTC)
    assert "2025-03-14T23:00:00.000Z" == iso(ReadOptions().since(start))
    assert start == ReadOptions(overlap=dt.timedelta(0)).since(start)
