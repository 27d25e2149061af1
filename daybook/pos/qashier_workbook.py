"""Opens an xlsx nobody vouches for, and hands out the rows of one sheet.

The workbook is looked through before any reader may open it: what it unpacks to, and how large a
grid its cells span, because a reader makes room for the whole grid at once. What exceeds the
limits is refused with a sentence; memory stays within a few hundred megabytes.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

import python_calamine

from daybook.pos.qashier_text import Misfit

if TYPE_CHECKING:
    from collections.abc import Iterator

Cell = object  # text, number, truth value, date, time or span, as calamine reads them

_MEMBERS_MAX: Final = 500
_UNPACKED_MAX: Final = 256 << 20
_OTHER_MEMBER_MAX: Final = 16 << 20
_RATIO_MAX: Final = 300
_RATIO_MATTERS: Final = 8 << 20
_GRID_MAX: Final = 8_000_000
_CHUNK: Final = 1 << 20
_PACKED_CHUNK: Final = 1 << 16
_OVERLAP: Final = 64
_END_BYTES: Final = 22
_END: Final = struct.Struct("<4s4H2LH")
_LOCAL_NAME: Final = struct.Struct("<26x2H")
_DEFLATED: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_IS_ENCRYPTED: Final = 0x1
_LARGE: Final = re.compile(r"xl/(worksheets/|sharedstrings)", re.IGNORECASE)
_REFERENCE: Final = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{0,9})([0-9]{1,9})[\"']")
_SHARED: Final = re.compile(rb"\st\s*=\s*[\"']s[\"']")
_TEXT_END: Final = re.compile(rb"</(?:\w+:)?si\s*>")
# Each cell that shares a text gets a copy of it.
_SHARED_BYTES_MAX: Final = 1 << 30
_ELEMENT: Final = re.compile(rb"<(?:\w+:)?(?:c|si)[\s/>]")
_NOT_A_WORKBOOK: Final = (
    "The file is not an xlsx workbook, or it is damaged; export it again, or open it in a "
    "spreadsheet and save it as .xlsx."
)
_SAVE_AGAIN: Final = "Export a shorter range of dates, or remove the file."


def sheet_rows(content: bytes, sheet: str) -> Iterator[tuple[int, list[Cell]]]:
    """The sheet's rows with their numbers, from 1; a formula is what it last came to.

    Raises:
        Misfit: it is no workbook, has no such sheet, or is larger than any export.
    """
    _check(content)
    try:
        yield from _rows(content, sheet)
    except Misfit:
        raise
    # A panic of the reader is no Exception; anything else that happens in here is handed on.
    except BaseException as error:
        is_panic = type(error).__name__ == "PanicException"
        if not is_panic and not isinstance(error, python_calamine.CalamineError):
            raise
        raise Misfit(_NOT_A_WORKBOOK) from None


def _rows(content: bytes, sheet: str) -> Iterator[tuple[int, list[Cell]]]:
    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    names = workbook.sheet_names
    found = next((name for name in names if name.strip().casefold() == sheet.casefold()), None)
    if found is None:
        raise Misfit(
            f"The workbook has no sheet called {sheet}; export Transaction Details again, or "
            "remove the file."
        )
    yield from enumerate(workbook.get_sheet_by_name(found).iter_rows(), 1)


def _check(content: bytes) -> None:
    """Refuse what would unpack to more than its limits, or span too large a grid."""
    size = _Size()
    for member in _members(content):
        limit = _UNPACKED_MAX if _LARGE.match(member.filename) else _OTHER_MEMBER_MAX
        before = size.unpacked
        size.begin()
        tail = b""
        for chunk in _unpacked(content, member):
            size.add(tail, chunk)
            tail = chunk[-_OVERLAP:]
            if size.unpacked - before > min(limit, _ratio_limit(member.compress_size)):
                raise Misfit(f"The workbook unpacks to far more than an export. {_SAVE_AGAIN}")
        if size.unpacked - before != member.file_size:
            raise Misfit(_NOT_A_WORKBOOK)


def _ratio_limit(packed: int) -> int:
    return max(_RATIO_MATTERS, _RATIO_MAX * packed)


class _Size:
    """How large the workbook turned out so far."""

    def __init__(self) -> None:
        self.unpacked = 0
        self._elements = 0
        self._rows = 0
        self._columns = 0
        self._shared = 0
        self._text = 0
        self._longest_text = 0

    def begin(self) -> None:
        """Another part of the workbook; a text never goes on in the next part."""
        self._text = 0

    def add(self, tail: bytes, chunk: bytes) -> None:
        """Count what stands in the next piece; `tail` is the end of the one before."""
        self.unpacked += len(chunk)
        # What stands in the tail may be counted twice, which does no harm.
        text = tail + chunk
        self._elements += sum(1 for _ in _ELEMENT.finditer(text))
        self._shared += sum(1 for _ in _SHARED.finditer(text))
        self._measure_texts(chunk)
        found = _REFERENCE.findall(text)
        if found:
            letters, numbers = zip(*found, strict=True)
            self._rows = max(self._rows, *map(int, set(numbers)))
            self._columns = max(self._columns, *map(_column, set(letters)))
        self._check()

    def _measure_texts(self, chunk: bytes) -> None:
        """Note the longest text that ended; one that did not goes on in the next piece."""
        *ended, rest = _TEXT_END.split(chunk)
        for text in ended:
            self._longest_text = max(self._longest_text, self._text + len(text))
            self._text = 0
        self._text += len(rest)

    def _check(self) -> None:
        too_many = max(self._elements, self._rows * self._columns) > _GRID_MAX
        if self.unpacked > _UNPACKED_MAX or too_many:
            raise Misfit(f"The workbook is larger than {_GRID_MAX} cells. {_SAVE_AGAIN}")
        if self._shared * self._longest_text > _SHARED_BYTES_MAX:
            raise Misfit(f"The workbook repeats long texts too often. {_SAVE_AGAIN}")


def _column(letters: bytes) -> int:
    """A is 1, Z is 26, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _members(content: bytes) -> list[zipfile.ZipInfo]:
    """The archive's directory, if every reader must see the same one."""
    end = content[-_END_BYTES:]
    if len(end) < _END_BYTES or not content.startswith(b"PK\x03\x04"):
        raise Misfit(_NOT_A_WORKBOOK)
    mark, _, _, _, _, directory_size, directory_start, comment = _END.unpack(end)
    is_plain = directory_start + directory_size + _END_BYTES == len(content)
    if mark != b"PK\x05\x06" or comment or not is_plain:
        raise Misfit(_NOT_A_WORKBOOK)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        raise Misfit(_NOT_A_WORKBOOK) from None
    if len(members) > _MEMBERS_MAX:
        raise Misfit(f"The workbook consists of more than {_MEMBERS_MAX} parts. {_SAVE_AGAIN}")
    if sum(member.file_size for member in members) > _UNPACKED_MAX:
        raise Misfit(f"The workbook unpacks to far more than an export. {_SAVE_AGAIN}")
    if any(
        member.flag_bits & _IS_ENCRYPTED or member.compress_type not in _DEFLATED
        for member in members
    ):
        raise Misfit("The workbook is encrypted or packed in a way of its own; save it as .xlsx.")
    return members


def _unpacked(content: bytes, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member in pieces, whatever its declared size: that is the reader's to be wrong about."""
    name_at = content[member.header_offset : member.header_offset + _LOCAL_NAME.size]
    if len(name_at) < _LOCAL_NAME.size:
        raise Misfit(_NOT_A_WORKBOOK)
    start = member.header_offset + _LOCAL_NAME.size + sum(_LOCAL_NAME.unpack(name_at))
    packed = memoryview(content)[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        for place in range(0, len(packed), _CHUNK):
            yield bytes(packed[place : place + _CHUNK])
        return
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for place in range(0, len(packed), _PACKED_CHUNK):
            waiting = bytes(packed[place : place + _PACKED_CHUNK])
            while waiting and (chunk := unpacker.decompress(waiting, _CHUNK)):
                yield chunk
                waiting = unpacker.unconsumed_tail
    except zlib.error:
        raise Misfit(_NOT_A_WORKBOOK) from None
