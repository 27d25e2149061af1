"""Checks what a person decides about expenses against the chart in Xero, before it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from daybook.errors import InputError
from daybook.expenses.expense import Override
from daybook.ledger.expenses import read_expenses
from daybook.posting.spend_money import override_problems
from daybook.xero.reference_data import read_chart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Engine

    from daybook.xero.client import XeroClient

_OF_THE_CHART: Final = frozenset(("account", "tax_type", "tracking"))


def check_decisions(
    engine: Engine,
    client_of: Callable[[int], XeroClient],
    decisions: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """Check accounts, tax types and tracking: three calls for each organisation they are of.

    Returns the expenses that cannot be checked: their account is linked in no organisation.

    Raises:
        InputError: the chart does not have what was decided about an expense.
        FinalError, RetryableError: Xero cannot be asked.
    """
    named = {
        expense_id: {name: made[name] for name in _OF_THE_CHART if made.get(name)}
        for expense_id, made in decisions.items()
    }
    wanted = {key: made for key, made in named.items() if made}
    if not wanted:
        return []
    with engine.connect() as connection:
        found = read_expenses(connection, list(wanted))
    places = {one.expense.expense_id: one.organisation_id for one in found}
    known = sorted({place for place in places.values() if place is not None})
    charts = {place: read_chart(client_of(place)) for place in known}
    for expense_id, place in places.items():
        if place is None:
            continue
        override = msgspec.convert(wanted[expense_id], type=Override)
        if problems := override_problems(override, charts[place]):
            said = " ".join(one.sentence for one in problems)
            raise InputError(f"{expense_id}: {said} Nothing was changed.")
    return [key for key, place in places.items() if place is None]
