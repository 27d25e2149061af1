"""Whether an expense may be in Xero already: posted by the vendor's own sync, by hand, as a bill.

What cannot be told apart for certain is held, and a person says which it is. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daybook.expenses.problems import Problem, ProblemCode
from daybook.posting.documents import DocumentKind

if TYPE_CHECKING:
    from decimal import Decimal

    from daybook.posting.documents import SpendMoney

# The vendor's own sync may date a payment by its settlement.
AROUND: Final = dt.timedelta(days=3)
# A bill is entered that long before it is paid.
BILL_BEFORE: Final = dt.timedelta(days=90)

_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class OtherPayment:
    """A bank transaction or a bill in Xero that this ledger did not post.

    `place` is the bank account's code, or for a bill its currency.
    """

    what: str
    place: str
    id_xero: str
    reference: str
    contact_name: str
    total_amount: Decimal
    dates: tuple[dt.date, ...]


@dataclass(slots=True)
class OtherPayments:
    """All of them in the period, found by what they are, where they stand and how much."""

    _found: dict[_Key, list[OtherPayment]] = field(default_factory=lambda: defaultdict(list))

    def add(self, one: OtherPayment) -> None:
        """Take one in."""
        self._found[one.what, one.place, f"{one.total_amount:.2f}"].append(one)

    def double_of(self, document: SpendMoney, source_reference: str) -> Problem | None:
        """The payment that may be this document, as what stands in its way.

        The amount is the same, and the date or the source's reference as well.
        """
        amount = f"{document.total_amount:.2f}"
        found = self._found.get((document.kind, document.bank_account_code, amount), [])
        if document.kind is DocumentKind.SPEND_MONEY:
            found = found + self._found.get((BILL, document.currency, amount), [])
        for one in found:
            is_ours = one.reference == document.reference
            says_so = source_reference != "" and source_reference in one.reference
            if not is_ours and (document.date in one.dates or says_so):
                return _possible_double(one, document.natural_key.partition(":")[2])
        return None


BILL: Final = "bill"


def _possible_double(one: OtherPayment, expense_id: str) -> Problem:
    where = "as a bill" if one.what == BILL else f"on bank account {one.place}"
    return Problem(
        ProblemCode.POSSIBLE_DOUBLE,
        one.id_xero,
        f"Xero already has {one.total_amount:.2f} to {one.contact_name} of {one.dates[0]} {where} "
        f"(reference '{one.reference}'). If it is this expense, mark it so with 'daybook expenses "
        f"by-hand {expense_id}'; if not, say so with 'daybook expenses set {expense_id} "
        "--no-double'.",
    )
