"""Two hundred odd files, always the same: what people and attackers attach to an expense.

Each says what has to become of it: `fits`, `refused` (with which codes), or either (damage that
may or may not touch what matters). A picture comes with what its upload has to show.
"""

from __future__ import annotations

import io
import itertools
import random
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pikepdf
from odd_pdfs import odd_pdfs
from odd_pictures import drawn, encoded, odd_pictures, photo, png_claiming

from daybook.expenses.attachment_verdicts import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

SEED = 5
_PICTURE_KINDS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "HEIF", "AVIF")
_EXTENSIONS = {"JPEG": "jpg", "TIFF": "tif", "HEIF": "heic"}


@dataclass(frozen=True)
class OddFile:
    """One file; `codes` are the refusals allowed, `may_fit` whether an upload is allowed."""

    name: str
    content: bytes
    may_fit: bool = True
    codes: frozenset[RefusalCode] = frozenset()
    shows: Image.Image | None = None


def odd_files() -> list[OddFile]:
    """All of them; about a second of work."""
    random_source = random.Random(SEED)  # noqa: S311 - files, not secrets
    return [
        *(OddFile(name, content, shows=shown) for name, content, shown in odd_pictures()),
        *_refused(),
        *_pdfs(),
        *_misnamed(),
        *_named_oddly(),
        *_documents(),
        *_damaged(random_source),
        *_noise(random_source),
    ]


def extension(kind: str) -> str:
    """The usual extension of one of Pillow's formats."""
    return _EXTENSIONS.get(kind, kind.lower())


def _refuse(name: str, content: bytes, *codes: RefusalCode) -> OddFile:
    return OddFile(name, content, may_fit=False, codes=frozenset(codes))


def _refused() -> Iterator[OddFile]:
    """Pictures that cannot be attached, each with the one right reason."""
    for kind in ("jpg", "png", "pdf", "heic", "txt", "docx", ""):
        yield _refuse(f"nothing.{kind}", b"", RefusalCode.EMPTY)
    for width, height in ((1, 1), (2, 2), (30_000, 10), (10, 30_000), (400, 15)):
        picture = drawn(width, height)
        for kind in ("JPEG", "PNG"):
            content = encoded(picture, kind)
            name = f"{width}x{height}.{extension(kind)}"
            yield _refuse(name, content, RefusalCode.TOO_SMALL_TO_READ)
    for side in (10_000, 60_000, 2_000_000_000):
        content = png_claiming(side)
        # Pillow itself refuses the most absurd ones before their size can be asked for.
        yield _refuse(f"bomb-{side}.png", content, RefusalCode.TOO_MANY_PIXELS, RefusalCode.BROKEN)
    jpeg = bytearray(encoded(drawn(100, 100), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = b"\xff\xff\xff\xff"
    yield _refuse("bomb.jpg", bytes(jpeg), RefusalCode.TOO_MANY_PIXELS)
    gif = bytearray(encoded(drawn(100, 100), "GIF"))
    gif[6:10] = b"\xff\xff\xff\xff"
    yield _refuse("bomb.gif", bytes(gif), RefusalCode.TOO_MANY_PIXELS, RefusalCode.BROKEN)
    for name, content in (
        ("page.jpg", b"<html><script>alert(1)</script></html>"),
        ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("setup.png", b"MZ" + bytes(500)),
        ("receipt.lnk", b"L\0\0\0\x01\x14\x02\0" + bytes(100)),
        ("clip.mp4", b"\0\0\0\x18ftypmp42" + bytes(100)),
        ("control.txt", b"\x1b]0;owned\x07\x1b[2J"),
        ("old.doc.png", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
    ):
        yield _refuse(name, content, RefusalCode.UNKNOWN_TYPE)


def _pdfs() -> Iterator[OddFile]:
    for name, content, code in odd_pdfs():
        if code is None:
            yield OddFile(name, content)
        else:
            yield _refuse(name, content, code)


def _misnamed() -> Iterator[OddFile]:
    """Every kind of picture under the extension of the next."""
    for number, (kind, other) in enumerate(
        zip(_PICTURE_KINDS, (*_PICTURE_KINDS[1:], "PDF"), strict=True)
    ):
        picture = drawn(301 + number, 200)
        yield OddFile(f"misnamed.{extension(other)}", encoded(picture, kind), shows=picture)
        yield OddFile(f"unnamed-{number}", encoded(drawn(311 + number, 200), kind))


def _named_oddly() -> Iterator[OddFile]:
    """Names with tricks; every picture has a size of its own, so that none is a duplicate."""
    names = (
        "../../../etc/passwd.png", "..\\..\\windows\\win.ini.png", "/etc/shadow.png", "C:\\a.png",
        "caf\u00e9 \u6536\u636e.png", "\u6536\u636e.png", "receipt\0.png", "a\nb.png", "..png",
        ".", "..", "", " ", "-rf.png", "%2e%2e%2f.png", "a+b&c,d#e?f.png", "con.png", "NUL.png",
        "x" * 300 + ".png", "gpj.\u202egnp.png", 'a/b\\c:d*e?f"g<h>i|j.png', "same.png",
        "SAME.PNG", "a.exe.png", "a.png.exe", "~$a.png", ".hidden.png", "emoji \U0001f9fe.png",
        "name with  spaces .png", "trailing. .png", "[brackets](1).png",
    )  # fmt: skip
    for number, name in enumerate(names):
        picture = drawn(200 + number, 150)
        yield OddFile(name, encoded(picture, "PNG"), shows=picture)


def _documents() -> Iterator[OddFile]:
    """What is neither a picture nor a PDF."""
    for byte_count in (2_999_999, 3_000_000, 3_000_001):
        content = (b"2026-03-14;Kopi;3.20\n" * 150_000)[:byte_count]
        if byte_count < 3_000_000:
            yield OddFile("list.csv", content)
        else:
            yield _refuse("list.csv", content, RefusalCode.CANNOT_SHRINK)
    yield OddFile("note.txt", "Taxi, 14 March, \u20ac12".encode())
    yield OddFile("note.txt", "Taxi, 15 March".encode("utf-16"))
    yield OddFile("mail.eml", b"From: a@example.com\r\nSubject: receipt\r\n\r\nThanks")
    yield OddFile("letter.rtf", b"{\\rtf1 Taxi}")
    yield OddFile("letter.docx", _zipped("[Content_Types].xml", "word/document.xml"))
    yield OddFile("renamed.zip", _zipped("[Content_Types].xml", "xl/workbook.xml"))
    yield OddFile("receipts.zip", _zipped("a.txt"))
    macros = _zipped("[Content_Types].xml", "word/vbaProject.bin")
    yield _refuse("letter.docx", macros, RefusalCode.HAS_MACROS)
    locked = bytearray(_zipped("a.txt"))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    yield _refuse("locked.zip", bytes(locked), RefusalCode.PASSWORD)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("xl/sheet.xml", bytes(50_000_000))
    claims = bytearray(bomb.getvalue())
    at = claims.rindex(b"PK\x01\x02") + 24
    claims[at : at + 4] = (4_000_000_000).to_bytes(4, "little")
    yield _refuse("bomb.xlsx", bytes(claims), RefusalCode.BOMB)


def _zipped(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "<x/>")
    return target.getvalue()


def _damaged(random_source: random.Random) -> Iterator[OddFile]:
    """Everything cut off, and everything with bytes overwritten."""
    whole = {extension(kind): encoded(photo(500, 400), kind) for kind in _PICTURE_KINDS}
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        target = io.BytesIO()
        pdf.save(target)
    whole["pdf"] = target.getvalue()
    whole["docx"] = _zipped("[Content_Types].xml", "word/document.xml")
    codes = frozenset(RefusalCode) - {RefusalCode.WORKER_DIED, RefusalCode.TOO_LONG}
    for kind, content in whole.items():
        for share in (0.05, 0.5, 0.9):
            cut = content[: int(len(content) * share)]
            # Nothing that lost so much may be attached as if it were whole.
            yield OddFile(f"cut-{share}.{kind}", cut, may_fit=False, codes=codes)
        yield OddFile(f"cut-1-byte.{kind}", content[:-1], codes=codes)
        for number, count in enumerate((1, 20, 200)):
            wrong = bytearray(content)
            for _ in range(count):
                wrong[random_source.randrange(len(wrong))] = random_source.randrange(256)
            yield OddFile(f"wrong-{number}.{kind}", bytes(wrong), codes=codes)


def _noise(random_source: random.Random) -> Iterator[OddFile]:
    """Random bytes, alone and after the first bytes of something."""
    heads = (b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM\0\0\0\0\0\0\0\0",
             b"II*\0", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypheic", b"%PDF-1.7\n", b"PK\x03\x04",
             b"\0\0\0\x18ftypavif")  # fmt: skip
    codes = frozenset({RefusalCode.BROKEN, RefusalCode.UNKNOWN_TYPE, RefusalCode.TOO_MANY_PIXELS,
                       RefusalCode.TOO_SMALL_TO_READ})  # fmt: skip
    for head, kind in itertools.product(heads, ("jpg", "pdf")):
        content = head + random_source.randbytes(3_000)
        yield OddFile(f"noise.{kind}", content, may_fit=False, codes=codes)
    packed = head + zlib.compress(bytes(10_000_000))
    yield OddFile("packed.png", packed, may_fit=False, codes=codes)
