"""Which receipt's file belongs to which expense, by its name. Pure.

By id: the file, or the folder it lies in, is named after the expense: `E-1001.pdf`,
`E-1001_2.jpg`, `E-1001/hotel.jpg`. Otherwise by amount and date in the name, and the merchant where
those fit several: `2026-03-14 12.50 Grab.jpg`. What fits several expenses is held, never guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from daybook.money import amount_from_minor
from daybook.spend.source import FoundReceipts, SpendReject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daybook.expenses.expense import AttachmentRef, Expense

_DATE: Final = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")
_AMOUNT: Final = re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+\.\d{2}|\d{1,9}\.\d{2})(?!\d|[.,]\d)")
_WORD: Final = re.compile(r"[a-z0-9]{3,}")
# What many merchants' names have in common tells none of them.
_COMMON: Final = frozenset(
    ("and", "bhd", "inc", "invoice", "llc", "ltd", "pte", "receipt", "sdn", "the")
)


def match(expenses: Sequence[Expense], files: Iterable[AttachmentRef]) -> FoundReceipts:
    """Give every file to the one expense that it fits; a file that fits none is not said."""
    by_id: dict[str, list[Expense]] = defaultdict(list)
    for one in expenses:
        for name in {one.id_source, one.id_source.casefold()}:
            by_id[name].append(one)
    by_facts: dict[tuple[str, str], list[Expense]] = defaultdict(list)
    for one in expenses:
        amount = str(amount_from_minor(abs(one.amount_minor), one.currency))
        by_facts[(one.spent_date.strftime("%Y%m%d"), amount)].append(one)
    found: dict[str, list[AttachmentRef]] = defaultdict(list)
    held = []
    for file in sorted(files, key=lambda each: each.key):
        fitting = _by_id(file, by_id) or _by_facts(file, by_facts)
        if len(fitting) == 1:
            found[fitting[0].expense_id].append(file)
        elif fitting:
            ids = ", ".join(sorted(one.expense_id for one in fitting))
            held.append(
                SpendReject(
                    file.key,
                    f"The receipt {file.name} fits several expenses ({ids}). Name it after the id "
                    "of the one that it belongs to.",
                )
            )
    return FoundReceipts({key: tuple(refs) for key, refs in found.items()}, tuple(held))


def _by_id(file: AttachmentRef, by_id: dict[str, list[Expense]]) -> list[Expense]:
    """The expenses whose id is the folder's name, the file's name, or that before an underscore.

    Ids as they are written come before ids whatever the case.
    """
    parts = file.key.split("/")
    stem = parts[-1].rpartition(".")[0] or parts[-1]
    names = [*parts[-2:-1], stem, stem.rpartition("_")[0]]
    for name in (*names, *map(str.casefold, names)):
        if name in by_id:
            exact = [one for one in by_id[name] if one.id_source == name]
            return exact or by_id[name]
    return []


def _by_facts(file: AttachmentRef, by_facts: dict[tuple[str, str], list[Expense]]) -> list[Expense]:
    """The expenses of a date and an amount in the name; the merchant decides between several."""
    stem = file.name.rpartition(".")[0] or file.name
    dates = {"".join(one.groups()) for one in _DATE.finditer(stem)}
    amounts = {one.group(1).replace(",", "") for one in _AMOUNT.finditer(stem)}
    candidates = [
        one for date in dates for amount in amounts for one in by_facts.get((date, amount), [])
    ]
    if len(candidates) < 2:  # noqa: PLR2004 - nothing to decide
        return candidates
    words = _words(_AMOUNT.sub(" ", _DATE.sub(" ", stem)))
    named = [one for one in candidates if words & _words(one.merchant)]
    return named or candidates


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold())) - _COMMON
