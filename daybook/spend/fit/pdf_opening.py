"""A PDF opened within bounds and judged: is it whole, how much does it unpack to."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Final

import pikepdf
from PIL import Image, UnidentifiedImageError

from daybook.expenses.attachment_verdicts import RefusalCode
from daybook.spend.fit.verdict import CannotFit

if TYPE_CHECKING:
    from daybook.expenses.attachment_limits import SafetyLimits
    from daybook.spend.fit.verdict import Bounds

# What qpdf and Pillow raise about a file that is not as it should be.
PDF_ERRORS: Final = (
    pikepdf.PdfError,
    pikepdf.ForeignObjectError,
    pikepdf.DependencyError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    NotImplementedError,
    RuntimeError,
    OSError,
    zlib.error,
)
_STREAM_BYTES_MAX: Final = 300_000_000
_FILTERS_MAX: Final = 4
_OBJECTS_MAX: Final = 300_000
_CHUNK_BYTES: Final = 1 << 20
_FLATE: Final = frozenset({"/FlateDecode", "/Fl"})
_DCT: Final = frozenset({"/DCTDecode", "/DCT"})


def limit_parser(safety: SafetyLimits) -> None:
    """Set the process-wide bounds of qpdf; once, before the first file."""
    most = min(_STREAM_BYTES_MAX, safety.inflated_bytes_max)
    pikepdf.settings.set_qpdf_limits(
        parser_max_nesting=100,
        parser_max_container_size=1_000_000,
        max_stream_filters=_FILTERS_MAX,
        doc_max_warnings=1_000,
        flate_max_memory=most,
        png_max_memory=most,
        tiff_max_memory=most,
        run_length_max_memory=most,
        dct_max_memory=most,
    )


def opened(content: bytes, bounds: Bounds) -> tuple[pikepdf.Pdf, bool]:
    """The PDF, and whether it had to be repaired; raises CannotFit when that lost something."""
    try:
        pdf = pikepdf.open(io.BytesIO(content))
        # qpdf forgets its warnings once they are asked for, and has more after reading all.
        is_damaged = bool(pdf.get_warnings())
        _check_size(pdf, bounds)
        _check_streams(pdf, bounds)
        is_damaged = bool(pdf.get_warnings()) or is_damaged
        if is_damaged:
            _check_whole(pdf)
    except pikepdf.PasswordError as error:
        raise CannotFit(RefusalCode.PASSWORD) from error
    except PDF_ERRORS as error:
        raise CannotFit(RefusalCode.BROKEN) from error
    return pdf, is_damaged


def is_pdf_alone(content: bytes) -> bool:
    """Whether the file is a PDF from its first byte to its last, and nothing else besides."""
    tail = content[-1024:].rstrip(b"\0\r\n\t ")
    return (
        content.startswith(b"%PDF-")
        and tail.endswith(b"%%EOF")
        # The end of a zip archive: somebody may open the same bytes as another kind of file.
        and b"PK\x05\x06" not in content[-70_000:]
    )


def _check_size(pdf: pikepdf.Pdf, bounds: Bounds) -> None:
    if len(pdf.objects) > _OBJECTS_MAX:
        raise CannotFit(RefusalCode.BOMB)
    if len(pdf.pages) > bounds.safety.pages_max:
        raise CannotFit(RefusalCode.TOO_MANY_PAGES)
    if bool(pdf.Root.get("/NeedsRendering", False)):
        # The pages are a placeholder ("please wait"); the form is drawn by one vendor's program.
        raise CannotFit(RefusalCode.NEEDS_ITS_PROGRAM)


def _check_whole(pdf: pikepdf.Pdf) -> None:
    """Refuse a repaired file in which something is missing."""
    if int(pdf.Root.Pages.get("/Count", -1)) != len(pdf.pages):
        raise CannotFit(RefusalCode.BROKEN)
    for page in pdf.pages:
        contents = page.obj.get("/Contents")
        parts = contents if isinstance(contents, pikepdf.Array) else [contents]
        for part in parts:
            if not isinstance(part, pikepdf.Stream) or not part.read_bytes().strip():
                raise CannotFit(RefusalCode.BROKEN)


def _check_streams(pdf: pikepdf.Pdf, bounds: Bounds) -> None:
    """Refuse what unpacks to too much; every stream is unpacked once, in pieces."""
    left = bounds.safety.inflated_bytes_max
    for item in pdf.objects:
        if not isinstance(item, pikepdf.Stream):
            continue
        if item.get("/Subtype") == "/Image":
            _check_pixels(item, bounds)
        left -= _unpacked_bytes(item, min(left, _STREAM_BYTES_MAX))


def _check_pixels(picture: pikepdf.Stream, bounds: Bounds) -> None:
    width, height = int(picture.get("/Width", 0)), int(picture.get("/Height", 0))
    if width * height > bounds.safety.source_pixels_max:
        raise CannotFit(RefusalCode.TOO_MANY_PIXELS)


def filters_of(stream: pikepdf.Stream) -> list[str]:
    """The names of a stream's filters, first to undo first."""
    filters = stream.get("/Filter")
    if filters is None:
        return []
    if isinstance(filters, pikepdf.Array):
        return [str(one) for one in filters]
    return [str(filters)]


def _unpacked_bytes(stream: pikepdf.Stream, most: int) -> int:
    """How much a stream unpacks to; raises CannotFit above `most`."""
    filters = filters_of(stream)
    if len(filters) > _FILTERS_MAX:
        raise CannotFit(RefusalCode.BOMB)
    raw = stream.read_raw_bytes()
    if filters and filters[-1] in _DCT:
        # A JPEG packed once more is rare, and looked at only when it has to be made smaller.
        if len(filters) == 1:
            _check_jpeg(raw)
        return len(raw)
    if not filters or not all(one in _FLATE for one in filters):
        # qpdf undoes the other simple filters under the limits set at the start.
        return len(raw)
    return _inflated_bytes(raw, len(filters), most)


def _inflated_bytes(raw: bytes, layers: int, most: int) -> int:
    """The size after undoing so many layers of deflate, without ever holding more than a piece."""
    pieces = [raw[at : at + _CHUNK_BYTES] for at in range(0, len(raw), _CHUNK_BYTES)]
    inflaters = [zlib.decompressobj() for _ in range(layers)]
    total = 0
    stack = [(0, piece) for piece in reversed(pieces)]
    while stack:
        layer, piece = stack.pop()
        if layer == layers:
            total += len(piece)
            if total > most:
                raise CannotFit(RefusalCode.BOMB)
            continue
        inflater = inflaters[layer]
        if inflater.eof:
            continue
        out = inflater.decompress(piece, _CHUNK_BYTES)
        if inflater.unconsumed_tail:
            stack.append((layer, inflater.unconsumed_tail))
        if out:
            stack.append((layer + 1, out))
    return total


def _check_jpeg(content: bytes) -> None:
    """Refuse a picture that no reader could show."""
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
            image.draft(None, (image.width // 8, image.height // 8))
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise CannotFit(RefusalCode.BROKEN) from error
