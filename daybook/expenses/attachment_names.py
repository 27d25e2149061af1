"""File names that every receiver takes: [A-Za-z0-9._-], unique, short, with the right extension."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOREIGN: Final = re.compile(r"[^A-Za-z0-9._-]+")
_EXTENSION: Final = re.compile(r"\.([A-Za-z0-9]{1,8})$")
_SAME_TYPE: Final = {"jpeg": "jpg", "jpe": "jpg", "jfif": "jpg", "tiff": "tif"}
# Windows opens these as devices, whatever the extension.
_DEVICES: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])")
_NAME_WHEN_NOTHING_IS_LEFT: Final = "receipt"


def extension_of(name: str) -> str:
    """The extension as one spelling: 'A.JPEG' -> 'jpg', '' when there is none."""
    found = _EXTENSION.search(name.strip())
    extension = found.group(1).lower() if found else ""
    return _SAME_TYPE.get(extension, extension)


def safe_stem(name: str) -> str:
    """The name without folders, extension and foreign characters: '../Café 1.png' -> 'Cafe-1'."""
    last = re.split(r"[/\\]", name.replace("\0", ""))[-1].strip()
    if found := _EXTENSION.search(last):
        last = last[: found.start()]
    plain = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode()
    # Dots inside a name would let 'receipt.exe.pdf' look like two types.
    stem = _FOREIGN.sub("-", plain).replace(".", "-")
    stem = re.sub(r"-{2,}", "-", stem).strip("-._")
    if not stem or _DEVICES.fullmatch(stem):
        return f"{_NAME_WHEN_NOTHING_IS_LEFT}-{stem}".rstrip("-")
    return stem


def unique_names(wanted: Iterable[tuple[str, str]], chars_max: int) -> tuple[str, ...]:
    """A name for each (any name, extension): at most `chars_max` long, unique whatever the case."""
    taken: set[str] = set()
    names = []
    for name, extension in wanted:
        chosen = _first_free(safe_stem(name), extension, taken, chars_max=chars_max)
        taken.add(chosen.lower())
        names.append(chosen)
    return tuple(names)


def _first_free(stem: str, extension: str, taken: set[str], *, chars_max: int) -> str:
    # One more candidate than there are names taken: one of them is free.
    for number in range(1, len(taken) + 2):
        tail = f".{extension}" if number == 1 else f"-{number}.{extension}"
        name = stem[: chars_max - len(tail)].rstrip("-._") + tail
        if name.lower() not in taken:
            return name
    raise AssertionError("more names are taken than there are")
