"""Opens a workbook that somebody sent: what would blow up in memory is refused before it does.

A workbook is a ZIP archive of XML. Its directory may lie about sizes, its cells may stand at the
far corner of the sheet, and one long text may be shared by a million cells; the reader would make
room for all of it. So the XML parts are first copied, and counted, into an archive without
compression, and the reader gets the copy.
"""

from __future__ import annotations

import errno
import lzma
import re
import struct
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

import python_calamine

from daybook.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MEMBERS_MAX: Final = 500
_UNPACKED_BYTES_MAX: Final = 128 << 20
_CELLS_MAX: Final = 8_000_000
_TEXT_BYTES_MAX: Final = 512 << 20
# Real workbooks are 10 to 30 times smaller than their XML, bombs about 1000 times.
_RATIO_MAX: Final = 200
_RATIO_FROM_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 1 << 20
_COLUMN_LETTERS: Final = 26

_ADVICE: Final = "Export it again as CSV or Parquet, or in smaller parts."
_UNREADABLE: Final = (
    python_calamine.CalamineError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
)
# Other ways of packing are no spreadsheet's, and unpack with as much memory as they ask for.
_PACKED: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_CELL: Final = re.compile(rb"<(?:\w+:)?c[\s/>]")
_CELL_PLACE: Final = re.compile(rb"<(?:\w+:)?c\s[^<>]*?\br\s*=\s*[\"']([A-Za-z]{1,7})(\d{1,9})")
_ROW_PLACE: Final = re.compile(rb"<(?:\w+:)?row\s[^<>]*?\br\s*=\s*[\"'](\d{1,9})")
_ROW: Final = re.compile(rb"<(?:\w+:)?row[\s/>]")
_SHARED: Final = re.compile(rb"\bt\s*=\s*[\"']s[\"']")
_TEXT_END: Final = b"</si>"


class Unsafe(Exception):
    """Why a workbook is not opened; a sentence without its subject."""


@dataclass(slots=True)
class _Counts:
    """What the reader would make room for."""

    unpacked_bytes: int = 0
    row_max: int = 0
    column_max: int = 0
    shared_count: int = 0
    text_bytes_max: int = 0

    def check(self) -> None:
        if self.unpacked_bytes > _UNPACKED_BYTES_MAX:
            raise Unsafe(f"unpacks to more than {_UNPACKED_BYTES_MAX >> 20} MiB")
        if self.row_max * self.column_max > _CELLS_MAX:
            raise Unsafe(f"spans more than {_CELLS_MAX:,} cells; delete what stands far outside")
        if self.shared_count * self.text_bytes_max > _TEXT_BYTES_MAX:
            raise Unsafe("repeats long texts very often; delete the column that holds them")


@contextmanager
def opened_workbook(
    stream: IO[bytes], url: str, folder: Path, *, advice: str = _ADVICE
) -> Iterator[python_calamine.CalamineWorkbook]:
    """The workbook in the stream, by way of a copy in the folder.

    `advice` says what to do where it is larger than it may be.

    Raises:
        InputError: it is none, it is damaged or protected, or larger than it may be.
    """
    path = folder / "workbook.xlsx"
    try:
        _copy_checked(stream, path)
        with python_calamine.load_workbook(path) as workbook:
            yield workbook
    except Unsafe as reason:
        raise InputError(f"{url} {reason}. {advice}") from None
    except _UNREADABLE:
        raise _unreadable(url) from None
    # A panic of the reader is no Exception, and its class has no name to import; anything else
    # that happens in here is handed on.
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _unreadable(url) from None
    finally:
        path.unlink(missing_ok=True)


def _unreadable(url: str) -> InputError:
    return InputError(
        f"{url} is not a workbook that can be read; save it again as .xlsx, without a password."
    )


def _copy_checked(stream: IO[bytes], path: Path) -> None:
    """Copy; directories that point outside the file are damage, a full disk is not."""
    try:
        _copy(stream, path)
    except ValueError as error:
        raise zipfile.BadZipFile from error
    except OSError as error:
        if error.errno not in {None, errno.EINVAL}:
            raise
        raise zipfile.BadZipFile from error


def _copy(stream: IO[bytes], path: Path) -> None:
    """Copy the XML parts without compression; what the copy comes to is checked all the while."""
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(path, "w") as copy:
        members = source.infolist()
        names = [member.filename for member in members]
        if len(members) > _MEMBERS_MAX or len(set(names)) < len(names):
            raise Unsafe("has too many parts, or parts of the same name")
        counts = _Counts()
        for member in members:
            if not member.filename.lower().endswith((".xml", ".rels")):
                continue
            _check_declared(member)
            with source.open(member) as part, copy.open(member.filename, "w") as target:
                _copy_part(part, target, member.filename, counts)


def _check_declared(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 1:
        raise Unsafe("is protected by a password")
    if member.compress_type not in _PACKED:
        raise Unsafe("is packed in a way that no spreadsheet program uses")
    is_large = member.file_size > _RATIO_FROM_BYTES
    if is_large and member.file_size > _RATIO_MAX * max(member.compress_size, 1):
        raise Unsafe(f"unpacks to more than {_RATIO_MAX} times its size")


def _copy_part(part: IO[bytes], target: IO[bytes], name: str, counts: _Counts) -> None:
    is_sheet, is_text = "worksheets/" in name, name.endswith("sharedStrings.xml")
    kept = b""
    since_text = 0
    while chunk := part.read(_CHUNK_BYTES):
        target.write(chunk)
        counts.unpacked_bytes += len(chunk)
        counts.check()
        if is_text:
            since_text = _count_texts(chunk, since_text, counts)
        if is_sheet:
            seen = kept + chunk
            end = seen.rfind(b"<")
            _count_cells(seen[:end], counts)
            kept = seen[end:]
    if is_sheet:
        _count_cells(kept, counts)
    counts.check()


def _count_texts(chunk: bytes, since_text: int, counts: _Counts) -> int:
    """Note the longest text; how many bytes of the next one there are already."""
    *whole, rest = chunk.split(_TEXT_END)
    for text in whole:
        counts.text_bytes_max = max(counts.text_bytes_max, since_text + len(text))
        since_text = 0
    since_text += len(rest)
    counts.text_bytes_max = max(counts.text_bytes_max, since_text)
    return since_text


def _count_cells(xml: bytes, counts: _Counts) -> None:
    """Note how far the cells reach; those that do not say where they stand are refused."""
    places = _CELL_PLACE.findall(xml)
    rows = _ROW_PLACE.findall(xml)
    if len(places) != len(_CELL.findall(xml)) or len(rows) != len(_ROW.findall(xml)):
        raise Unsafe("has cells that do not say where they stand")
    for letters in {letters for letters, _ in places}:
        counts.column_max = max(counts.column_max, _column(letters))
    ends = [*(row for _, row in places), *rows]
    counts.row_max = max(counts.row_max, max(map(int, ends), default=0))
    counts.shared_count += len(_SHARED.findall(xml))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * _COLUMN_LETTERS + letter - ord("A") + 1
    return number
