"""The pictures inside a PDF, encoded anew so that the whole fits; each gets its share."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import pikepdf
from PIL import Image

from daybook.expenses.attachment_verdicts import Change
from daybook.spend.fit.image_encoding import encoded_below, smallest_legible
from daybook.spend.fit.images import reduce_decoding, upright
from daybook.spend.fit.pdf_opening import PDF_ERRORS, filters_of
from daybook.spend.fit.pdf_pages import write_picture
from daybook.spend.fit.verdict import CannotFit

if TYPE_CHECKING:
    from daybook.spend.fit.verdict import Bounds

_WORTH_IT_BYTES: Final = 20_000
_SIMPLE_SPACES: Final = frozenset(
    {"/DeviceRGB", "/DeviceGray", "/DeviceCMYK", "/ICCBased", "/CalRGB", "/CalGray", "/Indexed"}
)


def shrink_pictures(pdf: pikepdf.Pdf, size: int, budget: int, bounds: Bounds) -> set[Change]:
    """Encode every worthwhile picture within its share; returns what was done.

    `size` is what the PDF comes to now. When a picture would not be legible within its share it is
    made as small as legibility allows, and the PDF may stay above the budget.
    """
    pictures = [one for one in pdf.objects if isinstance(one, pikepdf.Stream) and _is_worth_it(one)]
    sizes = [len(one.read_raw_bytes()) for one in pictures]
    rest = size - sum(sizes)
    share = max(0, budget - rest) / max(1, sum(sizes))
    changes: set[Change] = set()
    for picture, byte_count in zip(pictures, sizes, strict=True):
        changes |= _shrunk(picture, int(byte_count * min(share, 1) * 0.97), bounds)
    return changes


def _is_worth_it(stream: pikepdf.Stream) -> bool:
    """A picture of some size whose meaning does not hang on more than its pixels."""
    if stream.get("/Subtype") != "/Image" or bool(stream.get("/ImageMask", False)):
        return False
    if isinstance(stream.get("/Mask"), pikepdf.Array) or "/Decode" in stream:
        return False
    space = stream.get("/ColorSpace")
    name = str(space[0]) if isinstance(space, pikepdf.Array) and len(space) else str(space)
    return name in _SIMPLE_SPACES and len(stream.read_raw_bytes()) >= _WORTH_IT_BYTES


def _shrunk(picture: pikepdf.Stream, budget: int, bounds: Bounds) -> set[Change]:
    """Replace one picture by a smaller one, if that can be done."""
    try:
        image, source_size = _decoded(picture, budget, bounds)
    except (*PDF_ERRORS, CannotFit):
        # Kinds of picture nobody here can decode (JBIG2) stay as they are.
        return set()
    is_photo = filters_of(picture)[-1:] != ["/FlateDecode"] or image.mode == "RGB"
    encoded = encoded_below(
        image, budget, bounds.legibility, is_photo=is_photo, source_size=source_size
    ) or smallest_legible(image, bounds.legibility, source_size=source_size)
    if len(encoded.content) >= len(picture.read_raw_bytes()):
        return set()
    for key in ("/DecodeParms", "/Decode", "/Intent", "/Metadata"):
        if key in picture:
            del picture[key]
    write_picture(picture, encoded.extension, encoded.content)
    return {Change.RECOMPRESSED, *encoded.changes}


def _decoded(
    picture: pikepdf.Stream, budget: int, bounds: Bounds
) -> tuple[Image.Image, tuple[int, int]]:
    """The picture and its size before the decoder reduced it."""
    if filters_of(picture) == ["/DCTDecode"]:
        raw = picture.read_raw_bytes()
        with Image.open(io.BytesIO(raw), formats=["JPEG"]) as jpeg:
            size = jpeg.size
            if len(raw) > budget * 1.5:
                reduce_decoding(jpeg, bounds)
            jpeg.load()
            # What turns a picture inside a PDF is the page; its own mark is ignored by readers.
            return jpeg.convert("L" if jpeg.mode == "L" else "RGB"), size
    image = pikepdf.PdfImage(picture).as_pil_image()
    return upright(image, bounds)[0], image.size
