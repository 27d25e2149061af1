"""One untrusted file made to fit; inside the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.spend.fit.documents import fit_document
from daybook.spend.fit.images import fit_picture, page_count
from daybook.spend.fit.pdf_fitting import fit_pdf, merged, pdf_of_pages
from daybook.spend.fit.sniff import IMAGES, sniff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daybook.spend.fit.verdict import Bounds, FittedPart


def fit_one(content: bytes, extension: str, bounds: Bounds) -> list[FittedPart]:
    """The file in parts that each fit, nearly always one; raises CannotFit."""
    kind = sniff(content, extension)
    if kind == "pdf":
        return fit_pdf(content, bounds)
    if kind not in IMAGES:
        return [fit_document(content, kind, bounds)]
    count = page_count(content, kind, bounds)
    if count > 1:
        return pdf_of_pages(content, count, bounds)
    return [fit_picture(content, kind, bounds)]


def merge(contents: Sequence[bytes], extensions: Sequence[str], bounds: Bounds) -> FittedPart:
    """Parts made by `fit_one` as one PDF, in order; raises CannotFit."""
    return merged(extensions, contents, bounds)
