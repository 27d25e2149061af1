"""Which receipt the demo spoils: one whose name no other upload shares."""

from __future__ import annotations

from deployments.demo.expense_story import spoiled_name


def test_spoiled_name_differs_in_more_than_its_extension() -> None:
    """'Grab 1.png' would take the faults that are meant for 'Grab 1.jpg'."""
    names = ("Grab 1.jpg", "Grab 1.png", "Figma 1.png", "Figma 1.png", "Meta Ads 1.png")
    assert "Meta Ads 1.png" == spoiled_name(names)


def test_spoiled_name_differs_from_names_that_are_written_otherwise() -> None:
    """Xero takes plain letters only: 'Café 1' and 'Cafe-1' are uploaded under one name."""
    assert "Taxi 1.png" == spoiled_name(("Café 1.jpg", "Cafe-1.png", "Taxi 1.png"))
