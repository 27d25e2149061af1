"""What an attachment may be: the receiver's limits, legibility, and how much work a file is worth.

Sizes are bytes, sides are pixels. All of it is values: a caller with another receiver makes others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CONTENT_TYPES: Final = {
    "7z": "application/x-7z-compressed",
    "bmp": "image/bmp",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "eml": "message/rfc822",
    "gif": "image/gif",
    "jpg": "image/jpeg",
    "msg": "application/vnd.ms-outlook",
    "odf": "application/vnd.oasis.opendocument.formula",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rar": "application/vnd.rar",
    "rtf": "application/rtf",
    "tif": "image/tiff",
    "txt": "text/plain",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
"""Extension -> content type of what Xero accepts and Daybook can tell by its content."""

PRODUCED: Final = frozenset({"jpg", "png", "pdf"})


@dataclass(frozen=True, slots=True)
class FitLimits:
    """What the receiver takes: every upload has fewer than `bytes_max` bytes.

    The defaults satisfy Aspire (below 3 MB, 10 files) and therefore Xero (10 MB, 10 files).
    Raises ValueError when no receipt could ever satisfy them.
    """

    bytes_max: int = 3_000_000
    count_max: int = 10
    name_chars_max: int = 100
    extensions: frozenset[str] = frozenset(CONTENT_TYPES)

    def __post_init__(self) -> None:
        """Refuse limits under which nothing can be made to fit."""
        if self.bytes_max < 50_000 or self.count_max < 1 or self.name_chars_max < 20:  # noqa: PLR2004 - the sentence says them
            raise ValueError(
                "Attachment limits are too small: allow at least 50,000 bytes, 1 file and names of"
                " 20 characters."
            )
        if not self.extensions >= PRODUCED or not self.extensions <= CONTENT_TYPES.keys():
            raise ValueError(
                "The attachment types must include jpg, png and pdf, and be among "
                f"{', '.join(sorted(CONTENT_TYPES))}."
            )

    def takes(self, byte_count: int) -> bool:
        """Whether a file of this size may be uploaded."""
        return 0 < byte_count < self.bytes_max


@dataclass(frozen=True, slots=True)
class Legibility:
    """How far a picture may be reduced; below that it is refused rather than blurred.

    A page-shaped picture keeps 1240 pixels on its short side: A4 at 150 dots per inch, where the
    x-height of 8 point print is 8 pixels or more. A strip (longer than `strip_ratio` times its
    width) is a till receipt: 800 pixels across 80 mm are 250 dots per inch. Pages inside a PDF keep
    150 dots per inch. A JPEG never goes below quality 45.
    A picture that came smaller than that keeps every pixel it has.
    """

    page_pixels_min: int = 1240
    strip_pixels_min: int = 800
    strip_ratio_min: float = 2.5
    quality_min: int = 45
    page_dots_per_inch_min: int = 150
    side_pixels_min: int = 16

    def short_side_min(self, width: int, height: int) -> int:
        """The shortest side, in pixels, that a picture of these proportions may be scaled to."""
        short, long = sorted((width, height))
        is_strip = long > short * self.strip_ratio_min
        return min(short, self.strip_pixels_min if is_strip else self.page_pixels_min)


@dataclass(frozen=True, slots=True)
class SafetyLimits:
    """What one untrusted file may cost; a file that needs more is refused, and nothing else is."""

    source_bytes_max: int = 100_000_000
    source_pixels_max: int = 200_000_000
    decoded_pixels_max: int = 50_000_000
    pages_max: int = 300
    inflated_bytes_max: int = 1_000_000_000
    memory_bytes_max: int = 1_300_000_000
    cpu_seconds_max: int = 30
    wall_seconds_max: int = 60
    files_max: int = 300
