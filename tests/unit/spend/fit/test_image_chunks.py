"""JPEG and PNG without what nobody sees."""

from __future__ import annotations

import io

import pytest
from odd_pictures import drawn, encoded, exif
from PIL import Image

from daybook.spend.fit.image_chunks import bare_jpeg, bare_png


def _pixels(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        return image.tobytes()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_jpeg_loses_everything_but_its_picture(options: dict[str, object]) -> None:
    """Place, comment and what follows the end go; not a pixel changes."""
    content = encoded(drawn(90, 70), "JPEG", exif=exif(), comment=b"hidden", **options)
    bare = bare_jpeg(content + b"PK\x05\x06")
    assert _pixels(content) == _pixels(bare)
    assert (False, False, True) == (b"Exif" in bare, b"hidden" in bare, bare.endswith(b"\xff\xd9"))


def test_a_bare_jpeg_stays_as_it_is() -> None:
    """Nothing is rewritten for its own sake."""
    content = encoded(drawn(90, 70), "JPEG")
    assert content == bare_jpeg(content)


def test_png_loses_everything_but_its_picture() -> None:
    """The same for PNG."""
    content = encoded(drawn(90, 70), "PNG", exif=exif(), dpi=(72, 72))
    bare = bare_png(content + b"<script>")
    assert _pixels(content) == _pixels(bare)
    assert (False, True, True) == (
        b"eXIf" in bare,
        b"pHYs" in bare,
        bare.endswith(b"IEND\xaeB`\x82"),
    )


@pytest.mark.parametrize("length", [2, 3, 10, 100, 300, -1])
def test_cut_files_have_no_envelope(length: int) -> None:
    """A file that breaks off is not passed on as if it were whole."""
    with pytest.raises(ValueError, match=r"marker|segment|scan"):
        bare_jpeg(encoded(drawn(90, 70), "JPEG")[:length])
    with pytest.raises(ValueError, match=r"not a PNG|end chunk|damaged"):
        bare_png(encoded(drawn(90, 70), "PNG")[:length])


def test_a_png_with_a_wrong_checksum_is_damaged() -> None:
    """Before its pixels are believed."""
    content = bytearray(encoded(drawn(90, 70), "PNG"))
    content[60] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        bare_png(bytes(content))
