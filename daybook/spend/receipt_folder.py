"""Receipts in a folder, local or at any fsspec URL, matched by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import fsspec

from daybook.errors import InputError, Unavailable
from daybook.expenses.expense import AttachmentRef
from daybook.spend.receipt_matching import match

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daybook.expenses.expense import Expense
    from daybook.spend.source import FoundReceipts

_HIDDEN: Final = (".", "~")


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
            content: bytes = self._files.cat_file(f"{self._root}/{key}")
        except FileNotFoundError as error:
            raise InputError(f"The receipt {key} is not in {self._url} any more.") from error
        except OSError as error:
            raise Unavailable(f"The receipt {key} cannot be read: {error}.") from error
        return content

    def _refs(self) -> Iterator[AttachmentRef]:
        if not self._files.isdir(self._root):
            raise InputError(f"There is no folder {self._url}. Check DAYBOOK_SPEND_RECEIPTS_URL.")
        for path, info in self._files.find(self._root, detail=True).items():
            key = path[len(self._root) :].lstrip("/")
            name = key.rpartition("/")[2]
            if not name.startswith(_HIDDEN) and info["type"] == "file":
                version = str(info.get("etag") or info.get("ETag") or info.get("mtime") or "")
                yield AttachmentRef(key, name, int(info["size"] or 0), version)
