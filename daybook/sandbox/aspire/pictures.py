"""Draws receipts: what stands on them agrees with the payment; the same one is always the same."""

from __future__ import annotations

import io
import random
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from daybook.sandbox.aspire.world import ReceiptFile

_STRIP = (480, 640)
_CAMERA = (2000, 2600)


@lru_cache(maxsize=8)
def content_of(file: ReceiptFile) -> bytes:
    """The file's bytes."""
    if file.content is not None:
        return file.content
    if file.style == "broken":
        return b"%PDF-1.4\n" + file.key.encode()
    if file.style == "large":
        return _large(file)
    picture = _drawn(file)
    stream = io.BytesIO()
    if file.style == "photo":
        picture.save(stream, "JPEG", quality=80)
    else:
        picture.convert("L").save(stream, "PNG")
    return stream.getvalue()


def _drawn(file: ReceiptFile) -> Image.Image:
    picture = Image.new("RGB", _STRIP, "white")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate((*file.lines, file.key)):
        pen.text((40, 60 + 60 * number), line, fill="black", font_size=28)
    return picture


def _large(file: ReceiptFile) -> bytes:
    """Like a photograph from a telephone: noise makes it larger than 3 MB."""
    dice = random.Random(file.key)  # noqa: S311  reproducible on purpose
    noise = Image.frombytes("L", (500, 650), dice.randbytes(500 * 650))
    paper = noise.resize(_CAMERA, Image.Resampling.NEAREST).filter(ImageFilter.BoxBlur(1))
    picture = Image.merge("RGB", [paper.point(lambda value: 150 + value // 3)] * 3)
    picture.paste(_drawn(file).resize((1440, 1920)), (280, 340))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=97)
    return stream.getvalue()
