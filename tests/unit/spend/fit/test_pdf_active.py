"""What a PDF could do rather than show."""

from __future__ import annotations

import io

import odd_pdfs
import pikepdf
import pytest

from daybook.spend.fit.pdf_active import has_active_content, remove_active_content

ACTIVE = (
    "_script_on_opening",
    "_script_by_name",
    "_script_on_page",
    "_program_to_start",
    "_file_inside",
    "_script_in_field",
    "_form_to_send",
    "_chained_script",
    "_xfa",
)


@pytest.mark.parametrize("change", ACTIVE)
def test_active_content_is_found_and_removed(change: str) -> None:
    """Wherever it is attached; the pages stay."""
    content = odd_pdfs.changed(getattr(odd_pdfs, change))
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert has_active_content(pdf)
        remove_active_content(pdf)
        assert (False, 1) == (has_active_content(pdf), len(pdf.pages))


@pytest.mark.parametrize("content", [odd_pdfs.plain(), odd_pdfs.changed(odd_pdfs._link)])  # noqa: SLF001 - a case of the collection
def test_pages_and_links_are_harmless(content: bytes) -> None:
    """A link to a web page is not a reason to rewrite a signed invoice."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert not has_active_content(pdf)
