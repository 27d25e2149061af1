"""PDFs: harmless, whole and small enough; as few parts as possible, usually one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pikepdf

from daybook.expenses.attachment_verdicts import Change, RefusalCode
from daybook.spend.fit.image_encoding import encoded_below, smallest_legible
from daybook.spend.fit.images import pages
from daybook.spend.fit.pdf_active import has_active_content, remove_active_content
from daybook.spend.fit.pdf_opening import PDF_ERRORS, is_pdf_alone, opened
from daybook.spend.fit.pdf_pages import add_picture_page, cut, joined, saved
from daybook.spend.fit.pdf_pictures import shrink_pictures
from daybook.spend.fit.verdict import CannotFit, FittedPart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daybook.spend.fit.verdict import Bounds


def fit_pdf(content: bytes, bounds: Bounds) -> list[FittedPart]:
    """The PDF in one part below the budget, or in several; raises CannotFit."""
    pdf, is_damaged = opened(content, bounds)
    with pdf:
        try:
            return _fitted(pdf, content, bounds, is_sound=not is_damaged and is_pdf_alone(content))
        except PDF_ERRORS as error:
            raise CannotFit(RefusalCode.BROKEN) from error


def _fitted(
    pdf: pikepdf.Pdf, content: bytes, bounds: Bounds, *, is_sound: bool
) -> list[FittedPart]:
    changes = []
    if has_active_content(pdf):
        remove_active_content(pdf)
        changes.append(Change.ACTIVE_CONTENT_REMOVED)
        if has_active_content(pdf):
            raise CannotFit(RefusalCode.NEEDS_ITS_PROGRAM)
    if not is_sound:
        changes.append(Change.REPAIRED)
    if not changes and len(content) < bounds.budget:
        return [FittedPart("pdf", content)]
    return _below(pdf, changes, bounds)


def _below(pdf: pikepdf.Pdf, changes: list[Change], bounds: Bounds) -> list[FittedPart]:
    """Written anew; then with smaller pictures; then in parts."""
    written = saved(pdf)
    if len(written) < bounds.budget:
        return [FittedPart("pdf", written, tuple(changes or [Change.RECOMPRESSED]))]
    done = shrink_pictures(pdf, len(written), bounds.budget, bounds)
    changes += sorted({Change.RECOMPRESSED, *done}, key=list(Change).index)
    written = saved(pdf)
    if len(written) < bounds.budget:
        return [FittedPart("pdf", written, tuple(changes))]
    # When files have to be merged anyway, cutting one would only make more of them.
    if bounds.budget < bounds.limits.bytes_max:
        raise CannotFit(RefusalCode.ILLEGIBLE_IF_SMALLER)
    parts = cut(pdf, bounds.budget, bounds.limits.count_max)
    if parts is None:
        raise CannotFit(RefusalCode.ILLEGIBLE_IF_SMALLER)
    return [FittedPart("pdf", part, (*changes, Change.SPLIT)) for part in parts]


def pdf_of_pages(content: bytes, count: int, bounds: Bounds) -> list[FittedPart]:
    """A TIFF of several pages as PDF: each page gets the same share of the bytes."""
    share = bounds.budget // count - 2_000
    with pikepdf.new() as pdf:
        for page in pages(content, count, bounds):
            size = page.size
            encoded = encoded_below(
                page, share, bounds.legibility, is_photo=page.mode == "RGB", source_size=size
            ) or smallest_legible(page, bounds.legibility, source_size=size)
            add_picture_page(pdf, encoded.extension, encoded.content)
        return _below(pdf, [Change.CONVERTED], bounds)


def merged(extensions: Sequence[str], contents: Sequence[bytes], bounds: Bounds) -> FittedPart:
    """One PDF of files that were made to fit before; raises CannotFit when it is too large."""
    try:
        with joined(extensions, contents) as pdf:
            written = saved(pdf)
    except PDF_ERRORS as error:
        raise CannotFit(RefusalCode.BROKEN) from error
    if len(written) >= bounds.budget:
        raise CannotFit(RefusalCode.OVER_COUNT)
    return FittedPart("pdf", written, (Change.MERGED,))
