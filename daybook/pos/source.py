"""The protocol of a source of receipts. A new point of sale is one file that implements it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator, Sequence

    from daybook.sales.frames import ReceiptBatch
    from daybook.sales.store import Store


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be read: where it stands and why; the header is row 1."""

    url: str
    row_number: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a source hands over at a time: some receipts, and the rows it could not read."""

    batch: ReceiptBatch
    rejects: tuple[Reject, ...] = ()


class ReceiptSource(Protocol):
    """Reads receipts; may be asked again for the same window at any time."""

    @property
    def name(self) -> str:
        """A short name for logs and tables."""
        ...

    def receipts(
        self,
        stores: Sequence[Store],
        first_date: dt.date,
        last_date: dt.date,
        *,
        known_store_ids: Collection[str] | None = None,
    ) -> Iterator[Page]:
        """Every receipt of the stores whose business date lies in the window, in bounded pages.

        A page may also carry receipts just outside the window; the caller drops those. Where the
        ids of all stores are given, receipts of any other store are rejects.
        """
        ...
