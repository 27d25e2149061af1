"""The protocol of a source of receipts. A new point of sale is one file that implements it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator, Sequence

    from daybook.sales.frames import ReceiptBatch
    from daybook.sales.store import Store, StoreDay


@dataclass(frozen=True, slots=True)
class Reach:
    """Which sales a row that could not be read may be about; None means any that are asked for.

    `first_at` and `last_at` are the first and the last instant (aware) at which it may have been.
    """

    store_ids: frozenset[str] | None = None
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None

    def __or__(self, other: Reach) -> Reach:
        """The sales that either may be about, and those between."""
        stores = (
            None
            if self.store_ids is None or other.store_ids is None
            else self.store_ids | other.store_ids
        )
        firsts, lasts = (self.first_at, other.first_at), (self.last_at, other.last_at)
        return Reach(
            stores,
            None if None in firsts else min(at for at in firsts if at),
            None if None in lasts else max(at for at in lasts if at),
        )


# A reject that leaves no day incomplete: of a store nobody knows, or of a file taken over whole.
NO_DAY: Final = Reach(frozenset())


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be read: where it stands and why; the header is row 1.

    The days within its reach may lack its receipt, so they are held back.
    """

    url: str
    row_number: int
    column: str
    reason: str
    reach: Reach = Reach()


@dataclass(frozen=True, slots=True)
class Page:
    """What a source hands over at a time: some receipts, and the rows it could not read.

    Of the `whole_days` it has every receipt: others that the ledger has of them, from a page of
    the same `origin`, are another representation of the same sales, whose place these take. Of
    the `kept_days` among them the ledger's receipts may not vanish without another proof; only
    one that stands for its whole day, whose id begins with `stand_in`, gives way to an equal sum.
    """

    batch: ReceiptBatch
    rejects: tuple[Reject, ...] = ()
    whole_days: tuple[StoreDay, ...] = ()
    origin: str = ""
    kept_days: tuple[StoreDay, ...] = ()
    stand_in: str = ""


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
