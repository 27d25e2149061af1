"""What comes into a drop folder."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from typing import TYPE_CHECKING

import fsspec
import pytest
from qashier_files import put

from daybook.errors import InputError
from daybook.pos.qashier_arrivals import Arrival, Unreadable, arrivals

if TYPE_CHECKING:
    from pathlib import Path

AT = dt.datetime(2026, 5, 2, 16, 2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def came(url: Path | str, since_at: dt.datetime = LONG_AGO) -> list[Arrival]:
    """The files that could be looked into."""
    found = list(arrivals(str(url), since_at))
    assert all(isinstance(one, Arrival) for one in found)
    return [one for one in found if isinstance(one, Arrival)]


def mail(content: bytes, name: str, date: str) -> bytes:
    """A mail with one attachment."""
    message = EmailMessage()
    message["Date"] = date
    message.add_attachment(content, maintype="text", subtype="csv", filename=name)
    return message.as_bytes()


def test_files_come_oldest_first_with_their_kind(tmp_path: Path) -> None:
    """A workbook is one whatever it is called; what is neither is not looked at."""
    put(tmp_path, "b.csv", "x", AT)
    put(tmp_path, "a.xlsx", b"PK..", AT + HOUR)
    put(tmp_path, "c.csv", b"PK--", AT - HOUR)
    for name in ("photo.png", "~$a.xlsx", ".hidden.csv", "notes.txt"):
        put(tmp_path, name, name, AT)
    assert [("c.csv", "details"), ("b.csv", "report"), ("a.xlsx", "details")] == [
        (one.url.rsplit("/", 1)[-1], one.kind) for one in came(tmp_path)
    ]


def test_of_two_files_in_one_second_the_later_is_newer(tmp_path: Path) -> None:
    """Whole seconds would leave it to their names."""
    half = dt.timedelta(milliseconds=500)
    put(tmp_path, "a.csv", "later", AT + half)
    put(tmp_path, "b.csv", "x", AT)
    assert [b"x", b"later"] == [one.read() for one in came(tmp_path)]


def test_one_content_comes_once_as_of_its_first_arrival(tmp_path: Path) -> None:
    """Sent again, or found in a mail as well, it is no new version."""
    put(tmp_path, "a.csv", "same", AT + HOUR)
    put(tmp_path, "b.csv", "same", AT)
    put(tmp_path, "again.eml", mail(b"same", "x.csv", "Sun, 03 May 2026 09:00:00 +0800"))
    (one,) = came(tmp_path)
    assert (AT, b"same") == (one.written_at, one.read())
    assert one.url.endswith("/b.csv")


def test_an_attachment_is_as_old_as_its_mail(tmp_path: Path) -> None:
    """The mail's own date counts, unless the mail was saved before it."""
    put(tmp_path, "m.eml", mail(b"x", "r.csv", "Sun, 03 May 2026 00:10:00 +0800"), AT + 9 * HOUR)
    put(tmp_path, "n.eml", mail(b"y", "s.csv", "Tue, 03 May 2050 00:10:00 +0800"), AT)
    found = {one.url.rsplit("/", 1)[-1]: one for one in came(tmp_path)}
    assert {"m.eml#r.csv", "n.eml#s.csv"} == found.keys()
    assert dt.datetime(2026, 5, 2, 16, 10, tzinfo=dt.UTC) == found["m.eml#r.csv"].written_at
    assert AT == found["n.eml#s.csv"].written_at
    assert b"x" == found["m.eml#r.csv"].read()


def test_files_older_than_the_days_asked_for_are_not_opened(tmp_path: Path) -> None:
    """Nobody writes about a day before it comes; clocks may be a day off."""
    put(tmp_path, "old.csv", "x", AT - 30 * HOUR)
    put(tmp_path, "near.csv", "y", AT - 20 * HOUR)
    assert ["near.csv"] == [one.url.rsplit("/", 1)[-1] for one in came(tmp_path, AT)]


def test_folders_below_are_looked_into(tmp_path: Path) -> None:
    """One for each store, perhaps."""
    put(tmp_path / "katong", "a.csv", "x", AT)
    assert [f"{tmp_path}/katong/a.csv"] == [one.url for one in came(tmp_path)]


def test_any_fsspec_url_will_do() -> None:
    """Here memory, as it might be a bucket."""
    with fsspec.open("memory://qashier-drop/a.csv", "wb") as stream:
        stream.write(b"x")
    (one,) = came("memory://qashier-drop")
    assert ("memory://qashier-drop/a.csv", b"x") == (one.url, one.read())


def test_an_archive_that_knows_no_times_is_read_whole(tmp_path: Path) -> None:
    """A year like 1980 means nothing is known."""
    put(tmp_path, "a.csv", "x", dt.datetime(1980, 1, 1, tzinfo=dt.UTC))
    assert [None] == [one.written_at for one in came(tmp_path, AT)]


def test_a_missing_folder_is_said() -> None:
    """Without the password of its URL."""
    with pytest.raises(InputError, match="no folder memory://nowhere/at-all") as caught:
        came("memory://nowhere/at-all")
    assert "DAYBOOK_POS_URL" in str(caught.value)
    with pytest.raises(InputError) as caught:
        came("nosuch://user:hush@host/x")
    assert "hush" not in str(caught.value)


def test_one_file_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    """Too large, or not to be opened: it is named, the rest goes on."""
    put(tmp_path, "a.csv", "x", AT)
    with (tmp_path / "b.csv").open("wb") as stream:
        stream.truncate((64 << 20) + 1)
    (tmp_path / "c.csv").symlink_to(tmp_path / "gone.csv")
    found = list(arrivals(str(tmp_path), LONG_AGO))
    reasons = {one.url[-5:]: one.reason for one in found if isinstance(one, Unreadable)}
    assert "larger than 64 MB" in reasons["b.csv"]
    assert 1 == sum(isinstance(one, Arrival) for one in found)
