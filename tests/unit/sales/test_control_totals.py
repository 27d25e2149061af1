"""Sums that must agree at two independent points."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from till import DATE, SINGAPORE, Receipt, batch

from daybook.sales.control_totals import ControlFailure, control_failures
from daybook.sales.daily_totals import daily_totals
from daybook.sales.store import StoreDay

if TYPE_CHECKING:
    from daybook.sales.frames import ReceiptBatch

DAY = StoreDay(DATE, "S01")


def failures(frames: ReceiptBatch) -> list[ControlFailure]:
    """What disagrees between the receipts and their own totals."""
    return control_failures(frames, [SINGAPORE], daily_totals(frames, [SINGAPORE]))


def test_a_balanced_day_has_no_failures() -> None:
    """Sales, refunds, voids and old versions agree."""
    refund = Receipt(
        "R2", is_refund=True, lines=(("Food", "GST", -100, -9),), tenders=(("Cash", -109),)
    )
    void = Receipt("R3", is_voided=True, tenders=(("Cash", 5),))
    assert [] == failures(batch([Receipt(), Receipt(), refund, void]))


def test_a_day_that_does_not_balance_names_the_receipts_that_make_it_so() -> None:
    """Owed and paid differ, and the receipt that differs is the explanation."""
    short = Receipt("R2", tenders=(("Cash", 1089),))
    assert [
        ControlFailure(DAY, "SGD", "balance", 2180, 2179, ("R2",), 1),
    ] == failures(batch([Receipt(), short]))


def test_a_day_that_balances_by_luck_is_told_apart() -> None:
    """One cent too much here and one too little there is still two wrong receipts."""
    over = Receipt("R2", tenders=(("Cash", 1091),))
    under = Receipt("R3", tenders=(("Cash", 1089),))
    assert [
        ControlFailure(DAY, "SGD", "receipt", 2180, 2180, ("R2", "R3"), 2),
    ] == failures(batch([over, under]))


def test_only_the_first_of_many_receipts_are_named() -> None:
    """The number of wrong receipts is exact, the list of names stays readable."""
    wrong = [Receipt(f"R{number:03}", tenders=()) for number in range(50)]
    (failure,) = failures(batch(wrong))
    assert (50, "R000", 20) == (
        failure.receipt_count,
        failure.receipt_ids_pos[0],
        len(failure.receipt_ids_pos),
    )


def test_what_is_lost_between_receipts_and_totals_is_found() -> None:
    """A total that lacks a receipt differs in number, lines and tenders."""
    frames = batch([Receipt(), Receipt("R2")])
    lossy = daily_totals(batch([Receipt()]), [SINGAPORE])
    assert [
        ("receipts", 2, 1),
        ("lines", 2180, 1090),
        ("tenders", 2180, 1090),
    ] == [
        (one.control, one.expected, one.found)
        for one in control_failures(frames, [SINGAPORE], lossy)
    ]


def test_a_store_day_without_any_total_is_found() -> None:
    """Receipts whose total is missing altogether are a difference too."""
    found = control_failures(batch([Receipt()]), [SINGAPORE], [])
    assert [(DAY, 1090, 0)] == [
        (one.store_day, one.expected, one.found) for one in found if one.control == "lines"
    ]


def test_a_total_without_receipts_is_found() -> None:
    """A total that no receipt explains is a difference."""
    (total,) = daily_totals(batch([Receipt()]), [SINGAPORE])
    alien = replace(total, store_id="S99")
    found = control_failures(batch([]), [SINGAPORE], [alien])
    assert {"receipts", "lines", "tenders"} == {one.control for one in found}
