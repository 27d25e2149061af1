"""Why 0.01? A store-day's receipts beside its documents, and one sentence on what differs.

Backward: which receipts do not balance, and which account, tax or tender differs from what was
made of them. Forward: which document lines and payments one receipt is part of.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daybook.errors import InputError
from daybook.ledger.filed_documents import filed_documents
from daybook.ledger.mappings import read_mappings
from daybook.ledger.receipts import read_receipts
from daybook.ledger.store_days import read_store_days
from daybook.ledger.stores import read_stores
from daybook.money import amount_from_minor, minor_from_amount
from daybook.posting.documents import DocumentKind, Payment, SalesDocument
from daybook.posting.holds import HoldCode
from daybook.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd
    from sqlalchemy import Engine

    from daybook.posting.documents import Document
    from daybook.posting.holds import Hold
    from daybook.posting.mapping import Mapping
    from daybook.sales.frames import ReceiptBatch
    from daybook.sales.store import StoreDay

_TOLD_BY_RECEIPTS: Final = {HoldCode.UNBALANCED, HoldCode.CONTROL_TOTAL}
_NOT_MAPPED: Final = "not mapped"
_ROUNDING_MAX: Final = 4  # a till rounds to five of the smallest unit, so it leaves no more
_NAMED_MAX: Final = 3
_FIRST_COLONS: Final = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a receipt; minor units."""

    category: str
    tax_code: str
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt with its lines and its tenders (name, minor units)."""

    receipt_id_pos: str
    currency: str
    is_refund: bool
    is_voided: bool
    lines: tuple[Line, ...]
    tenders: tuple[tuple[str, int], ...]

    @property
    def owed_minor(self) -> int:
        """Lines and tax."""
        return sum(line.net_minor + line.tax_minor for line in self.lines)

    @property
    def paid_minor(self) -> int:
        """Tenders."""
        return sum(amount for _, amount in self.tenders)

    @property
    def difference_minor(self) -> int:
        """What was paid more than owed."""
        return self.paid_minor - self.owed_minor


@dataclass(frozen=True, slots=True)
class Sum:
    """One figure of the day in its currency: by the receipts, and by the documents if compared."""

    currency: str
    part: str
    key: str
    receipts_minor: int
    documents_minor: int | None

    @property
    def difference_minor(self) -> int:
        """What the documents say more than the receipts."""
        if self.documents_minor is None:
            return 0
        return self.documents_minor - self.receipts_minor


@dataclass(frozen=True, slots=True)
class Place:
    """Where one line or tender of a receipt went: `where` is a document's line, or a payment."""

    what: str
    amount_minor: int
    currency: str
    account: str
    where: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A store-day explained; `odd` are the receipts whose tenders are not what they cost."""

    odd: tuple[Receipt, ...]
    sums: tuple[Sum, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class StoreDayFacts:
    """What the ledger has of a store-day: voided receipts too, documents sent or not."""

    store_day: StoreDay
    receipts: tuple[Receipt, ...]
    documents: tuple[Document, ...]
    mapping: Mapping | None
    holds: tuple[Hold, ...] = ()


def store_day_facts(engine: Engine, store_day: StoreDay) -> StoreDayFacts:
    """Read a store-day from the ledger.

    Raises:
        InputError: the ledger has no such store.
    """
    with engine.connect() as connection:
        store = read_stores(connection, {store_day.store_id}).get(store_day.store_id)
        if store is None:
            raise InputError(
                f"The ledger does not know store {store_day.store_id}; 'daybook stores list' "
                "shows those it knows."
            )
        receipts = receipts_of(read_receipts(connection, [store_day]))
        filed = filed_documents(connection, [store_day])[store_day]
        dated = read_mappings(connection).get(store.organisation_id or 0)
        status = read_store_days(connection, [store_day]).get(store_day)
    mapping = dated.on(store_day.business_date) if dated else None
    documents = tuple(one.filed.document for one in filed)
    return StoreDayFacts(store_day, receipts, documents, mapping, status.holds if status else ())


def receipts_of(batch: ReceiptBatch) -> tuple[Receipt, ...]:
    """The receipts of the frames, by their ids."""
    lines, tenders = defaultdict(list), defaultdict(list)
    for key, *line in _rows(
        batch.lines.sort_values(["receipt_key", "line_no"]),
        ("receipt_key", "category", "tax_code", "net_minor", "tax_minor"),
    ):
        lines[key].append(Line(*line))
    for key, *tender in _rows(
        batch.tenders.sort_values(["receipt_key", "tender_no"]),
        ("receipt_key", "tender", "amount_minor"),
    ):
        tenders[key].append((tender[0], tender[1]))
    heads = _rows(
        batch.receipts.sort_values("receipt_id_pos"),
        ("receipt_key", "receipt_id_pos", "currency", "is_refund", "is_voided"),
    )
    return tuple(
        Receipt(id_pos, currency, is_refund, is_voided, tuple(lines[key]), tuple(tenders[key]))
        for key, id_pos, currency, is_refund, is_voided in heads
    )


def explain(facts: StoreDayFacts) -> Explained:
    """Every figure of the day side by side, and in one sentence what differs and why."""
    counted = [one for one in facts.receipts if not one.is_voided]
    odd = tuple(one for one in counted if one.difference_minor)
    sums = tuple(_sums(counted, facts))
    # Receipts that do not balance are named below, with more than the hold says of them.
    holds = [one for one in facts.holds if not odd or one.code not in _TOLD_BY_RECEIPTS]
    said = [*(one.sentence for one in holds), _sentence(facts, odd, sums)]
    return Explained(odd, sums, " ".join(said))


def places_of(facts: StoreDayFacts, receipt_id_pos: str) -> list[Place]:
    """The document lines and payments that this receipt is part of; none for a voided one.

    Where a posted day was adjusted, a line may be part of several documents: all are named.

    Raises:
        InputError: the store-day has no such receipt.
    """
    found = [one for one in facts.receipts if one.receipt_id_pos == receipt_id_pos]
    if not found:
        day = facts.store_day
        raise InputError(
            f"Store {day.store_id} has no receipt {receipt_id_pos} on {day.business_date}. Check "
            "the number; after midnight a sale may belong to the day before."
        )
    receipt = found[0]
    if receipt.is_voided:
        return []
    documents = _documents_for(receipt, facts.documents)
    return [
        *(_line_place(receipt, line, documents, facts) for line in receipt.lines),
        *(
            _tender_place(receipt, tender, facts.documents, documents, facts.mapping)
            for tender in receipt.tenders
        ),
    ]


def _rows(frame: pd.DataFrame, names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """The frame's rows as plain Python values."""
    return zip(*(frame[name].tolist() for name in names), strict=True)


def _sums(receipts: Iterable[Receipt], facts: StoreDayFacts) -> Iterator[Sum]:
    """Per currency: categories, then accounts, taxes and tenders beside the documents'."""
    wanted: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for receipt in receipts:
        for line in receipt.lines:
            total = line.net_minor + line.tax_minor
            account, tax_type = _target(line, facts)
            category = f"{line.category}, {line.tax_code}"
            wanted[receipt.currency, "category", category] += total
            wanted[receipt.currency, "document line", f"{account}, {tax_type}"] += total
            wanted[receipt.currency, "tax", tax_type] += line.tax_minor
        for tender, amount in receipt.tenders:
            wanted[receipt.currency, "tender", tender] += amount
    found = _document_sums(facts.documents)
    compared = {"document line", "tax", "tender"} if facts.documents else set()
    order = ("category", "document line", "tax", "tender")
    for key in sorted(wanted.keys() | found.keys(), key=lambda it: (it[0], order.index(it[1]), it)):
        currency, part, name = key
        is_compared = part in compared and not _is_promise(part, name, facts.mapping)
        yield Sum(currency, part, name, wanted[key], found[key] if is_compared else None)


def _document_sums(documents: Iterable[Document]) -> defaultdict[tuple[str, str, str], int]:
    sums: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for one in documents:
        currency = one.currency
        if isinstance(one, SalesDocument):
            sign = -1 if one.kind is DocumentKind.CREDIT_NOTE else 1
            for line in one.lines:
                tax = sign * minor_from_amount(line.tax_amount, currency)
                total = tax + sign * minor_from_amount(line.net_amount, currency)
                sums[currency, "document line", f"{line.account_code}, {line.tax_type}"] += total
                sums[currency, "tax", line.tax_type] += tax
        elif isinstance(one, Payment):
            sign = -1 if one.document_key.startswith(DocumentKind.CREDIT_NOTE) else 1
            sums[currency, "tender", one.tender] += sign * minor_from_amount(one.amount, currency)
    return sums


def _is_promise(part: str, name: str, mapping: Mapping | None) -> bool:
    """A tender that makes no payment has nothing to be compared with."""
    return part == "tender" and mapping is not None and mapping.is_unpaid(name)


def _target(line: Line, facts: StoreDayFacts) -> tuple[str, str]:
    mapping = facts.mapping
    if mapping is None:
        return _NOT_MAPPED, _NOT_MAPPED
    rule = mapping.tax_rule(line.tax_code, facts.store_day.business_date)
    return (
        mapping.categories.get(line.category, _NOT_MAPPED),
        rule.tax_type if rule else _NOT_MAPPED,
    )


def _sentence(facts: StoreDayFacts, odd: Sequence[Receipt], sums: Sequence[Sum]) -> str:
    day = facts.store_day
    if not facts.receipts:
        return f"The ledger has no receipts of store {day.store_id} on {day.business_date}."
    if odd:
        named = "; ".join(_why(one) for one in odd[:_NAMED_MAX])
        more = (
            f"; and {counted(len(odd) - _NAMED_MAX, 'more receipt')}"
            if len(odd) > _NAMED_MAX
            else ""
        )
        return f"{_apart(odd)}: {named}{more}. Correct it in the point of sale."
    if not facts.documents and facts.holds:
        return "The receipts that were read balance, and no document was made of them."
    if not facts.documents:
        return (
            "Every receipt balances, and no document was made of them yet: run the day, or see "
            f"'daybook days {day.business_date} --store {day.store_id}' for what holds it back."
        )
    differing = [one for one in sums if one.difference_minor]
    if not differing:
        which = "The receipts that were read balance" if facts.holds else "Every receipt balances"
        return f"{which}, and the documents say the same to the cent."
    named = "; ".join(_difference(one) for one in differing[:_NAMED_MAX])
    more = f"; and {len(differing) - _NAMED_MAX} more" if len(differing) > _NAMED_MAX else ""
    return (
        f"Every receipt balances, but the documents differ: {named}{more}. The receipts or the "
        "mapping changed after they were made: run the day again."
    )


def _apart(odd: Sequence[Receipt]) -> str:
    """By how much the tenders miss the lines and tax, per currency."""
    sums: defaultdict[str, int] = defaultdict(int)
    for one in odd:
        sums[one.currency] += one.difference_minor
    said = ", ".join(
        f"{amount_from_minor(minor, currency):+} {currency}" for currency, minor in sums.items()
    )
    return f"Tenders less lines and tax come to {said}"


def _why(receipt: Receipt) -> str:
    owed, paid = (
        amount_from_minor(one, receipt.currency) for one in (receipt.owed_minor, receipt.paid_minor)
    )
    return (
        f"receipt {receipt.receipt_id_pos} costs {owed} and was paid {paid}, "
        f"{paid - owed:+}{_hint(receipt)}"
    )


def _hint(receipt: Receipt) -> str:
    """What on the receipt is as large as the difference, if anything is."""
    gap = abs(receipt.difference_minor)
    suspects = [
        *((amount, f"its tender {tender}") for tender, amount in receipt.tenders),
        *(
            (line.net_minor + line.tax_minor, f"its line {number}, {line.category}")
            for number, line in enumerate(receipt.lines, 1)
        ),
        *(
            (line.tax_minor, f"the tax of its line {number}, {line.category}")
            for number, line in enumerate(receipt.lines, 1)
        ),
        (sum(line.tax_minor for line in receipt.lines), "all of its tax"),
    ]
    if not receipt.tenders:
        return " (it has no tender)"
    if not receipt.lines:
        return " (it has no line)"
    for amount, what in suspects:
        if abs(amount) == gap:
            return f" (as much as {what})"
    return " (a rounding it has no line for)" if gap <= _ROUNDING_MAX else ""


def _difference(one: Sum) -> str:
    documents = amount_from_minor(one.documents_minor or 0, one.currency)
    receipts = amount_from_minor(one.receipts_minor, one.currency)
    return (
        f"{one.part} {one.key} is {documents} {one.currency} there and {receipts} by the receipts"
    )


def _documents_for(receipt: Receipt, documents: Iterable[Document]) -> list[SalesDocument]:
    """The documents whose lines may hold the receipt's: refunds are on credit notes if any."""
    sales = [
        one
        for one in documents
        if isinstance(one, SalesDocument) and one.currency == receipt.currency
    ]
    if not receipt.is_refund:
        return [one for one in sales if one.kind is DocumentKind.INVOICE or not _is_first(one)]
    first = [one for one in sales if _is_first(one)]
    notes = [one for one in first if one.kind is DocumentKind.CREDIT_NOTE]
    return [*(notes or first), *(one for one in sales if not _is_first(one))]


def _is_first(document: SalesDocument) -> bool:
    """Its natural key is kind:store:date:currency; that of an adjustment has a revision too."""
    return document.natural_key.count(":") == _FIRST_COLONS


def _line_place(
    receipt: Receipt, line: Line, documents: Iterable[SalesDocument], facts: StoreDayFacts
) -> Place:
    target = _target(line, facts)
    found = []
    for document in documents:
        numbers = [
            number
            for number, one in enumerate(document.lines, 1)
            if (one.account_code, one.tax_type) == target
        ]
        if numbers:
            # Refunds stand behind the sales of the same account and tax.
            number = numbers[-1] if receipt.is_refund else numbers[0]
            found.append(f"{document.number} line {number}")
    return Place(
        f"{line.category}, {line.tax_code}",
        line.net_minor + line.tax_minor,
        receipt.currency,
        ", ".join(target),
        "; ".join(found),
    )


def _tender_place(
    receipt: Receipt,
    tender: tuple[str, int],
    everything: Iterable[Document],
    documents: Iterable[SalesDocument],
    mapping: Mapping | None,
) -> Place:
    name, amount = tender
    keys = {one.natural_key for one in documents}
    found = [
        f"payment {one.reference}"
        for one in everything
        if isinstance(one, Payment) and one.tender == name and one.document_key in keys
    ]
    account = mapping.tenders.get(name, _NOT_MAPPED) if mapping else _NOT_MAPPED
    return Place(name, amount, receipt.currency, account, "; ".join(found))
