"""The protocols of a source of expenses and of a store of receipts; a new one is one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from daybook.errors import InputError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from daybook.expenses.expense import AttachmentRef, Expense


@dataclass(frozen=True, slots=True)
class SpendReject:
    """A row that could not be read, or a receipt that fits nowhere: where, and what to do."""

    where: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SpendPage:
    """What a source hands over at a time; `ignored_count` are payments that are no expenses."""

    expenses: tuple[Expense, ...]
    rejects: tuple[SpendReject, ...] = ()
    ignored_count: int = 0


class ExpenseSource(Protocol):
    """Reads expenses; may be asked again for the same window at any time."""

    @property
    def name(self) -> str:
        """The source's short name, which stands in every expense id."""
        ...

    def expenses(self, first_date: dt.date, last_date: dt.date) -> Iterator[SpendPage]:
        """Every expense of the window, both ends included, in bounded pages."""
        ...


@dataclass(frozen=True, slots=True)
class FoundReceipts:
    """Receipts by expense id, and those that could not be matched to one."""

    by_expense: Mapping[str, tuple[AttachmentRef, ...]]
    unmatched: tuple[SpendReject, ...] = ()


class ReceiptStore(Protocol):
    """Where receipts' files lie."""

    def find(self, expenses: Sequence[Expense]) -> FoundReceipts:
        """The receipts there are now for these expenses."""
        ...

    def read(self, key: str) -> bytes:
        """A receipt's content; raises `InputError` when it is gone."""
        ...


class NoReceipts:
    """Where no store of receipts is named: there are none."""

    def find(self, expenses: Sequence[Expense]) -> FoundReceipts:  # noqa: ARG002 - the protocol's form
        """None."""
        return FoundReceipts({})

    def read(self, key: str) -> bytes:
        """Nothing; asked where a receipt was found before the store was taken away."""
        raise InputError(
            f"The receipt {key} cannot be read: no store of receipts is set any more. Set "
            "DAYBOOK_RECEIPTS_URL again, or say 'daybook expenses attachments ID --skip'."
        )
