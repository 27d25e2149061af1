"""Pages from pictures, files joined, files cut."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pikepdf
import pytest
from odd_pdfs import plain
from odd_pictures import drawn, encoded, photo

from daybook.spend.fit.pdf_pages import add_picture_page, cut, joined, saved

if TYPE_CHECKING:
    from PIL import Image


def _picture(pdf: pikepdf.Pdf) -> Image.Image:
    (stream,) = pdf.pages[0].get_images().values()
    assert isinstance(stream, pikepdf.Stream)
    return pikepdf.PdfImage(stream).as_pil_image().convert("RGB")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_a_png_becomes_a_page_without_loss(mode: str) -> None:
    """In every mode a PNG may have."""
    picture = drawn(120, 90).convert(mode)
    with pikepdf.new() as pdf:
        add_picture_page(pdf, "png", encoded(picture, "PNG"))
        assert picture.convert("RGB").tobytes() == _picture(pdf).tobytes()


def test_a_jpeg_becomes_a_page_byte_by_byte() -> None:
    """It is not encoded a second time; the page has its proportions."""
    content = encoded(photo(200, 400), "JPEG")
    with pikepdf.new() as pdf:
        add_picture_page(pdf, "jpg", content)
        (stream,) = pdf.pages[0].get_images().values()
        assert content == stream.read_raw_bytes()
        assert [0, 0, 595, 1190] == [int(side) for side in pdf.pages[0].mediabox]


def test_the_same_pages_give_the_same_bytes() -> None:
    """An upload can be recognised by its hash."""
    contents = [plain("one", 2), encoded(drawn(100, 100), "PNG")]
    once, again = (saved(joined(("pdf", "png"), contents)) for _ in range(2))
    assert once == again


def test_a_pdf_is_cut_into_the_fewest_parts_in_order() -> None:
    """Each below the budget, together all pages; None when a page alone is above it."""
    pictures = [encoded(photo(300, 300 + number, noise=60), "JPEG") for number in range(5)]
    whole = joined(["jpg"] * 5, pictures)
    budget = len(pictures[0]) * 5 // 2
    parts = cut(whole, budget, 10)
    assert parts is not None
    heights = []
    for part in parts:
        assert len(part) < budget
        with pikepdf.open(io.BytesIO(part)) as pdf:
            heights += [int(next(iter(page.get_images().values())).Height) for page in pdf.pages]
    assert (3, [300, 301, 302, 303, 304]) == (len(parts), heights)
    assert None is cut(whole, len(pictures[0]) // 2, 10)
    assert None is cut(whole, budget, 2)
