"""Pages: pictures become some, files are joined into one PDF, one PDF is cut into several."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image

from daybook.spend.fit.image_chunks import png_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PAGE_WIDTH_POINTS: Final = 595
_PAGE_SIDE_POINTS_MAX: Final = 14_400
_COLOUR_SPACES: Final = {0: Name.DeviceGray, 2: Name.DeviceRGB}
_PALETTE: Final = 3
_CHANNELS: Final = {0: 1, 2: 3, 3: 1}


def saved(pdf: pikepdf.Pdf) -> bytes:
    """The PDF as compact bytes; the same pages give the same bytes."""
    target = io.BytesIO()
    pdf.save(
        target,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        compress_streams=True,
        recompress_flate=True,
        deterministic_id=True,
    )
    return target.getvalue()


def add_picture_page(pdf: pikepdf.Pdf, extension: str, content: bytes) -> None:
    """Append a page that is this JPEG or PNG, as wide as A4 (its short side)."""
    picture = pikepdf.Stream(pdf, b"")
    write_picture(picture, extension, content)
    width, height = int(picture.Width), int(picture.Height)
    points = min(
        _PAGE_WIDTH_POINTS / min(width, height), _PAGE_SIDE_POINTS_MAX / max(width, height)
    )
    box = (round(width * points, 2), round(height * points, 2))
    page = pikepdf.Page(
        Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, *box]),
            Resources=Dictionary(XObject=Dictionary(P=pdf.make_indirect(picture))),
            Contents=pdf.make_indirect(
                pikepdf.Stream(pdf, f"q {box[0]} 0 0 {box[1]} 0 0 cm /P Do Q".encode())
            ),
        )
    )
    pdf.pages.append(page)


def write_picture(stream: pikepdf.Stream, extension: str, content: bytes) -> None:
    """Put a JPEG or PNG of ours into an image stream without decoding it."""
    if extension == "jpg":
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
            size, mode = image.size, image.mode
        space: pikepdf.Object = Name.DeviceGray if mode == "L" else Name.DeviceRGB
        stream.write(content, filter=Name.DCTDecode)
        depth = 8
    else:
        content = _plain_png(content)
        depth, kind = content[24], content[25]
        size = (int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big"))
        space = _COLOUR_SPACES[kind] if kind != _PALETTE else _indexed(content)
        parameters = Dictionary(
            Predictor=15, Colors=_CHANNELS[kind], BitsPerComponent=depth, Columns=size[0]
        )
        stream.write(png_data(content), filter=Name.FlateDecode, decode_parms=parameters)
    stream.Type, stream.Subtype = Name.XObject, Name.Image
    stream.Width, stream.Height = size
    stream.ColorSpace, stream.BitsPerComponent = space, depth


def joined(extensions: Iterable[str], contents: Iterable[bytes]) -> pikepdf.Pdf:
    """One PDF with the pages of all these JPEG, PNG and PDF files, in order."""
    target = pikepdf.new()
    for extension, content in zip(extensions, contents, strict=True):
        if extension == "pdf":
            with pikepdf.open(io.BytesIO(content)) as source:
                target.pages.extend(source.pages)
        else:
            add_picture_page(target, extension, content)
    return target


def cut(pdf: pikepdf.Pdf, budget: int, parts_max: int) -> list[bytes] | None:
    """The pages in as few PDFs below the budget as a greedy walk finds; None when it cannot."""
    parts: list[bytes] = []
    start, count = 0, len(pdf.pages)
    while start < count:
        if len(parts) == parts_max:
            return None
        end, content = _longest(pdf, start, budget)
        if content is None:
            return None
        parts.append(content)
        start = end
    return parts


def _longest(pdf: pikepdf.Pdf, start: int, budget: int) -> tuple[int, bytes | None]:
    """The most pages from `start` that stay below the budget, found by halving."""
    low, high, found = start, len(pdf.pages), None
    while low < high:
        middle = (low + high + 1) // 2
        content = _range_saved(pdf, range(start, middle))
        if len(content) < budget:
            low, found = middle, content
        else:
            high = middle - 1
    return low, found


def _range_saved(pdf: pikepdf.Pdf, numbers: Sequence[int]) -> bytes:
    with pikepdf.new() as target:
        for number in numbers:
            target.pages.append(pdf.pages[number])
        return saved(target)


def _plain_png(content: bytes) -> bytes:
    """The PNG in a form whose rows a PDF can hold: at most 8 bit, not interlaced, opaque."""
    depth, kind, interlace = content[24], content[25], content[28]
    if kind in _CHANNELS and depth <= 8 and not interlace and b"tRNS" not in content:  # noqa: PLR2004 - bits
        return content
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        clear = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(clear, mask=clear.getchannel("A"))
    target = io.BytesIO()
    white.save(target, "PNG")
    return target.getvalue()


def _indexed(content: bytes) -> Array:
    at = content.index(b"PLTE")
    length = int.from_bytes(content[at - 4 : at], "big")
    colours = content[at + 4 : at + 4 + length]
    return Array([Name.Indexed, Name.DeviceRGB, length // 3 - 1, pikepdf.String(colours)])
