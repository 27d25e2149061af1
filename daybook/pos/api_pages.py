"""Reading the API of a point of sale: page by page, one ahead, again while it does not answer.

Everything here only reads, so every call may be repeated. What comes back is typed items; one that
does not fit its type is left out with the reason, and never takes its page with it.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

import httpx
import msgspec

from daybook.errors import InputError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from daybook.clock import Clock

_LOG: Final = logging.getLogger(__name__)
_ITEM = TypeVar("_ITEM")

# Both bounds hold: how often a call is repeated, and how long it waits altogether.
_ATTEMPTS_MAX: Final = 6
_WAIT_SECONDS_MAX: Final = 300
_FIRST_WAIT_SECONDS: Final = 0.5
_PAGES_MAX: Final = 1_000_000
_EXCERPT_LENGTH_MAX: Final = 200
_NO_ACCESS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_TRY_AGAIN: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class HistoryClosed(InputError):
    """The API answered 402: what was asked for is not part of what the account pays for."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a source reads.

    `categories` gives the category of a line by its name, `default_category` that of all others.
    The watermark is the window itself: what changed since its first instant is asked for, and
    `overlap` before it, for clocks that differ. Nothing is remembered between two reads, so that
    whatever one of them could not read is met again by the next.
    `call_limit` is how many receipts a call may bring (at most the API's own maximum),
    `page_receipts` about how many make a page.
    """

    categories: Mapping[str, str] = field(default_factory=dict)
    default_category: str = "Sales"
    overlap: dt.timedelta = dt.timedelta(hours=1)
    call_limit: int = 1000
    page_receipts: int = 10_000

    def since(self, start_at: dt.datetime) -> dt.datetime:
        """Since when changes are asked for, to find all receipts sold from then on."""
        return start_at - self.overlap


class Unread(NamedTuple):
    """An item that does not fit its type: its id, what is wrong, and what else it says if any.

    That is its store, when it was, what state it is in and when it last changed.
    """

    item_id: str
    reason: str
    place: str | None = None
    time: str | None = None
    state: str | None = None
    updated_at: str | None = None


@dataclass(frozen=True, slots=True)
class ApiPage(Generic[_ITEM]):
    """Items of one reply, and those that could not be read."""

    items: list[_ITEM]
    unreadable: list[Unread]
    cursor: str | None


class PageDecoder(Generic[_ITEM]):
    """Decodes replies of the form `{"<field_name>": [item, ...], "cursor": "..."}`."""

    def __init__(
        self,
        item: type[_ITEM],
        field_name: str,
        id_name: str,
        *,
        place_name: str,
        time_names: tuple[str, ...],
    ) -> None:
        """Prepare for items of this type.

        A person finds them by their `id_name`; `place_name` says of which store they are, the
        first of `time_names` that is there says when they were.
        """
        self._typed = _page_decoder(list[item], field_name)  # type: ignore[valid-type]  # made here
        self._raw = _page_decoder(list[msgspec.Raw], field_name)
        self._item = msgspec.json.Decoder(item)
        self._id_name = id_name
        self._place_name = place_name
        self._time_names = time_names

    def __call__(self, body: bytes) -> ApiPage[_ITEM]:
        """The page.

        Raises:
            msgspec.DecodeError: the body is not of that form.
        """
        try:
            page = self._typed.decode(body)
        except msgspec.ValidationError:
            return self._one_by_one(body)
        return ApiPage(page.items or [], [], page.cursor or None)

    def _one_by_one(self, body: bytes) -> ApiPage[_ITEM]:
        page = self._raw.decode(body)
        items, unreadable = [], []
        for raw in page.items or []:
            try:
                items.append(self._item.decode(raw))
            except msgspec.ValidationError as error:
                unreadable.append(self._unread(raw, f"It cannot be read: {error}."))
        return ApiPage(items, unreadable, page.cursor or None)

    def _unread(self, raw: msgspec.Raw, reason: str) -> Unread:
        found = msgspec.json.decode(raw)
        if not isinstance(found, dict):
            return Unread("", reason)
        said = {name: text for name, text in found.items() if isinstance(text, str)}
        times = [said[name] for name in self._time_names if name in said]
        return Unread(
            str(found.get(self._id_name, "")),
            reason,
            said.get(self._place_name),
            next(iter(times), None),
            said.get("state"),
            said.get("updated_at"),
        )


@dataclass(frozen=True, slots=True)
class PosApi:
    """One account at a point of sale's API; `vendor` is its name in sentences."""

    vendor: str
    url: str
    access_token: str = field(repr=False)
    http: httpx.Client = field(repr=False)
    clock: Clock = field(repr=False)

    def read(
        self,
        path: str,
        decode: Callable[[bytes], ApiPage[_ITEM]],
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> ApiPage[_ITEM]:
        """Ask for one page, by POST where there is a body; repeated while there is no answer.

        Raises:
            Unavailable: there was no answer in time.
            HistoryClosed: the account does not pay for what was asked.
            InputError: the API refused.
        """
        waited_seconds = 0.0
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                return self._read_once(path, decode, params, body)
            except Unavailable as error:
                wait_seconds = _wait_seconds(attempt, error.retry_after_seconds)
                waited_seconds += wait_seconds
                if attempt == _ATTEMPTS_MAX or waited_seconds > _WAIT_SECONDS_MAX:
                    raise
                _LOG.warning("%s Again in %.1f seconds.", error, wait_seconds)
                self.clock.sleep(wait_seconds)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _read_once(
        self,
        path: str,
        decode: Callable[[bytes], ApiPage[_ITEM]],
        params: Mapping[str, str] | None,
        body: object,
    ) -> ApiPage[_ITEM]:
        try:
            response = self.http.request(
                "GET" if body is None else "POST",
                self.url.rstrip("/") + path,
                params=params,
                content=None if body is None else msgspec.json.encode(body),
                headers={
                    "Authorization": f"Bearer {self.access_token}",
                    "Accept": "application/json",
                    **({} if body is None else {"Content-Type": "application/json"}),
                },
            )
        except httpx.RequestError as error:
            # The cause is cut off: it holds the request, and with it the token.
            raise Unavailable(
                f"{self.vendor} did not answer ({type(error).__name__} on {path})."
            ) from None
        if response.status_code != HTTPStatus.OK:
            raise self._error_of(response, path)
        try:
            return decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Unavailable(
                f"{self.vendor}'s reply to {path} cannot be read; try again."
            ) from None

    def _error_of(self, response: httpx.Response, path: str) -> Exception:
        status = response.status_code
        if status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            after = _retry_after(response.headers.get("retry-after", ""), self.clock.now())
            return Unavailable(
                f"{self.vendor} does not answer at the moment ({status} on {path}).", after
            )
        if status in _NO_ACCESS:
            return InputError(
                f"{self.vendor} does not accept the access token ({status} on {path}); make a new "
                "one that may read sales, and put it in place of the old one."
            )
        said = " ".join(response.content.decode("utf-8", "replace").split())[:_EXCERPT_LENGTH_MAX]
        kind = HistoryClosed if status == HTTPStatus.PAYMENT_REQUIRED else InputError
        return kind(f"{self.vendor} refused {path} with {status}: {said or '(an empty reply)'}")


def one_ahead(fetch: Callable[[str | None], ApiPage[_ITEM]]) -> Iterator[ApiPage[_ITEM]]:
    """The pages from the first to the last; the next one is fetched while one is worked on.

    Raises:
        Unavailable: the API goes round in circles.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="pos-page") as pool:
        page = fetch(None)
        for _ in range(_PAGES_MAX):
            if page.cursor is None:
                yield page
                return
            coming = pool.submit(fetch, page.cursor)
            yield page
            following = coming.result()
            if following.cursor == page.cursor:
                break
            page = following
    raise Unavailable("The pages of the point of sale's API do not end; try again later.")


def iso(at: dt.datetime) -> str:
    """The instant as these APIs write it: 2025-03-09T05:00:00.000Z."""
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _page_decoder(items: object, field_name: str) -> msgspec.json.Decoder[Any]:
    """A decoder of pages whose list stands under this name."""
    shape = msgspec.defstruct(
        "Page",
        [("items", items | None, None), ("cursor", str | None, None)],  # type: ignore[operator]  # a type
        rename={"items": field_name},
    )
    return msgspec.json.Decoder(shape)


def _wait_seconds(attempt: int, asked_seconds: int | None) -> float:
    """Growing, jittered, and never shorter than the other side asked for."""
    growing = _FIRST_WAIT_SECONDS * 2.0 ** (attempt - 1)
    growing *= random.uniform(0.5, 1.5)  # noqa: S311 - jitter is no secret
    return max(growing, asked_seconds or 0)


def _retry_after(value: str, now_at: dt.datetime) -> int | None:
    """Seconds of a Retry-After header, which may also be a date."""
    if value.isascii() and value.isdigit():
        return int(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return max(int((aware - now_at).total_seconds()) + 1, 0)
