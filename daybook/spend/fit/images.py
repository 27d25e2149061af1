"""Pictures: opened within bounds, turned upright, flattened, and encoded so that they fit.

What leaves is a JPEG or a PNG without metadata, or a PDF when the picture has several pages.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import TYPE_CHECKING, Final

import pillow_heif
from PIL import Image, ImageOps

from daybook.expenses.attachment_verdicts import Change, RefusalCode
from daybook.spend.fit.image_chunks import bare_jpeg, bare_png
from daybook.spend.fit.image_encoding import encoded_below
from daybook.spend.fit.verdict import CannotFit, FittedPart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daybook.spend.fit.verdict import Bounds

_DECODERS: Final = {
    "jpg": "JPEG",
    "png": "PNG",
    "gif": "GIF",
    "bmp": "BMP",
    "tif": "TIFF",
    "webp": "WEBP",
    "heic": "HEIF",
    "avif": "AVIF",
}
_ORIENTATION: Final = 0x0112
# A JPEG this many times its budget is decoded at a half, a quarter or an eighth at once: its sides
# have to shrink anyway, and that is three times as fast as decoding all of it.
_REDUCE_FROM_RATIO: Final = 1.5
_BITS_OF_SIXTEEN: Final = 1 / 256

Image.MAX_IMAGE_PIXELS = None  # _check_size refuses with a reason before anything is decoded
pillow_heif.options.DECODE_THREADS = 1
pillow_heif.options.THUMBNAILS = False
pillow_heif.register_heif_opener()


def fit_picture(content: bytes, kind: str, bounds: Bounds) -> FittedPart:
    """One picture as JPEG or PNG below the budget; raises CannotFit."""
    if kind in {"jpg", "png"} and len(content) < bounds.budget:
        unchanged = _kept(content, kind, bounds)
        if unchanged is not None:
            return unchanged
    with _opened(content, kind, bounds) as image:
        size = image.size
        if (
            len(content) > bounds.budget * _REDUCE_FROM_RATIO
            or image.width * image.height > bounds.safety.decoded_pixels_max
        ):
            reduce_decoding(image, bounds)
        changes = [] if kind in {"jpg", "png"} else [Change.CONVERTED]
        if getattr(image, "is_animated", False) and kind != "jpg":
            changes.append(Change.FIRST_FRAME)
        picture, is_turned = upright(image, bounds)
        if is_turned:
            changes.append(Change.TURNED)
        encoded = encoded_below(
            picture,
            bounds.budget,
            bounds.legibility,
            is_photo=kind in {"jpg", "heic", "avif"},
            source_size=size if not is_turned else (size[1], size[0]),
        )
    if encoded is None:
        raise CannotFit(RefusalCode.ILLEGIBLE_IF_SMALLER)
    return FittedPart(encoded.extension, encoded.content, (*changes, *encoded.changes))


def page_count(content: bytes, kind: str, bounds: Bounds) -> int:
    """How many pages a picture file has: more than one only in TIFF; raises CannotFit."""
    if kind != "tif":
        return 1
    with _opened(content, kind, bounds) as image:
        count = getattr(image, "n_frames", 1)
    if count > bounds.safety.pages_max:
        raise CannotFit(RefusalCode.TOO_MANY_PAGES)
    return int(count)


def pages(content: bytes, count: int, bounds: Bounds) -> Iterator[Image.Image]:
    """Every page of a TIFF, upright and flat; raises CannotFit."""
    with _opened(content, "tif", bounds) as image:
        for number in range(count):
            with _reading():
                image.seek(number)
            _check_size(image, bounds)
            yield upright(image, bounds)[0]


def upright(image: Image.Image, bounds: Bounds) -> tuple[Image.Image, bool]:
    """The decoded picture in mode 1, L, P or RGB on white, and whether it had to be turned."""
    if image.width * image.height > bounds.safety.decoded_pixels_max:
        raise CannotFit(RefusalCode.TOO_MANY_PIXELS)
    with _reading():
        image.load()
        if not _is_turned(image):
            return _flat(image), False
        turned = ImageOps.exif_transpose(image)
        assert turned is not None
        return _flat(turned), True


def _kept(content: bytes, kind: str, bounds: Bounds) -> FittedPart | None:
    """The file with its picture untouched, or None when it has to be drawn anew."""
    try:
        bare = bare_jpeg(content) if kind == "jpg" else bare_png(content)
    except ValueError:
        return None
    with _opened(content, kind, bounds) as image:
        if getattr(image, "is_animated", False) or _is_turned(image) or image.mode == "CMYK":
            return None
        if kind == "jpg":
            # All of the file is read and checked; only fewer pixels are made of it.
            image.draft("L", (image.width // 8, image.height // 8))
        elif image.width * image.height > bounds.safety.decoded_pixels_max:
            raise CannotFit(RefusalCode.TOO_MANY_PIXELS)
        with _reading():
            image.load()
    return FittedPart(kind, bare, () if bare == content else (Change.METADATA_REMOVED,))


def _is_turned(image: Image.Image) -> bool:
    with _reading():
        return image.getexif().get(_ORIENTATION, 1) in range(2, 9)


def _opened(content: bytes, kind: str, bounds: Bounds) -> Image.Image:
    """The picture by its own decoder and no other, its size checked before anything is decoded."""
    with _reading():
        image = Image.open(io.BytesIO(content), formats=[_DECODERS[kind]])
    _check_size(image, bounds)
    return image


def _check_size(image: Image.Image, bounds: Bounds) -> None:
    # Only the JPEG decoder can make a small picture without making the large one first.
    pixels_max = bounds.safety.decoded_pixels_max
    if image.format in {"JPEG", "MPO"}:
        pixels_max = bounds.safety.source_pixels_max
    if image.width * image.height > pixels_max:
        raise CannotFit(RefusalCode.TOO_MANY_PIXELS)
    if min(image.size) < bounds.legibility.side_pixels_min:
        raise CannotFit(RefusalCode.TOO_SMALL_TO_READ)


def reduce_decoding(image: Image.Image, bounds: Bounds) -> None:
    """Ask the JPEG decoder for the smallest half, quarter or eighth that is still legible."""
    short_min = bounds.legibility.short_side_min(*image.size)
    for divisor in (8, 4, 2):
        if min(image.size) // divisor >= short_min:
            image.draft(None, (image.width // divisor, image.height // divisor))
            return


def _flat(image: Image.Image) -> Image.Image:
    """One of the modes 1, L, P (opaque) and RGB; what shines through becomes white."""
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value * _BITS_OF_SIXTEEN).convert("L")
    if image.mode in {"I", "F"}:
        return _levelled(image)
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(clear, mask=clear.getchannel("A"))
        return white
    return image if image.mode in {"1", "L", "P", "RGB"} else image.convert("RGB")


def _levelled(image: Image.Image) -> Image.Image:
    """Numbers of any range as 256 greys, darkest to brightest."""
    low, high = image.convert("F").getextrema()
    assert isinstance(low, float)
    assert isinstance(high, float)
    spread = (high - low) or 1.0
    return (
        image.convert("F")
        .point(lambda value: value * (255 / spread) - low * 255 / spread)
        .convert("L")
    )


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    """Turn whatever a decoder raises about the file into CannotFit; its warnings are not shown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (MemoryError, CannotFit):
        raise
    except Exception as error:  # decoders of nine formats raise nearly every class there is
        raise CannotFit(RefusalCode.BROKEN) from error
