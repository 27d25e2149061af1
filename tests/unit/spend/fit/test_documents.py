"""Texts, tables, letters and archives."""

from __future__ import annotations

import pytest

from daybook.expenses.attachment_limits import FitLimits, Legibility, SafetyLimits
from daybook.expenses.attachment_verdicts import RefusalCode
from daybook.spend.fit.documents import fit_document
from daybook.spend.fit.verdict import Bounds, CannotFit

PICTURES_ONLY = FitLimits(extensions=frozenset({"jpg", "png", "pdf"}), bytes_max=50_000)


def _bounds(limits: FitLimits) -> Bounds:
    return Bounds(limits, SafetyLimits(), Legibility(), limits.bytes_max)


def test_a_document_is_attached_as_it_came() -> None:
    """Byte by byte."""
    part = fit_document(b"a;b", "csv", _bounds(FitLimits()))
    assert ("csv", b"a;b", ()) == (part.extension, part.content, part.changes)


@pytest.mark.parametrize(
    ("limits", "content", "code"),
    [
        (FitLimits(), bytes(3_000_000), RefusalCode.CANNOT_SHRINK),
        (PICTURES_ONLY, b"a", RefusalCode.TYPE_NOT_TAKEN),
    ],
)
def test_what_cannot_be_made_smaller_is_refused(
    limits: FitLimits, content: bytes, code: RefusalCode
) -> None:
    """With the reason."""
    with pytest.raises(CannotFit) as refused:
        fit_document(content, "csv", _bounds(limits))
    assert code == refused.value.code
