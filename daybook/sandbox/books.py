"""The books of one organisation: tables of records, indexes over them, and what changed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from daybook.sandbox import records

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from datetime import date

    import msgspec


class Record(Protocol):
    """Anything with an id."""

    id: str


R = TypeVar("R", bound=Record)
OptionIndex = tuple[dict[str, records.TrackingOption], dict[str, records.TrackingOption]]
Change = tuple[str, str, str]
"""(organisation id, table name, record id)"""


class Table(Generic[R]):
    """Records by id, with equality indexes and, where asked, a sorted index over one date."""

    def __init__(self, note: Callable[[str], None], **indexes: Callable[[R], Hashable]) -> None:
        """`note` is told the id of every record put; each index maps a record to its key."""
        self.rows: dict[str, R] = {}
        self._note = note
        self._key_of = tuple(indexes.values())
        self._ids: dict[str, dict[Hashable, dict[str, None]]] = {name: {} for name in indexes}
        self._keys: dict[str, tuple[Hashable, ...]] = {}
        self._dates: list[date] = []
        self.memo: dict[Hashable, list[R]] = {}
        """Answers of list calls, good until the next `put`: a client asks for page after page."""
        self.views: dict[Hashable, msgspec.Raw] = {}
        """Wire forms, good until the next `put`: every document shows its contact."""

    def __len__(self) -> int:
        """Count all records, deleted ones included."""
        return len(self.rows)

    def __iter__(self) -> Iterator[R]:
        """Go through the records in order of creation."""
        return iter(self.rows.values())

    def get(self, record_id: str) -> R | None:
        """Return the record, or nothing."""
        return self.rows.get(record_id)

    def put(self, row: R) -> None:
        """Insert or replace a record and keep the indexes true."""
        self.memo.clear()
        self.views.clear()
        self.rows[row.id] = row
        keys = tuple([key(row) for key in self._key_of])
        before = self._keys.get(row.id)
        if keys != before:
            self._keys[row.id] = keys
            if before is None:
                before = (None,) * len(keys)
            for name, old, new in zip(self._ids, before, keys, strict=True):
                if old != new:
                    self._move(name, row.id, old, new)
        self._note(row.id)

    def _move(self, name: str, record_id: str, old: Hashable, new: Hashable) -> None:
        """Take a record from one key of an index to another; None stands for no entry."""
        index = self._ids[name]
        if old is not None:
            index[old].pop(record_id, None)
        if new is not None:
            found = index.get(new)
            if found is None:
                found = index[new] = {}
                if name == "date":
                    insort(self._dates, new)  # type: ignore[call-overload]  # the date index maps to dates
            found[record_id] = None

    def find(self, index: str, key: Hashable) -> list[R]:
        """Return all records with this key, oldest first."""
        found = self._ids[index].get(key)
        return [self.rows[record_id] for record_id in found] if found else []

    def between(self, first: date | None, last: date | None) -> Iterable[R]:
        """Return the records of a closed date range by the date index; None leaves a side open."""
        start = 0 if first is None else bisect_left(self._dates, first)
        stop = len(self._dates) if last is None else bisect_right(self._dates, last)
        for day in self._dates[start:stop]:
            yield from self.find("date", day)

    def indexes(self) -> tuple[str, ...]:
        """Return the names of the equality indexes."""
        return tuple(self._ids)


def _document_table(note: Callable[[str], None]) -> Table[records.Document]:
    return Table(
        note,
        number=lambda row: row.number.lower() or None,
        date=lambda row: row.document_date,
        contact=lambda row: row.contact_id,
        reference=lambda row: row.reference.lower() or None,
    )


TABLES: dict[str, type[Any]] = {
    "accounts": records.Account,
    "tax_rates": records.TaxRate,
    "tracking_categories": records.TrackingCategory,
    "contacts": records.Contact,
    "currencies": records.Currency,
    "invoices": records.Document,
    "credit_notes": records.Document,
    "bank_transactions": records.Document,
    "payments": records.Payment,
    "batch_payments": records.BatchPayment,
    "allocations": records.Allocation,
    "attachments": records.Attachment,
    "history": records.HistoryRecord,
}


class Books:
    """Everything one organisation holds."""

    def __init__(self, organisation: records.Organisation, changes: list[Change]) -> None:
        """Empty books; every change is appended to `changes` for the state file."""
        self.organisation = organisation
        self.changes = changes
        self.next_invoice_number = 1
        self.next_credit_note_number = 1
        self._option_index: dict[str, OptionIndex] = {}

        def note(table: str) -> Callable[[str], None]:
            return lambda record_id: changes.append((organisation.id, table, record_id))

        self.accounts: Table[records.Account] = Table(
            note("accounts"),
            code=lambda row: row.code or None,
            name=lambda row: row.name.lower(),
            system=lambda row: row.system_account or None,
        )
        self.tax_rates: Table[records.TaxRate] = Table(note("tax_rates"))
        self.tracking_categories: Table[records.TrackingCategory] = Table(
            note("tracking_categories"), name=lambda row: row.name.lower()
        )
        self.contacts: Table[records.Contact] = Table(
            note("contacts"),
            name=lambda row: row.name.lower(),
            number=lambda row: row.number.lower() or None,
        )
        self.currencies: Table[records.Currency] = Table(note("currencies"))
        self.invoices = _document_table(note("invoices"))
        self.credit_notes = _document_table(note("credit_notes"))
        self.bank_transactions = _document_table(note("bank_transactions"))
        self.payments: Table[records.Payment] = Table(
            note("payments"),
            document=lambda row: row.document_id,
            date=lambda row: row.payment_date,
            reference=lambda row: row.reference.lower() or None,
        )
        self.batch_payments: Table[records.BatchPayment] = Table(note("batch_payments"))
        self.allocations: Table[records.Allocation] = Table(note("allocations"))
        self.attachments: Table[records.Attachment] = Table(
            note("attachments"), parent=lambda row: (row.endpoint, row.parent_id)
        )
        self.history: Table[records.HistoryRecord] = Table(
            note("history"), parent=lambda row: row.parent_id
        )

    def table(self, name: str) -> Table[Any]:
        """Return a table by its name in `TABLES`."""
        found: Table[Any] = getattr(self, name)
        return found

    def option_by_name(
        self, category: records.TrackingCategory, name: str
    ) -> records.TrackingOption | None:
        """Return an option of a category by name, whatever its case; an active one is preferred."""
        return self._options(category)[0].get(name.strip().lower())

    def option_by_id(
        self, category: records.TrackingCategory, option_id: str
    ) -> records.TrackingOption | None:
        """Return an option of a category by id."""
        return self._options(category)[1].get(option_id)

    def _options(self, category: records.TrackingCategory) -> OptionIndex:
        """Index a category's options once per change of the category."""
        index = self._option_index.get(category.id)
        if index is None:
            by_name: dict[str, records.TrackingOption] = {}
            for option in category.options:
                key = option.name.lower()
                if key not in by_name or option.status == "ACTIVE":
                    by_name[key] = option
            index = (by_name, {option.id: option for option in category.options})
            self._option_index[category.id] = index
        return index

    def put_tracking_category(self, category: records.TrackingCategory) -> None:
        """Store a category after any change of it or its options."""
        self._option_index.pop(category.id, None)
        self.tracking_categories.put(category)

    def organisation_changed(self) -> None:
        """Note that name, plan, lock dates or number counters of the organisation changed."""
        self.changes.append((self.organisation.id, "organisation", self.organisation.id))
