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
_AMOUNT: Final = re.compile(r"(?<![\d.])(\d{1,9}\.\d{2})(?!\d|\.\d)")
_WORD: Final = re.compile(r"[a-z0-9]{3,}")


def match(expenses: Sequence[Expense], files: Iterable[AttachmentRef]) -> FoundReceipts:
    """Give every file to the one expense that it fits; a file that fits none is not said."""
    by_id = {one.id_source.casefold(): one for one in expenses}
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


def _by_id(file: AttachmentRef, by_id: dict[str, Expense]) -> list[Expense]:
    """The expense whose id is the folder's name, the file's name, or that before an underscore."""
    parts = file.key.casefold().split("/")
    stem = parts[-1].rpartition(".")[0] or parts[-1]
    names = [*parts[-2:-1], stem, stem.rpartition("_")[0]]
    return [by_id[name] for name in names if name in by_id][:1]


def _by_facts(file: AttachmentRef, by_facts: dict[tuple[str, str], list[Expense]]) -> list[Expense]:
    """The expenses of the date and amount in the name; the merchant decides between several."""
    date, amount = _DATE.search(file.name), _AMOUNT.search(file.name)
    if date is None or amount is None:
        return []
    candidates = by_facts.get(("".join(date.groups()), amount.group(1)), [])
    if len(candidates) < 2:  # noqa: PLR2004 - nothing to decide
        return candidates
    words = set(_WORD.findall(file.name.casefold()))
    named = [one for one in candidates if words & set(_WORD.findall(one.merchant.casefold()))]
    return named or candidates
