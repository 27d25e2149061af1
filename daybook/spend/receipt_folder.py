"""Receipts in a folder, local or at any fsspec URL, matched by their names."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

import fsspec
from fsspec.implementations.local import LocalFileSystem

from daybook.errors import InputError, Unavailable
from daybook.expenses.expense import AttachmentRef
from daybook.spend.receipt_matching import match

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daybook.expenses.expense import Expense
    from daybook.spend.source import FoundReceipts

_HIDDEN: Final = (".", "~")
_LINK_MET: Final = {errno.ELOOP, errno.ENOTDIR}


class ReceiptFolder:
    """A folder and its folders."""

    def __init__(self, url: str) -> None:
        """Look into this folder, anew each time."""
        self._url = url
        self._files, self._root = fsspec.core.url_to_fs(url)

    def find(self, expenses: Sequence[Expense]) -> FoundReceipts:
        """The receipts there are now for these expenses."""
        return match(expenses, self._refs())

    def read(self, key: str) -> bytes:
        """A receipt's content; `key` is its path below the folder."""
        if ".." in key.split("/") or key.startswith("/"):
            raise InputError(f"'{key}' is not a path below {self._url}.")
        try:
            if isinstance(self._files, LocalFileSystem):
                return self._read_here(key)
            content: bytes = self._files.cat_file(f"{self._root}/{key}")
        except FileNotFoundError as error:
            raise InputError(f"The receipt {key} is not in {self._url} any more.") from error
        except OSError as error:
            raise Unavailable(f"The receipt {key} cannot be read: {error}.") from error
        return content

    def _read_here(self, key: str) -> bytes:
        """A local file; a link on the way, which may lead anywhere, is not followed."""
        *folders, name = key.split("/")
        at = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
                os.close(at)
                at = inner
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
        except OSError as error:
            if error.errno in _LINK_MET:
                raise self._no_file(key) from error
            raise
        finally:
            os.close(at)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self._no_file(key)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def _no_file(self, key: str) -> InputError:
        return InputError(
            f"The receipt {key} in {self._url} is a link or no file, which is not followed. "
            "Put the file itself there."
        )

    def _refs(self) -> Iterator[AttachmentRef]:
        if not self._files.isdir(self._root):
            raise InputError(f"There is no folder {self._url}. Check DAYBOOK_RECEIPTS_URL.")
        for path, info in self._files.find(self._root, detail=True).items():
            key = path[len(self._root) :].lstrip("/")
            name = key.rpartition("/")[2]
            is_link = bool(info.get("islink"))
            if not name.startswith(_HIDDEN) and info["type"] == "file" and not is_link:
                version = str(info.get("etag") or info.get("ETag") or info.get("mtime") or "")
                yield AttachmentRef(key, name, int(info["size"] or 0), version)
