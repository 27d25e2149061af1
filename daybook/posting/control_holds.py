"""What a control total that does not agree means to the person who has to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daybook.money import amount_from_minor
from daybook.posting.holds import Hold, HoldCode

if TYPE_CHECKING:
    from daybook.sales.control_totals import ControlFailure

_RECEIPTS_NAMED_MAX: Final = 5


def hold_of(failure: ControlFailure) -> Hold:
    """Keep the store-day back and say which figures differ, and on which receipts."""
    if failure.control in ("balance", "receipt"):
        return Hold(HoldCode.UNBALANCED, failure.currency, _imbalance(failure))
    return Hold(
        HoldCode.CONTROL_TOTAL,
        failure.control,
        f"The control total of the {failure.control} is {failure.expected}, but the daily total "
        f"says {failure.found}. Run the day again; if it stays, report it with this sentence.",
    )


def _imbalance(failure: ControlFailure) -> str:
    owed = amount_from_minor(failure.expected, failure.currency)
    paid = amount_from_minor(failure.found, failure.currency)
    named = failure.receipt_ids_pos[:_RECEIPTS_NAMED_MAX]
    more = failure.receipt_count - len(named)
    where = f" on receipt {', '.join(named)}" if named else ""
    others = f" and {more} more" if named and more > 0 else ""
    return (
        f"Lines and tax come to {owed} {failure.currency} but tenders to {paid}, {paid - owed} "
        f"apart{where}{others}. Correct it in the point of sale and run the day again."
    )
