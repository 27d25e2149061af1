"""A picture below a budget, in few tries, never below legibility."""

from __future__ import annotations

import io

import pytest
from odd_pictures import drawn, photo
from PIL import Image

from daybook.expenses.attachment_limits import Legibility
from daybook.expenses.attachment_verdicts import Change
from daybook.spend.fit.image_encoding import encoded_below, smallest_legible

FLOOR = Legibility(page_pixels_min=300, strip_pixels_min=200)
PICTURE = photo(800, 600, noise=60)


@pytest.mark.parametrize("budget", [400_000, 200_000, 100_000, 60_000, 40_000])
def test_result_is_below_the_budget_and_above_the_floor(budget: int) -> None:
    """Whatever rung of the ladder it takes."""
    found = encoded_below(PICTURE, budget, FLOOR, is_photo=True, source_size=PICTURE.size)
    assert found is not None
    with Image.open(io.BytesIO(found.content)) as image:
        assert min(image.size) >= 300
        assert (Change.SCALED in found.changes) == (image.size != PICTURE.size)
    assert len(found.content) < budget


def test_budget_is_used_well() -> None:
    """A budget that one more step of quality would meet is not left half empty."""
    found = encoded_below(PICTURE, 100_000, FLOOR, is_photo=True, source_size=PICTURE.size)
    assert found is not None
    assert len(found.content) > 60_000


def test_nothing_is_made_illegible() -> None:
    """Below the last rung there is no picture."""
    assert None is encoded_below(PICTURE, 2_000, FLOOR, is_photo=True, source_size=PICTURE.size)
    last = smallest_legible(PICTURE, FLOOR, source_size=PICTURE.size)
    with Image.open(io.BytesIO(last.content)) as image:
        assert 300 == min(image.size)


def test_drawings_stay_exact() -> None:
    """Few colours become a PNG without any loss."""
    picture = drawn(400, 300)
    found = encoded_below(picture, 100_000, FLOOR, is_photo=False, source_size=picture.size)
    assert found is not None
    with Image.open(io.BytesIO(found.content)) as image:
        assert ("png", picture.tobytes()) == (found.extension, image.convert("RGB").tobytes())
