"""JPEG and PNG files without what nobody sees: comments, places, thumbnails, attached archives.

Only the envelope is rewritten; the picture keeps every bit. Both functions raise ValueError when
the envelope is not one.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_APP0, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE2, 0xEE, 0xEF, 0xFE
# Inside a scan FF 00 is data and FF D0..D7 are restart marks; anything else ends it.
_END_OF_SCAN: Final = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_SEGMENTS_MAX: Final = 10_000
_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"sBIT"}
)


def bare_jpeg(content: bytes) -> bytes:
    """The JPEG with only what its decoder needs, cut off after its end mark."""
    kept = [b"\xff\xd8"]
    at = 2
    for _ in range(_SEGMENTS_MAX):
        # Any number of FF may stand before a marker.
        while content[at : at + 2] == b"\xff\xff":
            at += 1
        if content[at : at + 1] != b"\xff" or at + 1 >= len(content):
            raise ValueError("no marker where one must be")
        marker = content[at + 1]
        if marker == _END_OF_IMAGE:
            return b"".join([*kept, b"\xff\xd9"])
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN:
            found = _END_OF_SCAN.search(content, end)
            if found is None:
                raise ValueError("the last scan does not end")
            end = found.start()
        if end > len(content) or end < at + 4:
            raise ValueError("a segment ends after the file")
        if _is_needed(marker, content[at + 4 : at + 20]):
            kept.append(content[at:end])
        at = end
    raise ValueError("too many segments")


def _is_needed(marker: int, begin: bytes) -> bool:
    """Whether decoding changes without it: colour transform and profile, yes; the rest, no."""
    if marker == _APP0:
        return begin.startswith(b"JFIF\0")
    if marker == _APP2:
        return begin.startswith(b"ICC_PROFILE\0")
    if marker == _APP14:
        return begin.startswith(b"Adobe")
    return not (_APP0 <= marker <= _APP15 or marker == _COMMENT)


def bare_png(content: bytes) -> bytes:
    """The PNG with only the chunks that make its picture, cut off after its end chunk."""
    if not content.startswith(_PNG_HEAD):
        raise ValueError("not a PNG")
    kept = [_PNG_HEAD]
    for kind, whole in _png_chunks(content):
        if kind in _PNG_KEPT:
            kept.append(whole)
        if kind == b"IEND":
            return b"".join(kept)
    raise ValueError("the end chunk is missing")


def png_data(content: bytes) -> bytes:
    """The compressed rows of a PNG, as a PDF can hold them."""
    return b"".join(whole[8:-4] for kind, whole in _png_chunks(content) if kind == b"IDAT")


def _png_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Every chunk up to the end chunk as (kind, all its bytes)."""
    chunks = []
    at = len(_PNG_HEAD)
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        kind, whole = content[at + 4 : at + 8], content[at:end]
        if end > len(content) or zlib.crc32(whole[4:-4]) != int.from_bytes(whole[-4:], "big"):
            raise ValueError("a chunk is damaged")
        chunks.append((kind, whole))
        if kind == b"IEND":
            break
        at = end
    return chunks
