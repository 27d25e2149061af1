"""Finds the files of a files source: one part, or folders of parts with the same names."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, get_args

from fsspec import available_protocols
from fsspec.core import url_to_fs

from daybook.errors import InputError
from daybook.pos.file_form import TableFile, TableName

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_SUFFIX: Final = re.compile(r"\.(parquet|csv|csv\.gz|xlsx)$")
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@]*@")
_QUERY: Final = re.compile(r"\?.*$")
# A spreadsheet program keeps one beside each workbook that is open.
_LOCK_FILE: Final = "~$"
_TABLES: Final[tuple[TableName, ...]] = get_args(TableName)


@dataclass(frozen=True, slots=True)
class Part:
    """Three files that belong together: every line and tender's receipt is in the same part."""

    receipts: TableFile
    lines: TableFile
    tenders: TableFile


def is_scheme(scheme: str) -> bool:
    """Whether files lie at addresses that begin so, s3 for example."""
    return scheme in available_protocols()


def find_parts(url: str) -> list[Part]:
    """The parts under a folder or any fsspec URL, by name.

    Raises:
        InputError: the folder, or one of the files of a part, is not there.
    """
    file_system, root = _opened(url)
    shown = redacted(url).rstrip("/")
    found: dict[str, dict[TableName, TableFile]] = defaultdict(dict)
    for file in _files(file_system, root, shown):
        if file.table in found[file.part]:
            other = found[file.part][file.table]
            raise InputError(f"{file.url} and {other.url} are the same part; remove one of them.")
        found[file.part][file.table] = file
    if not found:
        raise InputError(
            f"There is no receipts.csv, .parquet or .xlsx and no folder receipts in {shown}; "
            "put the files there, or correct DAYBOOK_POS_URL."
        )
    return [_part(files, shown) for _, files in sorted(found.items())]


def redacted(url: str) -> str:
    """The URL without user, password and query, fit for logs and tables."""
    return _QUERY.sub("", _CREDENTIALS.sub("", url)) if "://" in url else url


def _opened(url: str) -> tuple[AbstractFileSystem, str]:
    try:
        file_system, root = url_to_fs(url)
        file_system.invalidate_cache()
    except (ImportError, ValueError, OSError) as error:
        # The cause may quote the URL with its password: its kind is said, its words are not.
        raise InputError(
            f"The files at {redacted(url)} cannot be reached ({type(error).__name__}); check "
            "DAYBOOK_POS_URL, and that the Python package for this kind of URL is installed."
        ) from None
    return file_system, root.rstrip("/")


def _files(file_system: AbstractFileSystem, root: str, shown: str) -> list[TableFile]:
    files = []
    for path, name in _listed(file_system, root, shown):
        table = _SUFFIX.sub("", name)
        if table not in _TABLES:
            continue
        if table != name:
            files.append(TableFile(table, "", file_system, path, f"{shown}/{name}"))
            continue
        files += [
            TableFile(table, _SUFFIX.sub("", inner), file_system, below, f"{shown}/{name}/{inner}")
            for below, inner in _listed(file_system, path, f"{shown}/{name}")
            if _SUFFIX.search(inner) and not inner.startswith(_LOCK_FILE)
        ]
    return files


def _listed(file_system: AbstractFileSystem, folder: str, shown: str) -> list[tuple[str, str]]:
    """Paths and names of what is in the folder."""
    try:
        paths = [path.rstrip("/") for path in file_system.ls(folder, detail=False)]
    except FileNotFoundError:
        raise InputError(
            f"There is no folder {shown}; create it with the files, or correct DAYBOOK_POS_URL."
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"The folder {shown} cannot be read ({type(error).__name__}); check that Daybook may."
        ) from None
    return [(path, path.rsplit("/", 1)[-1]) for path in sorted(paths)]


def _part(files: dict[TableName, TableFile], shown: str) -> Part:
    receipts = files.get("receipts")
    if receipts and receipts.is_xlsx and len(files) == 1:
        return Part(**{table: _sheet_file(receipts, table) for table in _TABLES})
    for table in _TABLES:
        if table not in files:
            there = next(iter(files.values())).url
            raise InputError(
                f"{there} is there, but its {table} are not in {shown}; put the file of the same "
                f"name beside it."
            )
    return Part(**files)


def _sheet_file(file: TableFile, table: TableName) -> TableFile:
    """One table of a workbook that holds all three."""
    return replace(file, table=table, url=f"{file.url}#{table}", is_shared=True)
