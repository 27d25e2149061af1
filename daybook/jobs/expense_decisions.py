"""Decisions about expenses as people write them: in a CSV file, as options of a command."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from daybook.errors import InputError
from daybook.money import amount_from_minor, parse_minor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from daybook.expenses.expense import Expense, Override
    from daybook.ledger.expense_mappings import DatedExpenseMappings

_COLUMNS: Final = ("account", "category", "contact", "note", "tax_type", "tracking")
_NONE: Final = "none"


def decisions_in_csv(text: str, where: str) -> dict[str, dict[str, Any]]:
    """Decisions by expense; an empty cell changes nothing, several tracking choices have `;`.

    Raises `InputError` on odd columns, and on a row without an expense, with one that stands in
    another row too, or with more cells than there are columns.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    header = set(reader.fieldnames or ())
    if "expense" not in header or header - {"expense", *_COLUMNS}:
        raise InputError(
            f"{where} must have the column expense and any of {', '.join(_COLUMNS)}; it has "
            f"{', '.join(sorted(header))}."
        )
    decisions: dict[str, dict[str, Any]] = {}
    for row in reader:
        place = f"{where} row {reader.line_num}"
        expense = (row.pop("expense") or "").strip()
        if None in row:
            raise InputError(
                f"{place} has more cells than the first row has columns. Put quotes around a text "
                "with a comma; nothing was changed."
            )
        if not expense and not any(row.values()):
            continue
        if not expense:
            raise InputError(f"{place} names no expense; nothing was changed.")
        if expense in decisions:
            raise InputError(
                f"{place} names {expense}, which another row names too. Keep one row for each "
                "expense; nothing was changed."
            )
        decisions[expense] = {
            name: tracking_of([one.strip() for one in value.split(";")])
            if name == "tracking"
            else value
            for name, value in row.items()
            if value
        }
    return decisions


def cleared(names: Sequence[str], given: Mapping[str, object]) -> dict[str, None]:
    """The decisions to take back; raises `InputError` when one is none, or is made as well."""
    for name in names:
        if name not in _COLUMNS:
            raise InputError(f"'{name}' is no decision; there are {', '.join(_COLUMNS)}.")
        if name in given:
            raise InputError(f"Decide about {name} or clear it; not both.")
    return dict.fromkeys(names)


def tracking_of(choices: Sequence[str]) -> dict[str, str]:
    """`Region=North` as category and option; `none` is no tracking, whatever the category says."""
    if list(choices) == [_NONE]:
        return {}
    wrong = [one for one in choices if "=" not in one]
    if wrong:
        raise InputError(
            f"'{wrong[0]}' is not a tracking choice; write it as Region=North, or none."
        )
    return {name: option for name, _, option in (one.partition("=") for one in choices)}


def split_lines_of(parts: Sequence[str], whole: Expense, decided: Override) -> list[dict[str, Any]]:
    """`12.00:Meals` or `8.50:Transport:taxi` as lines; together they come to the whole.

    A line without a category goes where the whole expense goes.

    Raises:
        InputError: a line is none, or goes nowhere, or they come to another sum.
    """
    whole_goes = where_it_goes({}, whole, decided)
    lines = []
    for part in parts:
        amount, _, rest = part.partition(":")
        if not amount.strip() or not (rest or amount.strip()[-1].isdigit()):
            raise InputError(
                f"'{part}' is no line; write amount and category like 12.00:Meals, and if wanted "
                "a text behind another colon."
            )
        category, _, description = (one.strip() for one in rest.partition(":"))
        if not category and not whole_goes:
            raise InputError(
                f"'{part}' has no category, and neither has the expense. Write {amount}:Meals, or "
                f"decide first: daybook expenses set {whole.expense_id} --account CODE"
            )
        line: dict[str, Any] = {"amount_minor": parse_minor(amount, whole.currency)}
        if line["amount_minor"] == 0:
            raise InputError(
                f"'{part}' is a line of nothing, which Xero does not take. Leave it out."
            )
        line |= {"category": category} if category else {}
        lines.append(line | ({"description": description} if description else {}))
    split_minor = sum(one["amount_minor"] for one in lines)
    if lines and split_minor != abs(whole.amount_minor):
        parts_amount, whole_amount = (
            amount_from_minor(one, whole.currency) for one in (split_minor, abs(whole.amount_minor))
        )
        raise InputError(
            f"The lines come to {parts_amount} {whole.currency} and the expense to {whole_amount}. "
            "Nothing was changed; give lines that come to its amount."
        )
    return lines


def as_mapped(whole: Expense, mappings: Iterable[DatedExpenseMappings]) -> Expense:
    """The expense with the category that a merchant rule of its account's mapping gives it."""
    account = f"{whole.source}:{whole.account_id_source}"
    for mapping in (one.on(whole.spent_date) for one in mappings):
        if mapping is not None and account in mapping.accounts:
            return replace(whole, category=mapping.category_of(whole.merchant, whole.category))
    return whole


def where_it_goes(line: Mapping[str, Any], whole: Expense, decided: Override) -> str:
    """Where a line of a split goes, by what is decided and said; "" when nothing says it."""
    if decided.account:
        return f"to account {decided.account}"
    if category := line.get("category") or decided.category:
        return f"to category {category}"
    # By its merchant's category or its own: what that means the mapping knows, and may change.
    return "as the whole expense" if whole.category else ""


def told_lines(lines: Sequence[Mapping[str, Any]], whole: Expense, decided: Override) -> str:
    """`12.00 SGD to category Meals, 8.50 SGD as the whole expense.`, and why not elsewhere."""
    told = ", ".join(
        f"{amount_from_minor(line['amount_minor'], whole.currency)} {whole.currency} "
        f"{where_it_goes(line, whole, decided)}"
        for line in lines
    )
    if decided.account and any("category" in line for line in lines):
        return (
            f"{told}. The account that is set for the expense wins over the lines' categories; "
            f"daybook expenses set {whole.expense_id} --clear account lets these decide."
        )
    return f"{told}."
