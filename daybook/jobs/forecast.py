"""Says before a posting starts how many calls it needs, and how long the limits make it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybook.jobs.post_round import batches
from daybook.ledger.documents import SALES_KINDS, waiting_documents
from daybook.posting.documents import DocumentKind
from daybook.wording import counted
from daybook.xero.batches import lookup_chunks
from daybook.xero.lookup import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Engine

    from daybook.sales.store import StoreDay


@dataclass(frozen=True, slots=True)
class Forecast:
    """What posting some store-days will take in one organisation."""

    document_count: int
    call_count: int
    minute_calls: int
    day_calls: int  # a backfill's without the night's reserve
    left_calls: int  # of today's

    @property
    def minute_count(self) -> int:
        """Whole minutes that the calls need under the limit per minute, beyond the first burst."""
        return max(0, math.ceil(self.call_count / self.minute_calls) - 1)

    @property
    def day_count(self) -> int:
        """Days that the calls need under the limit per day, today included."""
        return 1 + math.ceil(max(0, self.call_count - self.left_calls) / self.day_calls)

    def __str__(self) -> str:
        """One sentence for the log."""
        waits = (
            f"about {counted(self.minute_count, 'minute')}"
            if self.minute_count
            else "under a minute"
        )
        span = counted(self.day_count, "day") if self.day_count > 1 else waits
        return (
            f"{counted(self.document_count, 'document')} in {counted(self.call_count, 'call')}; "
            "under Xero's limits "
            f"({self.minute_calls} a minute, {self.day_calls} a day, {self.left_calls} left today) "
            f"that takes {span}."
        )


def forecast(
    engine: Engine,
    organisation_id: int,
    store_days: Collection[StoreDay],
    *,
    minute_calls: int,
    day_calls: int,
    left_calls: int | None = None,
) -> Forecast:
    """Count the planned documents and the calls they fill, with the lookup of their contacts.

    `left_calls` are what is left of today's, all of them where it is not known.
    Reading Xero back afterwards is in it; a contact that has to be made first takes two calls more.
    """
    documents = calls = 0
    contacts: set[str] = set()
    with engine.connect() as connection:
        for kind in SALES_KINDS:
            waiting = waiting_documents(
                connection, organisation_id, store_days, kind=kind, parents_posted=False
            )
            documents += len(waiting)
            calls += sum(1 for _ in batches(waiting))
            if kind is not DocumentKind.PAYMENT:  # payments are read back with their documents
                calls += math.ceil(len(waiting) / PAGE_SIZE)
                contacts |= {one.contact_name for one in waiting}
    calls += sum(1 for _ in lookup_chunks(sorted(contacts)))
    left = day_calls if left_calls is None else left_calls
    return Forecast(documents, calls, minute_calls, day_calls, left)


def beside_used(expected: Forecast, used_count: int) -> str:
    """One sentence for the log, when all is posted and read back."""
    more = used_count - expected.call_count
    how = "as forecast" if more == 0 else f"{abs(more)} {'more' if more > 0 else 'fewer'} than that"
    forecast_calls = counted(expected.call_count, "call was", "calls were")
    return f"{forecast_calls} forecast and {used_count} used, {how}."
