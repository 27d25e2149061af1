"""The daily total as a value."""

from __future__ import annotations

from dataclasses import replace

from till import SINGAPORE, Receipt, batch

from daybook.sales.daily_total import content_hash, decode, encode
from daybook.sales.daily_totals import daily_totals

(TOTAL,) = daily_totals(batch([Receipt()]), [SINGAPORE])


def test_a_total_comes_back_as_it_was() -> None:
    """Writing and reading the canonical form changes nothing."""
    assert decode(encode(TOTAL)) == TOTAL


def test_the_hash_changes_with_any_figure() -> None:
    """The ledger makes a new version exactly when a figure differs."""
    assert content_hash(TOTAL) == content_hash(decode(encode(TOTAL)))
    assert content_hash(TOTAL) != content_hash(replace(TOTAL, voided_count=1))


def test_sums_and_balance_come_from_the_parts() -> None:
    """Net, tax, total and tenders are never stored twice in the value."""
    assert (1000, 90, 1090, 1090, True) == (
        TOTAL.net_minor,
        TOTAL.tax_minor,
        TOTAL.total_minor,
        TOTAL.tender_minor,
        TOTAL.is_balanced,
    )
    assert not replace(TOTAL, tenders=()).is_balanced
