"""Pictures of every mode, turn and envelope, each with what its upload has to show."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import TYPE_CHECKING

import pillow_heif
from PIL import ExifTags, Image, ImageChops, ImageDraw, ImageFont, ImageOps
from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

pillow_heif.register_heif_opener()

Picture = tuple[str, bytes, Image.Image | None]


def drawn(width: int, height: int) -> Image.Image:
    """Few colours: a frame, a wedge in one corner and an amount."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width - 1, height - 1), outline="navy", width=2)
    draw.polygon(((0, 0), (width // 2, 0), (0, height // 2)), fill="darkred")
    draw.text((width // 2, height // 2), "12.30", fill="black")
    return picture


def photo(width: int, height: int, *, noise: int = 20) -> Image.Image:
    """Something like a photograph: uneven light, grain, print, one dark corner."""
    light = _grain(width // 40 + 2, height // 40 + 2, 40).resize((width, height))
    grey = ImageChops.add(light, _grain(width, height, noise), 2, 40)
    picture = Image.merge(
        "RGB", (grey, grey.point(lambda v: v * 0.95), grey.point(lambda v: v * 0.9))
    )
    draw = ImageDraw.Draw(picture)
    draw.polygon(((0, 0), (width // 2, 0), (0, height // 2)), fill=(30, 20, 20))
    font = ImageFont.load_default(max(10, height // 20))
    draw.text((width // 4, height * 3 // 4), "TOTAL 12.30", fill=(10, 10, 10), font=font)
    return picture


def _grain(width: int, height: int, spread: int) -> Image.Image:
    """Greys around the middle, always the same for one size."""
    source = random.Random(width * height)  # noqa: S311 - a picture, not a secret
    grain = Image.frombytes("L", (width, height), source.randbytes(width * height))
    return grain.point(lambda value: 128 + (value - 128) * spread / 128)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file of one of Pillow's formats."""
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    """Metadata with a turn and a place."""
    found = Image.Exif()
    found[ExifTags.Base.Orientation] = orientation
    found[ExifTags.Base.Make] = "Telephone"
    found.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: (1.0, 17.0, 24.0), 3: "E", 4: (103.0, 51.0, 0.0)}
    )
    return found


def png_claiming(side: int) -> bytes:
    """A PNG of some hundred bytes that says it has side x side pixels."""
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    )


def odd_pictures() -> Iterator[Picture]:
    """All that have to be attached."""
    yield from _modes()
    yield from _turned()
    yield from _envelopes()
    yield from _animations()
    yield from _large()
    yield from _strips()


def _modes() -> Iterator[Picture]:
    picture = drawn(320, 240)
    for mode in ("1", "L", "P"):
        changed = picture.convert(mode)
        for kind in ("PNG", "TIFF", "GIF", "BMP"):
            yield f"mode-{mode}.{kind.lower()}", encoded(changed, kind), changed.convert("RGB")
    clear = picture.convert("RGBA")
    clear.putalpha(Image.new("L", clear.size, 255))
    for kind in ("PNG", "WEBP", "TIFF"):
        yield f"mode-RGBA.{kind.lower()}", encoded(clear, kind), picture
    hole = picture.convert("RGBA")
    hole.paste((0, 0, 0, 0), (160, 0, 320, 60))
    white = picture.copy()
    white.paste("white", (160, 0, 320, 60))
    yield "mode-hole.png", encoded(hole, "PNG"), None
    yield "mode-hole.webp", encoded(hole, "WEBP", lossless=True), white
    yield "mode-LA.png", encoded(clear.convert("LA"), "PNG"), picture.convert("L").convert("RGB")
    for kind in ("JPEG", "TIFF"):
        yield f"mode-CMYK.{kind.lower()}", encoded(picture.convert("CMYK"), kind), picture
    grey = picture.convert("L")
    deep = grey.convert("I").point(lambda v: v * 257).convert("I;16")
    for kind in ("PNG", "TIFF"):
        yield f"mode-16-bit.{kind.lower()}", encoded(deep, kind), grey.convert("RGB")
    yield "mode-float.tiff", encoded(grey.convert("F"), "TIFF"), grey.convert("RGB")
    yield "progressive.jpg", encoded(picture, "JPEG", progressive=True), picture
    yield "grey.jpg", encoded(grey, "JPEG"), grey.convert("RGB")
    for compression in ("tiff_lzw", "group4", "jpeg", "tiff_adobe_deflate"):
        kept = picture.convert("1") if compression == "group4" else picture
        content = encoded(kept, "TIFF", compression=compression)
        yield f"{compression}.tif", content, kept.convert("RGB")


def _turned() -> Iterator[Picture]:
    for orientation in range(2, 9):
        picture = drawn(330, 220 + orientation)
        content = encoded(picture, "JPEG", exif=exif(orientation), quality=90)
        with Image.open(io.BytesIO(content)) as image:
            shown = ImageOps.exif_transpose(image)
            assert shown is not None
            yield f"turned-{orientation}.jpg", content, shown.convert("RGB")


def _envelopes() -> Iterator[Picture]:
    """Things hidden around a picture."""
    picture = drawn(310, 210)
    jpeg, png = encoded(picture, "JPEG", exif=exif()), encoded(picture, "PNG")
    yield "place.jpg", jpeg, picture
    yield (
        "archive-behind.jpg",
        jpeg + b"PK\x03\x04" + bytes(30) + b"PK\x05\x06" + bytes(18),
        picture,
    )
    yield "script-behind.jpg", jpeg + b"<script>alert(1)</script>", picture
    yield "pdf-behind.jpg", jpeg + b"%PDF-1.4\n%%EOF", picture
    yield "comment.jpg", encoded(picture, "JPEG", comment=b"<?php system($_GET[0]); ?>"), picture
    yield "archive-behind.png", png + b"PK\x05\x06" + bytes(18), picture
    words = PngInfo()
    words.add_text("Comment", "<script>alert(1)</script>")
    words.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    yield "words.png", encoded(picture, "PNG", pnginfo=words, exif=exif()), picture
    yield "script.gif", encoded(picture, "GIF", comment=b"*/=1;alert(1);/*"), picture


def _animations() -> Iterator[Picture]:
    first = drawn(260, 180)
    later = ImageOps.invert(first)
    for kind in ("GIF", "WEBP", "PNG"):
        content = encoded(first, kind, save_all=True, append_images=[later])
        yield f"animated.{kind.lower()}", content, first
    yield "pages.tif", encoded(first, "TIFF", save_all=True, append_images=[later]), None


def _large() -> Iterator[Picture]:
    grainy = photo(3000, 2250, noise=60)
    yield "large.jpg", encoded(grainy, "JPEG", quality=97, exif=exif()), grainy
    turned = encoded(grainy, "JPEG", quality=96, exif=exif(6))
    yield "large-turned.jpg", turned, grainy.rotate(-90, expand=True)
    small = grainy.resize((1600, 1200))
    for kind in ("PNG", "BMP", "TIFF"):
        yield f"large.{kind.lower()}", encoded(small, kind), small
    yield "large.webp", encoded(small, "WEBP", quality=95, method=0), small
    flat = Image.new("RGB", (9000, 7000), "white")
    yield "blank-63-megapixels.jpg", encoded(flat, "JPEG"), flat.resize((90, 70))


def _strips() -> Iterator[Picture]:
    strip = photo(1000, 9000, noise=60)
    yield "strip.jpg", encoded(strip, "JPEG", quality=97), strip
    long = drawn(20_000, 40)
    yield "ribbon.png", encoded(long, "PNG"), long
