"""What became of a file."""

from __future__ import annotations

from daybook.expenses.attachment_verdicts import Change, Upload


def test_changes_read_as_a_phrase() -> None:
    """In the order they were made; an untouched file says so."""
    changes = (Change.CONVERTED, Change.SCALED)
    changed = Upload("a.jpg", "image/jpeg", b"x", "hash", ("one",), changes)
    assert "converted to a type Xero shows, scaled down" == changed.how
    assert "as it is" == Upload("a.jpg", "image/jpeg", b"x", "hash", ("one",)).how
