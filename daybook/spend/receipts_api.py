"""Receipts over HTTP, as the sandbox offers them; Aspire's public API has no such endpoint.

A real endpoint of that kind is one more file with the same two methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daybook.expenses.expense import AttachmentRef
from daybook.spend.source import FoundReceipts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daybook.expenses.expense import Expense
    from daybook.spend.aspire import AspireApi

_PATH: Final = "/receipts/v1"


class ReceiptsApi:
    """Receipts by the source's transaction ids."""

    def __init__(self, api: AspireApi) -> None:
        """Read with the login of the expenses."""
        self._api = api

    def find(self, expenses: Sequence[Expense]) -> FoundReceipts:
        """The receipts there are now; one list for the whole period of the expenses."""
        if not expenses:
            return FoundReceipts({})
        dates = [one.spent_date for one in expenses]
        params = {
            "start_date": f"{min(dates)}T00:00:00Z",
            "end_date": f"{max(dates)}T23:59:59Z",
        }
        ids = {one.id_source: one.expense_id for one in expenses}
        found: dict[str, list[AttachmentRef]] = {}
        for rows in self._api.pages(f"{_PATH}/receipts", params):
            for row in rows:
                expense_id = ids.get(row["transaction_id"])
                if expense_id is not None:
                    ref = AttachmentRef(row["key"], row["name"])
                    found.setdefault(expense_id, []).append(ref)
        return FoundReceipts({key: tuple(refs) for key, refs in found.items()})

    def read(self, key: str) -> bytes:
        """A receipt's content."""
        return self._api.get(f"{_PATH}/files/{key}", {}).content
