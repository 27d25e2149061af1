"""Compares an expense's bank transaction as the ledger knows it with what Xero holds. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from daybook.expenses.problems import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daybook.posting.documents import SpendMoney
    from daybook.xero.bank_transactions import BankTransactionInXero


_ZERO: Final = Decimal("0.00")


def differences(ours: SpendMoney, theirs: BankTransactionInXero) -> list[str]:
    """What of the money and its tracking differs, both sides named; texts are not looked at."""
    found = [
        f"{what} is {there} in Xero and {mine} in the ledger"
        for what, mine, there in (
            ("status", "AUTHORISED", theirs.status),
            ("kind", ours.kind.replace("_", " "), theirs.kind.replace("_", " ")),
            ("total", ours.total_amount, theirs.total_amount),
            ("date", ours.date, theirs.date),
            ("bank account", ours.bank_account_code, theirs.bank_account_code),
        )
        if mine != there
    ]
    sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [_ZERO, _ZERO])
    for place, amount in _sums(ours).items():
        sums[place][0] = amount
    for other in theirs.lines:
        sums[_place(other.account_code, other.tax_type, other.tracking)][1] += other.amount
    return found + [
        f"{place} has {there} in Xero and {mine} in the ledger"
        for place, (mine, there) in sorted(sums.items())
        if mine != there
    ]


def changes(before: SpendMoney, after: SpendMoney) -> list[str]:
    """What one version has that the other does not, as `total 12.50 -> 23.00`; texts last."""
    found = [
        f"{what} {old} -> {new}"
        for what, old, new in (
            ("kind", before.kind.replace("_", " "), after.kind.replace("_", " ")),
            ("total", before.total_amount, after.total_amount),
            ("date", before.date, after.date),
            ("bank account", before.bank_account_code, after.bank_account_code),
            ("contact", before.contact_name, after.contact_name),
        )
        if old != new
    ]
    old_sums, new_sums = _sums(before), _sums(after)
    found += [
        f"{place} {old_sums.get(place, _ZERO)} -> {new_sums.get(place, _ZERO)}"
        for place in sorted({*old_sums, *new_sums})
        if old_sums.get(place) != new_sums.get(place)
    ]
    old_texts, new_texts = (
        "; ".join(line.description for line in one.lines) for one in (before, after)
    )
    if old_texts != new_texts:
        found.append(f"description '{old_texts}' -> '{new_texts}'")
    # Amounts may move between lines of one account, which no sum shows.
    return found or (["how it is split"] if before.lines != after.lines else [])


def _sums(document: SpendMoney) -> dict[str, Decimal]:
    """What is on each account, with its tax and tracking."""
    sums: defaultdict[str, Decimal] = defaultdict(lambda: _ZERO)
    for line in document.lines:
        tracking = ((one.category, one.option) for one in line.tracking)
        place = _place(line.account_code, line.tax_type, tracking)
        sums[place] += line.net_amount + line.tax_amount
    return sums


def _place(account: str, tax_type: str, tracking: Iterable[tuple[str, str]]) -> str:
    """`account 449 with tax type INPUT2, Region North`."""
    options = "".join(f", {name} {option}" for name, option in sorted(tracking))
    return f"account {account} with tax type {tax_type}{options}"


def is_same(ours: SpendMoney, theirs: BankTransactionInXero) -> bool:
    """Whether Xero holds this version: the money and its tracking, whatever the texts."""
    mine = Counter(
        (
            line.account_code,
            line.tax_type,
            line.net_amount + line.tax_amount,
            frozenset((one.category, one.option) for one in line.tracking),
        )
        for line in ours.lines
    )
    there = Counter(
        (one.account_code, one.tax_type, one.amount, one.tracking) for one in theirs.lines
    )
    return not differences(ours, theirs) and mine == there


def version_in_xero(
    before: SpendMoney, after: SpendMoney, theirs: BankTransactionInXero
) -> SpendMoney | None:
    """Which of two versions Xero holds; None when it is neither."""
    found = [one for one in (before, after) if is_same(one, theirs)]
    by_text = [one for one in found if _texts_of(one) == _texts_in_xero(theirs)]
    return next(iter([*by_text, *found]), None)


def different_in_xero(reference: str, expense_id: str, found: Sequence[str]) -> Problem:
    """The hold of an expense whose bank transaction somebody changed in Xero."""
    return Problem(
        ProblemCode.DIFFERENT_IN_XERO,
        reference,
        f"{reference} was changed in Xero: {'; '.join(found)}. Daybook neither overwrites that nor "
        "posts an entry on top of it. Change it back in Xero, or bring Xero and the expense to the "
        f"same ('daybook expenses set {expense_id}'); then 'daybook expenses sync {expense_id}' "
        "goes on.",
    )


def removed_in_xero(reference: str, expense_id: str) -> Problem:
    """The hold of an expense whose bank transaction somebody removed in Xero."""
    return Problem(
        ProblemCode.REMOVED_IN_XERO,
        reference,
        f"{reference} was removed in Xero. 'daybook expenses reopen {expense_id}' lets the next "
        f"sync post it anew; 'daybook expenses exclude {expense_id}' or 'by-hand' leaves it out.",
    )


def _texts_of(ours: SpendMoney) -> list[list[str]]:
    """Contact and descriptions as words: white space may be trimmed in Xero."""
    return [_words(ours.contact_name), *sorted(_words(line.description) for line in ours.lines)]


def _texts_in_xero(theirs: BankTransactionInXero) -> list[list[str]]:
    return [_words(theirs.contact_name), *sorted(_words(one.description) for one in theirs.lines)]


def _words(text: str) -> list[str]:
    return text.casefold().split()
