"""What a store-day still needs, given what was filed for it before: nothing sent is ever changed.

Documents that have not left are replaced by what is wanted now. Once one has left, the day only
changes through adjustments: each change of its daily totals is a revision, numbered from 2.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daybook.posting.adjustments import adjustments
from daybook.posting.documents import Payment, payload_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daybook.posting.documents import Document

_FIRST: Final = 1


@dataclass(frozen=True, slots=True)
class Filed:
    """A document that the ledger has for a store-day, and the daily total it was planned from."""

    document: Document
    is_sent: bool
    daily_total_id: int


@dataclass(frozen=True, slots=True)
class Revision:
    """What to write, and the natural keys of what is not wanted any more and has not left."""

    write: tuple[Document, ...] = ()
    drop: frozenset[str] = frozenset()
    is_adjustment: bool = False


def revise(
    filed: Sequence[Filed], wanted: Sequence[Document], wanted_totals: Mapping[str, int]
) -> Revision:
    """What turns the filed documents of one store-day into the wanted ones, currency by currency.

    `wanted_totals` are the ids of the current daily totals by currency. Where they are what the
    filed documents were planned from, the sales have not changed: then only documents that have
    not left follow the mapping.
    """
    currencies = {one.document.currency for one in filed} | {one.currency for one in wanted}
    parts = [
        _revise_currency(
            [one for one in filed if one.document.currency == currency],
            [one for one in wanted if one.currency == currency],
            wanted_totals.get(currency),
        )
        for currency in sorted(currencies)
    ]
    return Revision(
        tuple(document for part in parts for document in part.write),
        frozenset(key for part in parts for key in part.drop),
        any(part.is_adjustment for part in parts),
    )


def _revise_currency(
    filed: Sequence[Filed], wanted: Sequence[Document], total_id: int | None
) -> Revision:
    hashes = {one.natural_key: payload_hash(one) for one in wanted}
    sent = [one.document for one in filed if one.is_sent]
    unsent = {one.document.natural_key: one.document for one in filed if not one.is_sent}
    if all(hashes.get(one.natural_key) == payload_hash(one) for one in sent):
        return Revision(_news(wanted, filed), frozenset(unsent.keys() - hashes.keys()))
    if total_id in {one.daily_total_id for one in filed}:
        return Revision(_news([one for one in wanted if one.natural_key in unsent], filed))
    return _adjusted(filed, wanted)


def not_begun(filed: Sequence[Filed]) -> frozenset[str]:
    """The natural keys of documents in revisions, currency by currency, of which none has left."""
    begun = {_part_of(one) for one in filed if one.is_sent}
    return frozenset(one.document.natural_key for one in filed if _part_of(one) not in begun)


def _part_of(one: Filed) -> tuple[str, int]:
    return one.document.currency, _revision_of(one.document)


def _adjusted(filed: Sequence[Filed], wanted: Sequence[Document]) -> Revision:
    """Adjustments to all that has begun to leave; a later revision that has not is redone."""
    revisions = defaultdict(list)
    for one in filed:
        revisions[_revision_of(one.document)].append(one)
    begun = {number for number, ones in revisions.items() if any(one.is_sent for one in ones)}
    books = [one.document for number in sorted(begun) for one in revisions[number]]
    made = adjustments(books, wanted, revision=max(begun) + 1)
    redone = [one for number, ones in revisions.items() if number not in begun for one in ones]
    keys = {one.natural_key for one in made}
    drop = {one.document.natural_key for one in redone} - keys
    return Revision(_news(made, filed), frozenset(drop), is_adjustment=bool(made))


def _news(wanted: Sequence[Document], filed: Sequence[Filed]) -> tuple[Document, ...]:
    """Those that are not filed just so already."""
    there = {one.document.natural_key: payload_hash(one.document) for one in filed}
    return tuple(one for one in wanted if there.get(one.natural_key) != payload_hash(one))


def _revision_of(document: Document) -> int:
    """The revision in the natural key of a document, or of the document a payment is made on."""
    key = document.document_key if isinstance(document, Payment) else document.natural_key
    _kind, _store, _date, _currency, *revision = key.split(":")
    return int(revision[0]) if revision else _FIRST
