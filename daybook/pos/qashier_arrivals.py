"""The files in a drop folder: reports, exports and mails with either of them attached."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from fsspec.core import url_to_fs

from daybook.errors import InputError
from daybook.pos.file_parts import redacted
from daybook.pos.mailbox import read_mail
from daybook.pos.qashier_text import Misfit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsspec import AbstractFileSystem

Kind = Literal["report", "details"]

_BYTES_MAX: Final = 64 << 20
_DEPTH_MAX: Final = 3
_TIME_NAMES: Final = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")
# A file cannot be older than the day it tells of; clocks may be off by some hours.
_CLOCK_SLACK: Final = dt.timedelta(days=1)
# Archives write a time like 1980 where they know none.
_FIRST_YEAR: Final = 2010


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that came in; `read` fetches it once more, so that nobody has to hold it.

    It raises InputError where the file is no longer there, or no longer the same.
    """

    url: str
    kind: Kind
    written_at: dt.datetime | None
    content_hash: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be looked into, and why."""

    url: str
    reason: str


def arrivals(url: str, since_at: dt.datetime) -> Iterator[Arrival | Unreadable]:
    """What may tell of days from `since_at` on, by name; one content comes once, as of its first.

    Raises:
        InputError: the folder is not there or cannot be read.
    """
    found: dict[str, Arrival] = {}
    for place in _listed(url):
        if place.written_at is not None and place.written_at < since_at - _CLOCK_SLACK:
            continue
        try:
            for one in _opened(place):
                first = found.get(one.content_hash)
                if first is None or _order(one) < _order(first):
                    found[one.content_hash] = one
        except (InputError, OSError) as error:
            said = (
                str(error)
                if isinstance(error, InputError)
                else f"The file cannot be read ({type(error).__name__}); check that Daybook may."
            )
            yield Unreadable(place.shown, said)
    yield from sorted(found.values(), key=_order)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file lies, how it is shown, and when it was written there."""

    file_system: AbstractFileSystem
    path: str
    shown: str
    written_at: dt.datetime | None


def _order(arrival: Arrival) -> tuple[dt.datetime, str]:
    """Oldest first; files without a time come before all others."""
    return arrival.written_at or dt.datetime.min.replace(tzinfo=dt.UTC), arrival.url


def _listed(url: str) -> Iterator[_Place]:
    shown = redacted(url).rstrip("/")
    try:
        file_system, root = url_to_fs(url)
        file_system.invalidate_cache()
        if not file_system.isdir(root):
            raise InputError(
                f"There is no folder {shown}; create it with Qashier's files in it, or correct "
                "DAYBOOK_POS_URL."
            )
        found = file_system.find(root, maxdepth=_DEPTH_MAX, detail=True)
    except (ImportError, ValueError, OSError) as error:
        # The cause may quote the URL with its password: its kind is said, its words are not.
        raise InputError(
            f"The files at {shown} cannot be reached ({type(error).__name__}); check "
            "DAYBOOK_POS_URL, and that the Python package for this kind of URL is installed."
        ) from None
    for path, info in sorted(found.items()):
        name = path.rsplit("/", 1)[-1]
        # Spreadsheets leave lock files beside what is open in them.
        if not name.startswith((".", "~$")) and name.lower().endswith((".csv", ".xlsx", ".eml")):
            below = path.removeprefix(root).lstrip("/")
            yield _Place(file_system, path, f"{shown}/{below}", _written_at(info))


def _written_at(info: dict[str, Any]) -> dt.datetime | None:
    """When the file was last written, if the place knows."""
    for name in _TIME_NAMES:
        value = info.get(name)
        if isinstance(value, int | float):
            at = dt.datetime.fromtimestamp(value, tz=dt.UTC)
        elif isinstance(value, dt.datetime):
            at = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        else:
            continue
        return at.astimezone(dt.UTC) if at.year >= _FIRST_YEAR else None
    return None


def _opened(place: _Place) -> Iterator[Arrival]:
    content = _read(place)
    if not place.path.lower().endswith(".eml"):
        kind = _kind(place.path, content)
        yield _arrival(place.shown, kind, place.written_at, content, lambda: _read(place))
        return
    mail = read_mail(content)
    times = [at for at in (mail.sent_at, place.written_at) if at is not None]
    for number, attachment in enumerate(mail.attachments):
        if attachment.name.lower().endswith((".csv", ".xlsx")):
            yield _arrival(
                f"{place.shown}#{attachment.name}",
                _kind(attachment.name, attachment.content),
                # A mail cannot have been sent after it was saved, whatever it says.
                min(times, default=None),
                attachment.content,
                _attachment_reader(place, number),
            )


def _arrival(
    url: str,
    kind: Kind,
    written_at: dt.datetime | None,
    content: bytes,
    read: Callable[[], bytes],
) -> Arrival:
    """A file of this content, which is still the same when it is read for good."""
    content_hash = _hash(content)

    def read_again() -> bytes:
        try:
            again = read()
        except (OSError, InputError, IndexError):
            again = b""
        if _hash(again) == content_hash:
            return again
        raise InputError(
            f"{url} was taken away or changed while it was read; leave the files where they are "
            "and run again."
        )

    return Arrival(url, kind, written_at, content_hash, read_again)


def _attachment_reader(place: _Place, number: int) -> Callable[[], bytes]:
    return lambda: read_mail(_read(place)).attachments[number].content


def _read(place: _Place) -> bytes:
    with place.file_system.open(place.path, "rb") as stream:
        content: bytes = stream.read(_BYTES_MAX + 1)
    if len(content) > _BYTES_MAX:
        raise Misfit(
            f"The file is larger than {_BYTES_MAX >> 20} MB, which no export of Qashier's is; "
            "export a shorter range of dates."
        )
    return content


def _kind(name: str, content: bytes) -> Kind:
    """By content where it is clear: a workbook that is called .csv is still a workbook."""
    is_workbook = content.startswith(b"PK") or (name.lower().endswith(".xlsx"))
    return "details" if is_workbook else "report"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
