"""Refusals in words: which file, what is wrong with it, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daybook.expenses.attachment_verdicts import RefusalCode

if TYPE_CHECKING:
    from daybook.expenses.attachment_limits import FitLimits, SafetyLimits

_NAME_CHARS_MAX: Final = 60
_SEND_AGAIN: Final = "open it to check, save or photograph it again and attach the new file"

_SENTENCES: Final = {
    RefusalCode.EMPTY: "{name} is empty (0 bytes); attach the receipt again.",
    RefusalCode.MISSING: "{name} cannot be read where it was kept; attach the receipt again.",
    RefusalCode.NOT_A_FILE: (
        "{name} is a folder or a link, not a file; attach the receipt itself."
    ),
    RefusalCode.SOURCE_TOO_LARGE: (
        "{name} has {size}, more than the {source_max} that are read; save it smaller or in parts."
    ),
    RefusalCode.UNKNOWN_TYPE: (
        "{name} is of a type that cannot be recognised or attached; save the receipt as a PDF,"
        " JPEG or PNG and attach that."
    ),
    RefusalCode.TYPE_NOT_TAKEN: (
        "{name} is of a type that may not be attached; save the receipt as a PDF, JPEG or PNG and"
        " attach that."
    ),
    RefusalCode.HAS_MACROS: (
        "{name} contains macros or programs; save the document as a PDF and attach that."
    ),
    RefusalCode.CANNOT_SHRINK: (
        "{name} has {size}, not below {bytes_max}, and only pictures and PDFs can be made"
        " smaller; save it as a PDF and attach that."
    ),
    RefusalCode.ILLEGIBLE_IF_SMALLER: (
        "{name} has {size} and would no longer be legible below {bytes_max}; split it into"
        " several files and attach those."
    ),
    RefusalCode.TOO_SMALL_TO_READ: (
        "{name} is a picture too small to hold any text; attach the receipt itself."
    ),
    RefusalCode.TOO_MANY_PIXELS: (
        "{name} has too many pixels to be opened safely; photograph or scan the receipt at a"
        " lower resolution and attach that."
    ),
    RefusalCode.TOO_MANY_PAGES: (
        "{name} has more than {pages_max} pages; attach only the pages of this receipt."
    ),
    RefusalCode.PASSWORD: (
        "{name} is protected by a password; open it, print it to a new PDF without a password and"
        " attach that."
    ),
    RefusalCode.BROKEN: "{name} is damaged or incomplete; " + _SEND_AGAIN + ".",
    RefusalCode.NEEDS_ITS_PROGRAM: (
        "{name} shows its pages only in the program that made it; print it to a new PDF and"
        " attach that."
    ),
    RefusalCode.BOMB: (
        "{name} unpacks to far more than a receipt holds and was not opened; photograph or scan"
        " the receipt and attach that."
    ),
    RefusalCode.TOO_LONG: (
        "{name} took longer than {wall_seconds} seconds to open and was given up; print or"
        " photograph it and attach the result."
    ),
    RefusalCode.TOO_MUCH_MEMORY: (
        "{name} needs more memory than one receipt may take; print or photograph it and attach"
        " the result."
    ),
    RefusalCode.WORKER_DIED: "{name} could not be opened safely; " + _SEND_AGAIN + ".",
    RefusalCode.OVER_COUNT: (
        "{name} is left over: an expense takes {count_max} files below {bytes_max} each, and"
        " these do not fit even when merged and made smaller; attach fewer or smaller files."
    ),
    RefusalCode.TOO_MANY_FILES: (
        "{name} is one of more than {files_max} files of one expense; attach fewer files."
    ),
}


def sentence(
    code: RefusalCode,
    name: str,
    byte_count: int,
    *,
    limits: FitLimits,
    safety: SafetyLimits,
) -> str:
    """The reason for a person; `name` may be anything, what cannot be shown of it is left out."""
    return _SENTENCES[code].format(
        name=shown_name(name),
        size=_size(byte_count),
        bytes_max=_size(limits.bytes_max),
        count_max=limits.count_max,
        source_max=_size(safety.source_bytes_max),
        pages_max=safety.pages_max,
        wall_seconds=safety.wall_seconds_max,
        files_max=safety.files_max,
    )


def shown_name(name: str) -> str:
    """The name in quotes, without control characters and not longer than a line."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)
    if len(printable) > _NAME_CHARS_MAX:
        printable = f"{printable[: _NAME_CHARS_MAX - 12]}...{printable[-9:]}"
    return f"'{printable}'" if printable.strip() else "A file without a name"


def _size(byte_count: int) -> str:
    """Megabytes of a million bytes, one decimal; small sizes in kB."""
    if byte_count < 1_000_000:  # noqa: PLR2004 - a megabyte
        return f"{max(1, byte_count // 1000)} kB"
    return f"{byte_count // 100_000 / 10:g} MB"
