"""Why a store-day is not posted: values a person reads and acts on, never exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HoldCode(StrEnum):
    """The named reasons for holding a store-day."""

    UNBALANCED = "unbalanced"
    CONTROL_TOTAL = "control_total"
    UNREADABLE = "unreadable"
    MISSING_DAY = "missing_day"
    WRONG_TAX = "wrong_tax"
    UNMAPPED_CATEGORY = "unmapped_category"
    UNMAPPED_TAX = "unmapped_tax"
    UNMAPPED_TENDER = "unmapped_tender"
    NO_MAPPING = "no_mapping"
    NO_ORGANISATION = "no_organisation"
    NEGATIVE_TENDER = "negative_tender"
    TOO_FINE = "too_fine"
    CHANGED_AFTER_POSTING = "changed_after_posting"
    REFUSED = "refused"
    DIFFERENT_IN_XERO = "different_in_xero"


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason: `key` is the exact thing that is wrong or missing, `sentence` says what to do."""

    code: HoldCode
    key: str
    sentence: str
