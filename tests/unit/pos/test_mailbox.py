"""Mails saved as files."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
from email.message import EmailMessage

import pytest

from daybook.errors import InputError
from daybook.pos.mailbox import Attachment, read_mail


def mail(name: str = "report.csv", date: str | None = "Sun, 03 May 2026 00:10:00 +0800") -> bytes:
    """A mail with one attachment."""
    message = EmailMessage()
    message["From"] = "Qashier <noreply@example.com>"
    if date:
        message["Date"] = date
    message.set_content("See attachment.")
    message.add_attachment(b"a,b\n", maintype="text", subtype="csv", filename=name)
    return message.as_bytes()


def test_attachments_and_the_date_are_read() -> None:
    """The date in UTC; the text of the mail is no attachment."""
    read = read_mail(mail())
    assert dt.datetime(2026, 5, 2, 16, 10, tzinfo=dt.UTC) == read.sent_at
    assert (Attachment("report.csv", b"a,b\n"),) == read.attachments


def test_a_forwarded_mail_is_looked_into() -> None:
    """Somebody sent the report on."""
    outer = EmailMessage()
    inner = EmailMessage()
    inner.add_attachment(b"x", maintype="text", subtype="csv", filename="inner.csv")
    outer.set_content("fyi")
    outer.add_attachment(inner)
    assert ["inner.csv"] == [one.name for one in read_mail(outer.as_bytes()).attachments]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../../etc/report.csv", "report.csv"),
        ("C:\\temp\\report.csv", "report.csv"),
        ("re\u202eport\u0007.csv", "re?port?.csv"),
        ("x" * 300 + ".csv", "x" * 76 + ".csv"),
    ],
)
def test_names_of_attachments_are_only_shown(given: str, shown: str) -> None:
    """Never a path, never control characters, never endless."""
    assert [shown] == [one.name for one in read_mail(mail(given)).attachments]


@pytest.mark.parametrize("date", [None, "soon", "Sun, 03 May 2026 00:10:00", "Fri, 99 Foo 2026"])
def test_a_date_that_is_no_instant_is_none(date: str | None) -> None:
    """Without its zone a time says little."""
    assert read_mail(mail(date=date)).sent_at is None


def test_endless_parts_are_refused() -> None:
    """A report is one attachment."""
    message = EmailMessage()
    for number in range(210):
        message.add_attachment(b"x", maintype="text", subtype="csv", filename=f"{number}.csv")
    with pytest.raises(InputError, match="more than 200 parts"):
        read_mail(message.as_bytes())


def test_a_mail_nested_without_end_is_a_sentence() -> None:
    """The parser gives up before the program does."""
    content = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)
    )
    with pytest.raises(InputError, match="RecursionError"):
        read_mail(content)


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"\xff\xfe" * 500, b"Date: \n\n"])
def test_what_is_hardly_a_mail_has_no_attachments(content: bytes) -> None:
    """Not a crash."""
    assert () == read_mail(content).attachments


def test_a_mail_with_odd_headers_is_read_or_refused() -> None:
    """Bytes of a header's syntax in any place: attachments or one sentence, never a crash."""
    content = mail()
    odd = random.Random(7)  # noqa: S311 - the same mails each time
    names: list[str] = []
    for _ in range(300):
        broken = bytearray(content)
        for _ in range(odd.randrange(1, 8)):
            place = odd.randrange(len(broken))
            broken[place : place + odd.randrange(3)] = odd.choice(
                [
                    b"=?",
                    b"?=",
                    b'"',
                    b"\n ",
                    b";",
                    b"*0*=",
                    b"charset=",
                    b"\xff",
                    b"(",
                    b"<",
                    b"=?x?b?",
                    b"\0",
                ]
            )
        with contextlib.suppress(InputError):
            names += [one.name for one in read_mail(bytes(broken)).attachments]
    assert 50 < len(names)
    assert all(name.isprintable() and len(name) <= 80 for name in names)


def test_a_mail_cut_anywhere_does_not_crash() -> None:
    """A torn attachment is torn text; whoever reads that says so."""
    content = mail()
    for end in range(0, len(content), 13):
        assert len(read_mail(content[:end]).attachments) <= 1
