"""What was made smaller can still be read, digit by digit."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import fpdf
import pytest
from digit_reader import Sheet
from fit_place import Place, page_pictures, problems, shown
from odd_pictures import encoded

from daybook.expenses.attachment_limits import FitLimits
from daybook.expenses.attachment_verdicts import Change, RefusalCode
from daybook.spend.fit.fitter import Fitter

if TYPE_CHECKING:
    from pathlib import Path

# A4 at 300 dots per inch with 8 point type, and a till receipt of 80 mm with type of 2 mm.
PAGE = Sheet(2480, 3508, 33)
STRIP = Sheet(1600, 5000, 40)
# The reader above is better than people are; they want a line of 8 point type this high.
TYPE_PIXELS_MIN = 16


@pytest.mark.parametrize(("sheet", "kind"), [(PAGE, "JPEG"), (PAGE, "TIFF"), (STRIP, "JPEG")])
def test_every_digit_of_a_large_picture_can_be_read(place: Place, sheet: Sheet, kind: str) -> None:
    """A picture over the limit comes out smaller, with all its text."""
    picture = sheet.photographed()
    content = encoded(picture, kind, quality=98) if kind == "JPEG" else encoded(picture, kind)
    (upload,) = place.fit((f"receipt.{kind.lower()}", content)).uploads
    assert [] == problems(upload)
    assert Change.RECOMPRESSED in upload.changes
    assert sheet.share_read(shown(upload)) == 1.0
    assert sheet.type_pixels * min(shown(upload).size) / sheet.width >= TYPE_PIXELS_MIN


def test_every_digit_of_a_large_scan_can_be_read(place: Place) -> None:
    """The pages of a PDF keep their text too."""
    made = fpdf.FPDF()
    for _ in range(4):
        made.add_page()
        made.image(io.BytesIO(encoded(PAGE.photographed(), "JPEG", quality=96)), w=150)
    (upload,) = place.fit(("scan.pdf", bytes(made.output()))).uploads
    assert [] == problems(upload)
    assert [1.0] * 4 == [PAGE.share_read(page) for page in page_pictures(upload)]


@pytest.mark.parametrize("bytes_max", [800_000, 500_000, 300_000, 150_000, 60_000])
def test_a_picture_is_legible_or_refused(tmp_path: Path, bytes_max: int) -> None:
    """However small the limit: what is attached can be read, what could not be is refused."""
    content = encoded(PAGE.photographed(), "JPEG", quality=90)
    with Fitter(FitLimits(bytes_max=bytes_max)) as fitter:
        fitted = Place(tmp_path, fitter).fit(("receipt.jpg", content))
    assert [1.0] * len(fitted.uploads) == [
        PAGE.share_read(shown(upload)) for upload in fitted.uploads
    ]
    assert {RefusalCode.ILLEGIBLE_IF_SMALLER} >= {one.code for one in fitted.refused}
    assert 1 == len(fitted.uploads) + len(fitted.refused)


def test_the_reader_itself_fails_on_a_blurred_page() -> None:
    """The judge can say no: at a sixteenth of its size 8 point type is two pixels high."""
    blurred = PAGE.photographed().resize((PAGE.width // 16, PAGE.height // 16))
    assert PAGE.share_read(blurred) < 0.7
