"""Text of Qashier's files to values: bytes to text, cells to names and amounts."""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import lru_cache
from typing import Final

from daybook.errors import InputError
from daybook.money import parse_minor
from daybook.pos import cells

_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_GROUPED: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_IN_BRACKETS: Final = re.compile(r"\((.*)\)")
_LETTERS_MAX: Final = 3
# Names and prices come again and again in a file.
_REMEMBERED: Final = 1 << 14


class Misfit(InputError):
    """Something in a file that cannot be taken over: in which row and column, and why."""

    def __init__(self, sentence: str, row_number: int = 1, column: str = "") -> None:
        """Keep the place beside the sentence; rows count from 1."""
        super().__init__(sentence)
        self.row_number = row_number
        self.column = column


def decoded(content: bytes) -> str:
    """The text of a file whose encoding nobody promised; never fails."""
    if content.startswith(_UTF_16_MARKS):
        return content.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def mended(cell: str) -> str:
    """The cell without blanks around it; UTF-8 that was taken for Latin-1 on the way is undone."""
    if not cell.isascii():
        for encoding in ("cp1252", "latin-1"):
            try:
                return cell.encode(encoding).decode("utf-8").strip()
            except UnicodeError:
                continue
    return cell.strip()


@lru_cache(maxsize=_REMEMBERED)
def label(cell: str) -> str:
    """A heading as it is compared: small letters, single blanks, no punctuation at its ends."""
    return " ".join(unicodedata.normalize("NFKC", cell).casefold().split()).strip(" .:*")


def name(cell: str, what: str, row_number: int) -> str:
    """A name that the mapping can have as a key."""
    try:
        return cells.name(cell)
    except InputError as error:
        raise Misfit(f"The name of this {what} cannot be used: {error}", row_number) from None


@lru_cache(maxsize=_REMEMBERED)
def amount_minor(cell: str, currency: str) -> int:
    """An amount in minor units; currency signs, thousands in threes and brackets are understood.

    Raises:
        InputError: it is not an amount, or not a whole number of minor units.
    """
    text = cell.strip()
    bracketed = _IN_BRACKETS.fullmatch(text)
    text = f"-{bracketed.group(1)}" if bracketed else text
    sign, digits = _signed(text)
    if not sign:
        sign, digits = _signed(_without_currency(digits))
    else:
        digits = _without_currency(digits)
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    if not digits or not digits[0].isdigit():
        raise InputError(f"{cells.shown(cell)} is not an amount; it should be like 1234.50.")
    try:
        return parse_minor(sign + digits, currency)
    except InputError as error:
        raise InputError(f"{cells.shown(cell)} cannot be read: {_reason(error, cell)}") from None


def _signed(text: str) -> tuple[str, str]:
    """A minus in front, if there is one, and the rest."""
    is_negative = text.startswith(("-", "\N{MINUS SIGN}"))
    return ("-" if is_negative else "", text[is_negative:])


def _reason(error: InputError, cell: str) -> str:
    """Why, without quoting a cell of any length a second time."""
    return str(error) if len(cell) <= cells.NAME_LENGTH_MAX else "it is far too long."


def _without_currency(text: str) -> str:
    """Drop what stands for the currency before the digits: `$`, `S$`, `RM`, the baht sign."""
    letters = 0
    for place, character in enumerate(text):
        is_sign = unicodedata.category(character) == "Sc" or character.isspace()
        letters += character.isalpha()
        if not (is_sign or character.isalpha()) or letters > _LETTERS_MAX:
            return text[place:]
    return ""
