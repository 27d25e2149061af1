"""A decoded picture as a JPEG or PNG below a budget, in few tries, never below legibility.

The tries go down a ladder of (scale, quality), best first. How large each rung would become is
told from the last try: bytes go with pixels, and with quality as in `_RELATIVE_BYTES`. Rungs that
cannot fit are skipped, so that most pictures need one try and the worst six.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from PIL import Image

from daybook.expenses.attachment_verdicts import Change

if TYPE_CHECKING:
    from daybook.expenses.attachment_limits import Legibility

# Sizes of one picture at these qualities, relative to 85; measured on photographs of receipts.
_RELATIVE_BYTES: Final = {
    90: 1.30,
    85: 1.0,
    80: 0.84,
    75: 0.73,
    70: 0.65,
    60: 0.54,
    50: 0.46,
    45: 0.43,
}
_TRIES_MAX: Final = 7
_AIM: Final = 0.96
_SCALES: Final = (1.0, 0.85, 0.72, 0.6, 0.5, 0.42, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1)
_JPEG_SIDE_MAX: Final = 65_000
_PNG_PIXELS_MAX: Final = 8_000_000
_DRAWN_COLOURS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded picture and what was lost on the way."""

    extension: str
    content: bytes = field(repr=False)
    changes: tuple[Change, ...]


def encoded_below(
    picture: Image.Image,
    budget: int,
    legibility: Legibility,
    *,
    is_photo: bool,
    source_size: tuple[int, int],
) -> Encoded | None:
    """The best JPEG or PNG with fewer bytes than the budget; None when it would not be legible.

    `source_size` is the upright size before any reduction by the decoder.
    """
    if not is_photo:
        drawn = _as_png(picture, budget)
        if drawn is not None:
            return drawn
    colours = picture if picture.mode in {"L", "RGB"} else picture.convert(_jpeg_mode(picture))
    found = _down_the_ladder(colours, budget, legibility, is_photo=is_photo)
    grey: tuple[Change, ...] = ()
    if found is None and colours.mode == "RGB":
        found, grey = (
            _down_the_ladder(colours.convert("L"), budget, legibility, is_photo=True),
            (Change.GREYED,),
        )
    if found is None:
        return None
    content, size = found
    scaled = (Change.SCALED,) if size != source_size else ()
    return Encoded("jpg", content, (Change.RECOMPRESSED, *scaled, *grey))


def smallest_legible(
    picture: Image.Image, legibility: Legibility, *, source_size: tuple[int, int]
) -> Encoded:
    """The picture on the last rung, whatever its size."""
    colours = picture if picture.mode in {"L", "RGB"} else picture.convert(_jpeg_mode(picture))
    scale, quality = _rungs(colours.size, legibility, is_photo=True)[-1]
    size = _scaled_size(colours.size, scale)
    content = _jpeg(_resized(colours, size), quality, is_photo=True)
    scaled = (Change.SCALED,) if size != source_size else ()
    return Encoded("jpg", content, (Change.RECOMPRESSED, *scaled))


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if size == picture.size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _jpeg_mode(picture: Image.Image) -> str:
    return "L" if picture.mode == "1" else "RGB"


def _as_png(picture: Image.Image, budget: int) -> Encoded | None:
    """Drawn things (screens, faxes, tickets of few colours) lose nothing as PNG."""
    if picture.width * picture.height > _PNG_PIXELS_MAX:
        return None
    if picture.mode == "RGB" and picture.getcolors(_DRAWN_COLOURS_MAX) is None:
        return None
    target = io.BytesIO()
    picture.info = {}
    picture.save(target, "PNG")
    return Encoded("png", target.getvalue(), ()) if target.tell() < budget else None


def _down_the_ladder(
    picture: Image.Image, budget: int, legibility: Legibility, *, is_photo: bool
) -> tuple[bytes, tuple[int, int]] | None:
    """The first rung that fits, as (bytes, size)."""
    rungs = _rungs(picture.size, legibility, is_photo=is_photo)
    at = 0
    for _ in range(_TRIES_MAX):
        scale, quality = rungs[at]
        size = _scaled_size(picture.size, scale)
        content = _jpeg(_resized(picture, size), quality, is_photo=is_photo)
        if len(content) < budget:
            return content, size
        bytes_at_full = len(content) / (scale * scale * _RELATIVE_BYTES[quality])
        later = _next_rung(rungs, at, budget * _AIM / bytes_at_full)
        if later is None:
            return None
        at = later
    return None


def _next_rung(rungs: list[tuple[float, int]], at: int, share: float) -> int | None:
    """The first later rung that should fit; the last one when none should; None after the last."""
    if at == len(rungs) - 1:
        return None
    for later in range(at + 1, len(rungs)):
        scale, quality = rungs[later]
        if scale * scale * _RELATIVE_BYTES[quality] <= share:
            return later
    return len(rungs) - 1


def _rungs(
    size: tuple[int, int], legibility: Legibility, *, is_photo: bool
) -> list[tuple[float, int]]:
    """Every legible (scale, quality), best first: quality to 75, then size, then quality."""
    largest = min(1.0, _JPEG_SIDE_MAX / max(size))
    smallest = min(largest, legibility.short_side_min(*size) / min(size))
    scales = [scale * largest for scale in _SCALES if scale * largest > smallest]
    scales = [*scales, smallest] if scales else [largest]
    begin = [85, 80, 75] if is_photo else [90, 85, 80, 75]
    end = [quality for quality in (70, 60, 50, 45) if quality >= legibility.quality_min]
    return [
        *((scales[0], quality) for quality in begin),
        *((scale, 75) for scale in scales[1:]),
        *((scales[-1], quality) for quality in end),
    ]


def _scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _jpeg(picture: Image.Image, quality: int, *, is_photo: bool) -> bytes:
    """Baseline JPEG: the fastest to make, and every reader has it; drawings keep all colour."""
    target = io.BytesIO()
    picture.info = {}
    picture.save(target, "JPEG", quality=quality, subsampling=2 if is_photo else 0)
    return target.getvalue()
