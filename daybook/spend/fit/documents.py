"""Texts, tables, letters and archives: attached as they are, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.expenses.attachment_verdicts import RefusalCode
from daybook.spend.fit.verdict import CannotFit, FittedPart

if TYPE_CHECKING:
    from daybook.spend.fit.verdict import Bounds


def fit_document(content: bytes, kind: str, bounds: Bounds) -> FittedPart:
    """The file as it came; raises CannotFit when it is too large or its type is not taken."""
    if kind not in bounds.limits.extensions:
        raise CannotFit(RefusalCode.TYPE_NOT_TAKEN)
    if not bounds.limits.takes(len(content)):
        raise CannotFit(RefusalCode.CANNOT_SHRINK)
    return FittedPart(kind, content)
