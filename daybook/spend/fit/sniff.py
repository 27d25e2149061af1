"""What a file is, by its content; its name is only asked where content alone cannot tell."""

from __future__ import annotations

import io
import zipfile
from typing import Final

from daybook.expenses.attachment_verdicts import RefusalCode
from daybook.spend.fit.verdict import CannotFit

IMAGES: Final = frozenset({"jpg", "png", "gif", "bmp", "tif", "webp", "heic", "avif"})

_HEAD_BYTES: Final = 1024
_ZIP_ENTRIES_MAX: Final = 10_000
_UNPACKED_BYTES_MAX: Final = 500_000_000
_MAGIC: Final = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tif"),
    (b"MM\0*", "tif"),
    (b"II+\0", "tif"),
    (b"MM\0+", "tif"),
    (b"{\\rtf", "rtf"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"PK\x03\x04", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
)
_HEIF_BRANDS: Final = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_AVIF_BRANDS: Final = (b"avif", b"avis")
_OLE_EXTENSIONS: Final = frozenset({"doc", "xls", "ppt", "msg"})
_TEXT_EXTENSIONS: Final = frozenset({"txt", "csv", "eml"})
_OPEN_DOCUMENTS: Final = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.formula": "odf",
}
_OFFICE_FOLDERS: Final = (("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx"))
_MACROS: Final = ("vbaproject.bin", "basic/script-lc.xml")


def sniff(content: bytes, extension: str) -> str:
    """The extension the content deserves, or 'heic', 'webp', 'avif'; raises CannotFit if unknown.

    `extension` is the one the file came with, in one spelling and small letters.
    """
    kind = _by_magic(content)
    if kind == "zip":
        return _inside_zip(content)
    if kind == "ole":
        if extension in _OLE_EXTENSIONS:
            return extension
        raise CannotFit(RefusalCode.UNKNOWN_TYPE)
    if kind:
        return kind
    if extension in _TEXT_EXTENSIONS and _is_text(content):
        return extension
    raise CannotFit(RefusalCode.UNKNOWN_TYPE)


def _by_magic(content: bytes) -> str:
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    # The four bytes after the size of the file are reserved and zero in every real bitmap.
    if content[:2] == b"BM" and content[6:10] == b"\0\0\0\0":
        return "bmp"
    if content[4:8] == b"ftyp":
        return _by_brand(content)
    # Readers accept a PDF whose header comes late; so do those who hide something before it.
    if b"%PDF-" in content[:_HEAD_BYTES]:
        return "pdf"
    return ""


def _by_brand(content: bytes) -> str:
    length = min(int.from_bytes(content[:4], "big"), _HEAD_BYTES)
    brands = [content[8:12], *(content[at : at + 4] for at in range(16, length, 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return "avif"
    return "heic" if any(brand in _HEIF_BRANDS for brand in brands) else ""


def _inside_zip(content: bytes) -> str:
    """Which document a zip is; nothing is unpacked but the first entry of OpenDocument (stored)."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeError) as error:
        raise CannotFit(RefusalCode.BROKEN) from error
    if not entries:
        raise CannotFit(RefusalCode.BROKEN)
    # Never unpacked here, but whoever opens the attachment will unpack it.
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > _ZIP_ENTRIES_MAX or unpacked > _UNPACKED_BYTES_MAX:
        raise CannotFit(RefusalCode.BOMB)
    if any(entry.flag_bits & 1 for entry in entries):
        raise CannotFit(RefusalCode.PASSWORD)
    names = [entry.filename.lower() for entry in entries]
    if any(name.endswith(_MACROS) for name in names):
        raise CannotFit(RefusalCode.HAS_MACROS)
    return _document_kind(content, names)


def _document_kind(content: bytes, names: list[str]) -> str:
    for media_type, kind in _OPEN_DOCUMENTS.items():
        # OpenDocument begins with an uncompressed entry called mimetype: it lies at a known place.
        if content[30:38] == b"mimetype" and content[38:].startswith(media_type + b"PK"):
            return kind
    if "[content_types].xml" in names:
        for folder, kind in _OFFICE_FOLDERS:
            if any(name.startswith(folder) for name in names):
                return kind
    return "zip"


def _is_text(content: bytes) -> bool:
    """Whether people can read it: UTF-8, UTF-16 with a mark, or bytes without control codes."""
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    controls = sum(letter < " " and letter not in "\t\n\r\f" for letter in text[:100_000])
    return controls == 0 and bool(text.strip())
