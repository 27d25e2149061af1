"""Why an expense is not in Xero, or not as it should be: values a person reads and acts on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProblemCode(StrEnum):
    """The named reasons."""

    NOT_LINKED = "not_linked"
    COUNTRY_EXCLUDED = "country_excluded"
    BEFORE_START = "before_start"
    NOT_SETTLED = "not_settled"
    REFUNDED = "refunded"
    ZERO_AMOUNT = "zero_amount"
    CURRENCY = "currency"
    NO_MAPPING = "no_mapping"
    UNMAPPED_CATEGORY = "unmapped_category"
    ACCOUNT = "account"
    TAX_TYPE = "tax_type"
    TRACKING = "tracking"
    BANK_ACCOUNT = "bank_account"
    SPLIT = "split"
    LOCKED = "locked"
    POSSIBLE_DOUBLE = "possible_double"
    REFUSED = "refused"
    DIFFERENT_IN_XERO = "different_in_xero"
    REMOVED_IN_XERO = "removed_in_xero"
    RECONCILED = "reconciled"
    KIND_CHANGED = "kind_changed"
    CORRECTED = "corrected"
    NOT_CORRECTABLE = "not_correctable"


SYNC_ERRORS = frozenset(
    (
        ProblemCode.REFUSED,
        ProblemCode.DIFFERENT_IN_XERO,
        ProblemCode.REMOVED_IN_XERO,
        ProblemCode.LOCKED,
        ProblemCode.RECONCILED,
        ProblemCode.POSSIBLE_DOUBLE,
    )
)

# Xero does not let the document change; an entry of its own can correct it.
CORRECTABLE = frozenset(
    (
        ProblemCode.LOCKED,
        ProblemCode.RECONCILED,
        ProblemCode.KIND_CHANGED,
        ProblemCode.CORRECTED,
    )
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason: `key` is the exact thing that is wrong, `sentence` says what to do."""

    code: ProblemCode
    key: str
    sentence: str
