"""What a PDF could do rather than show: scripts, programs to start, files inside, forms to send.

A receipt needs none of it. Links to web pages and jumps within the document stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Iterator

_HARMLESS_ACTIONS: Final = frozenset(
    {"/URI", "/GoTo", "/Named", "/Hide", "/SetOCGState", "/Thread"}
)
_ACTIVE_KEYS: Final = frozenset(
    {
        "/AA",
        "/JavaScript",
        "/JS",
        "/EmbeddedFiles",
        "/EF",
        "/AF",
        "/XFA",
        "/RichMedia",
        "/Collection",
    }
)
_ACTION_KEYS: Final = frozenset({"/A", "/OpenAction", "/Next", "/PA"})
_ACTIVE_ANNOTATIONS: Final = frozenset(
    {"/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"}
)
_DEPTH_MAX: Final = 100


def has_active_content(pdf: pikepdf.Pdf) -> bool:
    """Whether anything in the file could act."""
    return any(True for holder in _holders(pdf) for _ in _active_keys(holder)) or any(
        _is_active_annotation(one) for page in pdf.pages for one in _annotations(page)
    )


def remove_active_content(pdf: pikepdf.Pdf) -> None:
    """Remove it; the pages look as before, except for the icons of attached files and films."""
    for page in pdf.pages:
        kept = [one for one in _annotations(page) if not _is_active_annotation(one)]
        if "/Annots" in page.obj:
            page.obj["/Annots"] = pikepdf.Array(kept)
    for holder in list(_holders(pdf)):
        for key in list(_active_keys(holder)):
            del holder[key]


def _annotations(page: pikepdf.Page) -> list[pikepdf.Object]:
    found = page.obj.get("/Annots")
    if not isinstance(found, pikepdf.Array):
        return []
    return [one for one in found if isinstance(one, pikepdf.Dictionary)]


def _is_active_annotation(annotation: pikepdf.Object) -> bool:
    return str(annotation.get("/Subtype", "")) in _ACTIVE_ANNOTATIONS


def _holders(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """Every dictionary of the file, those inside others and those of streams too."""
    yield from _inside(pdf.trailer, 0)
    for item in pdf.objects:
        yield from _inside(item, 0)


def _inside(item: object, depth: int) -> Iterator[pikepdf.Object]:
    if depth > _DEPTH_MAX:
        return
    if isinstance(item, pikepdf.Array):
        for one in item:
            if isinstance(one, (pikepdf.Array, pikepdf.Dictionary)) and not one.is_indirect:
                yield from _inside(one, depth + 1)
    elif isinstance(item, (pikepdf.Dictionary, pikepdf.Stream)):
        yield item
        for key in list(item.keys()):
            value = item.get(key)
            if isinstance(value, (pikepdf.Array, pikepdf.Dictionary)) and not value.is_indirect:
                yield from _inside(value, depth + 1)


def _active_keys(holder: pikepdf.Object) -> Iterator[str]:
    """The keys of one dictionary that would have to go."""
    for key in list(holder.keys()):
        # Empty name trees and lists of associated files are written by many harmless programs.
        if key in _ACTIVE_KEYS or (key in _ACTION_KEYS and _is_active_action(holder.get(key), 0)):
            yield key


def _is_active_action(value: object, depth: int) -> bool:
    """Whether this is an action, or a list of some, that does more than move the view."""
    if depth > _DEPTH_MAX:
        return True
    if isinstance(value, pikepdf.Array):
        return any(
            _is_active_action(one, depth + 1)
            for one in value
            if isinstance(one, pikepdf.Dictionary)
        )
    if not isinstance(value, pikepdf.Dictionary) or "/S" not in value:
        return False
    return str(value.get("/S")) not in _HARMLESS_ACTIONS
