"""A point of sale's API that answers from a list of functions, without a socket."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import httpx

from daybook.pos.api_pages import PosApi
from daybook.sales.frames import joined
from daybook.sales.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from daybook.pos.source import Page

NOW_AT = dt.datetime(2025, 3, 31, 12, tzinfo=dt.UTC)
SHOP = Store("BUGIS", "Bugis", "Asia/Singapore", "SGD", dt.time(4))
DAY = dt.date(2025, 3, 15)


class PatientClock:
    """Stands still; remembers how long somebody wanted to wait."""

    def __init__(self) -> None:
        """Nobody waited yet."""
        self.waits: list[float] = []

    def now(self) -> dt.datetime:
        """Always the same moment."""
        return NOW_AT

    def sleep(self, seconds: float) -> None:
        """Come back at once."""
        self.waits.append(seconds)


class AnsweredPos:
    """Answers each request by the first function that does not return nothing."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        """Remember how to answer."""
        self.requests: list[httpx.Request] = []
        self.clock = PatientClock()

        def recorded(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return answer(request)

        self.api = PosApi(
            vendor="Till",
            url="https://till.example",
            access_token="secret-token",
            http=httpx.Client(transport=httpx.MockTransport(recorded)),
            clock=self.clock,
        )


def rows(pages: Iterable[Page]) -> dict[str, list[tuple[Any, ...]]]:
    """What the pages hold, as plain tuples; receipts by their ids in place of keys."""
    read = list(pages)
    batch = joined([page.batch for page in read])
    ids = dict(
        zip(
            batch.receipts["receipt_key"], batch.receipts["receipt_id_pos"].astype(str), strict=True
        )
    )
    receipts = batch.receipts.drop(columns=["receipt_key"])
    return {
        "receipts": _tuples(receipts.astype({"sold_at": "str", "updated_at": "str"})),
        "lines": [(ids[row[0]], *row[1:]) for row in _tuples(batch.lines)],
        "tenders": [(ids[row[0]], *row[1:]) for row in _tuples(batch.tenders)],
        "rejects": [
            (one.url.rpartition("/")[2], one.column, one.reason)
            for page in read
            for one in page.rejects
        ],
        "reaches": [
            (*sorted(one.reach.store_ids or ["any"]), one.reach.first_at)
            for page in read
            for one in page.rejects
        ],
    }


def _tuples(frame: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - any frame
    return list(frame.itertuples(index=False, name=None))


def json_reply(text: str) -> httpx.Response:
    """A reply of exactly these characters, which must be JSON."""
    json.loads(text)
    return httpx.Response(200, text=text)
