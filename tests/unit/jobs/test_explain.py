"""Which receipt makes a difference, and where a receipt went."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from till import SINGAPORE, Receipt, batch

from daybook.errors import InputError
from daybook.jobs.explain import StoreDayFacts, Sum, explain, places_of, receipts_of
from daybook.posting.holds import Hold, HoldCode
from daybook.posting.mapping import Mapping
from daybook.posting.plan import plan_documents
from daybook.sales.daily_totals import daily_totals
from daybook.sales.store import StoreDay

DAY = StoreDay(dt.date(2026, 3, 14), "S01")
MAPPING = Mapping(
    organisation="Kopi Corner",
    effective_date=dt.date(2026, 1, 1),
    contact="Daily sales",
    categories={"Food": "200", "Rounding": "860"},
    taxes={"GST": "OUTPUT2", "None": "NONE"},
    tenders={"Cash": "091", "NETS": "092", "Tab": "unpaid"},
)


def facts(*receipts: Receipt, made_of: tuple[Receipt, ...] = ()) -> StoreDayFacts:
    """These receipts, beside the documents that were made of others."""
    documents = [
        document
        for total in daily_totals(batch(made_of), [SINGAPORE])
        for document in plan_documents(
            total, store=SINGAPORE, mapping=MAPPING, prefix="DB"
        ).documents
    ]
    return StoreDayFacts(DAY, receipts_of(batch(receipts)), tuple(documents), MAPPING)


def test_documents_of_the_same_receipts_agree() -> None:
    """Category, document line, tax and tender, each beside what was made of it."""
    explained = explain(facts(Receipt(), made_of=(Receipt(),)))
    assert "the documents say the same to the cent" in explained.sentence
    assert (
        Sum("SGD", "category", "Food, GST", 1090, None),
        Sum("SGD", "document line", "200, OUTPUT2", 1090, 1090),
        Sum("SGD", "tax", "OUTPUT2", 90, 90),
        Sum("SGD", "tender", "Cash", 1090, 1090),
    ) == explained.sums


def test_receipt_that_is_a_cent_short_is_named() -> None:
    """The one receipt of two that lost a cent, with what it costs and what was paid."""
    explained = explain(facts(Receipt("R1"), Receipt("R2", tenders=(("Cash", 1089),))))
    assert ["R2"] == [one.receipt_id_pos for one in explained.odd]
    assert explained.sentence.startswith("Tenders less lines and tax come to -0.01 SGD: receipt R2")
    assert "costs 10.90 and was paid 10.89, -0.01 (a rounding it has no line for)" in (
        explained.sentence
    )


@pytest.mark.parametrize(
    ("receipt", "hint"),
    [
        (Receipt(tenders=(("Cash", 1000),)), "as much as the tax of its line 1, Food"),
        (Receipt(tenders=()), "it has no tender"),
        (Receipt(lines=()), "it has no line"),
        (Receipt(tenders=(("Cash", 1090), ("NETS", 500))), "as much as its tender NETS"),
        (
            Receipt(lines=(("Food", "GST", 1000, 90), ("Food", "GST", 700, 63))),
            "as much as its line 2, Food",
        ),
        (
            Receipt(
                lines=(("Food", "GST", 500, 45), ("Food", "GST", 300, 27)), tenders=(("Cash", 800),)
            ),
            "as much as all of its tax",
        ),
    ],
)
def test_what_is_as_large_as_the_difference_is_said(receipt: Receipt, hint: str) -> None:
    """A forgotten tax, a tender counted twice, a line left out of the bill."""
    assert f"({hint})" in explain(facts(receipt)).sentence


def test_two_wrong_receipts_that_cancel_are_both_named() -> None:
    """The day balances by luck: the sum is nothing, and the receipts are shown."""
    explained = explain(
        facts(Receipt("R1", tenders=(("Cash", 1091),)), Receipt("R2", tenders=(("Cash", 1089),)))
    )
    assert ["R1", "R2"] == [one.receipt_id_pos for one in explained.odd]
    assert "+0.00 SGD" in explained.sentence


def test_late_sale_shows_as_a_difference_of_the_documents() -> None:
    """A receipt that came after planning: account, tax and tender differ by it."""
    explained = explain(facts(Receipt("R1"), Receipt("R2"), made_of=(Receipt("R1"),)))
    assert (0, -1090, -90, -1090) == tuple(one.difference_minor for one in explained.sums)
    assert "tender Cash is 10.90 SGD there and 21.80 by the receipts" in explained.sentence


def test_voided_receipt_counts_for_nothing() -> None:
    """Neither odd nor summed, and part of no document."""
    there = facts(Receipt(), Receipt("R2", is_voided=True, tenders=()), made_of=(Receipt(),))
    assert "to the cent" in explain(there).sentence
    assert [] == places_of(there, "R2")


def test_promise_is_not_compared_with_payments() -> None:
    """An unpaid tab makes no payment, and that is no difference."""
    tab = Receipt(tenders=(("Tab", 1090),))
    explained = explain(facts(tab, made_of=(tab,)))
    assert "to the cent" in explained.sentence
    assert Sum("SGD", "tender", "Tab", 1090, None) == explained.sums[-1]


def test_day_without_receipts_or_documents_says_so() -> None:
    """Nothing to compare is said in its own words."""
    assert "has no receipts of store S01 on 2026-03-14" in explain(facts()).sentence
    assert "no document was made of them yet" in explain(facts(Receipt())).sentence


def test_what_holds_the_day_is_said_first() -> None:
    """A posted day may lack a receipt that could not be read: equal sums are then no answer."""
    said = "A row of this day could not be read, so receipts are missing: lines.csv row 3."
    hold = Hold(HoldCode.UNREADABLE, "lines.csv row 3", said)
    sale = Receipt("R1")
    posted = replace(facts(sale, made_of=(sale,)), holds=(hold,))
    assert f"{said} The receipts that were read balance, and the documents say the same" in (
        explain(posted).sentence
    )
    assert explain(replace(posted, documents=())).sentence.endswith("no document was made of them.")
    unbalanced = Hold(HoldCode.UNBALANCED, "SGD", "Lines and tenders differ.")
    short = replace(sale, tenders=(("Cash", 1),))
    told = explain(replace(facts(short), holds=(unbalanced, hold))).sentence
    assert told.startswith(f"{said} Tenders less lines and tax come to")


def test_receipt_leads_to_its_lines_and_payments() -> None:
    """Forward: the line of the invoice, the payment, and their accounts."""
    there = facts(Receipt(), made_of=(Receipt(),))
    assert [
        ("Food, GST", 1090, "200, OUTPUT2", "DB-S01-20260314 line 1"),
        ("Cash", 1090, "091", "payment DB-S01-20260314 Cash"),
    ] == [(one.what, one.amount_minor, one.account, one.where) for one in places_of(there, "R1")]


def test_refund_leads_to_the_credit_note() -> None:
    """Paid out on NETS, which took nothing: the credit note, not the invoice."""
    refund = Receipt(
        "R2", is_refund=True, lines=(("Food", "GST", -500, -45),), tenders=(("NETS", -545),)
    )
    there = facts(Receipt(), refund, made_of=(Receipt(), refund))
    assert ["DB-S01-20260314-CN line 1", "payment DB-S01-20260314-CN NETS"] == [
        one.where for one in places_of(there, "R2")
    ]
    assert ["DB-S01-20260314 line 1", "payment DB-S01-20260314 Cash"] == [
        one.where for one in places_of(there, "R1")
    ]


def test_refund_on_the_invoice_is_its_negative_line() -> None:
    """Sales and refunds of one account stand on lines of their own."""
    refund = Receipt(
        "R2", is_refund=True, lines=(("Food", "GST", -500, -45),), tenders=(("Cash", -545),)
    )
    there = facts(Receipt(), refund, made_of=(Receipt(), refund))
    assert "DB-S01-20260314 line 2" == places_of(there, "R2")[0].where


def test_unmapped_category_is_called_so() -> None:
    """What has no account yet is part of nothing."""
    books = Receipt(lines=(("Books", "GST", 1000, 90),))
    assert ("not mapped, OUTPUT2", "") == (
        places_of(facts(books), "R1")[0].account,
        places_of(facts(books), "R1")[0].where,
    )


def test_unknown_receipt_is_refused_with_advice() -> None:
    """A number that is not of this day."""
    with pytest.raises(InputError, match="no receipt R9 on 2026-03-14"):
        places_of(facts(Receipt()), "R9")
