"""What a file is, by its content."""

from __future__ import annotations

import pytest

from daybook.expenses.attachment_verdicts import RefusalCode
from daybook.spend.fit.sniff import sniff
from daybook.spend.fit.verdict import CannotFit


@pytest.mark.parametrize(
    ("content", "extension", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "png", "jpg"),
        (b"\x89PNG\r\n\x1a\n", "jpg", "png"),
        (b"\0\0\0\x1cftypheic\0\0\0\0mif1heic", "jpg", "heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0miafavif", "", "avif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "", "webp"),
        (b"#!/bin/sh\n%PDF-1.4", "sh", "pdf"),
        (b"BM\0\0\0\0\0\0\0\0", "", "bmp"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls", "xls"),
        (b"a;b\n", "csv", "csv"),
        ("Kopi \u20ac3".encode("utf-16"), "txt", "txt"),
    ],
)
def test_content_decides(content: bytes, extension: str, kind: str) -> None:
    """The name is only believed where content cannot tell."""
    assert kind == sniff(content, extension)


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (b"a;b\n", "pdf"),
        (b"MZ\x90", "jpg"),
        (b"BMW invoice", "bmp"),
        (b"\x1b[2J", "txt"),
        (b" \n ", "txt"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "msi"),
        (b"\0\0\0\x14ftypmp42\0\0\0\0isom", "heic"),
    ],
)
def test_what_is_not_known_is_refused(content: bytes, extension: str) -> None:
    """Text passes only under the name of a text, and only when people can read it."""
    with pytest.raises(CannotFit) as refused:
        sniff(content, extension)
    assert RefusalCode.UNKNOWN_TYPE == refused.value.code
