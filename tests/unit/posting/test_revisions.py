"""What a store-day still needs, given what was filed for it before."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from daybook.posting.documents import (
    Document,
    DocumentKind,
    DocumentLine,
    Payment,
    SalesDocument,
)
from daybook.posting.revisions import Filed, Revision, not_begun, revise

DATE = dt.date(2026, 3, 14)


def invoice(net: str, *, currency: str = "SGD", account: str = "200") -> SalesDocument:
    """The day's invoice of one line."""
    return SalesDocument(
        kind=DocumentKind.INVOICE,
        natural_key=f"invoice:S01:2026-03-14:{currency}",
        number=f"DB-S01-20260314-{currency}",
        reference="Tanjong",
        contact_name="Daily sales",
        date=DATE,
        currency=currency,
        lines=(DocumentLine("Sales", account, "NONE", Decimal(net), Decimal(0)),),
    )


def payment(amount: str, *, account: str = "091", currency: str = "SGD") -> Payment:
    """Its payment in cash."""
    return Payment(
        kind=DocumentKind.PAYMENT,
        natural_key=f"payment:invoice:S01:2026-03-14:{currency}:Cash",
        document_key=f"invoice:S01:2026-03-14:{currency}",
        account_code=account,
        date=DATE,
        currency=currency,
        amount=Decimal(amount),
        reference="DB-S01-20260314 Cash",
        tender="Cash",
    )


def filed(*documents: Document, sent: bool = True, total: int = 1) -> list[Filed]:
    """These documents, as planned from that daily total."""
    return [Filed(document, sent, total) for document in documents]


def test_what_has_not_begun_is_told_by_revision_and_currency() -> None:
    """A payment of an invoice that has left belongs to it; another currency stands for itself."""
    second = replace(invoice("5"), natural_key="invoice:S01:2026-03-14:SGD:2")
    dollars = invoice("7", currency="USD")
    everything = [
        *filed(invoice("10")),
        *filed(payment("10"), second, dollars, payment("7", currency="USD"), sent=False),
    ]
    assert {
        second.natural_key,
        dollars.natural_key,
        "payment:invoice:S01:2026-03-14:USD:Cash",
    } == not_begun(everything)


def test_nothing_filed_means_everything_is_written() -> None:
    """A new day."""
    wanted = (invoice("10"), payment("10"))
    assert Revision(wanted) == revise([], wanted, {"SGD": 1})


def test_same_again_changes_nothing() -> None:
    """Sent or not, what is filed just so stays."""
    wanted = (invoice("10"), payment("10"))
    assert Revision() == revise(filed(*wanted), wanted, {"SGD": 1})
    assert Revision() == revise(filed(*wanted, sent=False), wanted, {"SGD": 1})


def test_unsent_documents_follow_the_change() -> None:
    """Nothing has left yet: the documents are replaced, and one that is not wanted goes."""
    before = filed(invoice("10"), payment("10"), sent=False)
    change = revise(before, (invoice("0"),), {"SGD": 2})
    assert (invoice("0"),) == change.write
    assert {payment("10").natural_key} == change.drop
    assert not change.is_adjustment


def test_refused_payment_follows_a_new_mapping() -> None:
    """The invoice is posted, the payment was refused: only the payment is written anew."""
    before = [*filed(invoice("10")), *filed(payment("10"), sent=False)]
    anew = payment("10", account="092")
    assert Revision((anew,)) == revise(before, (invoice("10"), anew), {"SGD": 1})


def test_new_mapping_alone_adjusts_nothing() -> None:
    """The sales are the ones that were posted: another account now is no reason to post."""
    before = filed(invoice("10"), payment("10"), total=1)
    wanted = (invoice("10", account="201"), payment("10"))
    assert Revision() == revise(before, wanted, {"SGD": 1})


def test_changed_sales_are_adjusted() -> None:
    """New figures after posting: revision 2, and what is posted is not touched."""
    before = filed(invoice("10"), payment("10"), total=1)
    change = revise(before, (invoice("12"), payment("12")), {"SGD": 2})
    assert change.is_adjustment
    assert [("invoice:S01:2026-03-14:SGD:2", Decimal(2))] == [
        (one.natural_key, one.total_amount)
        for one in change.write
        if isinstance(one, SalesDocument)
    ]
    assert frozenset() == change.drop


def test_adjustment_that_has_not_left_is_redone() -> None:
    """A second change before the first adjustment went out: one adjustment for both."""
    before = filed(invoice("10"), payment("10"), total=1)
    first = revise(before, (invoice("12"), payment("12")), {"SGD": 2}).write
    waiting = [*before, *(Filed(one, is_sent=False, daily_total_id=2) for one in first)]
    second = revise(waiting, (invoice("9"), payment("9")), {"SGD": 3})
    assert ["credit_note:S01:2026-03-14:SGD:2"] == [
        one.natural_key for one in second.write if isinstance(one, SalesDocument)
    ]
    assert {one.natural_key for one in first} == second.drop


def test_adjustment_that_has_left_is_followed_by_the_next() -> None:
    """A change after the first adjustment is posted is revision 3, for the difference to both."""
    before = filed(invoice("10"), payment("10"), total=1)
    first = revise(before, (invoice("12"), payment("12")), {"SGD": 2}).write
    books = [*before, *filed(*first, total=2)]
    third = revise(books, (invoice("13"), payment("13")), {"SGD": 3})
    assert [("invoice:S01:2026-03-14:SGD:3", Decimal(1))] == [
        (one.natural_key, one.total_amount) for one in third.write if isinstance(one, SalesDocument)
    ]
    assert Revision() == revise(books, (invoice("12"), payment("12")), {"SGD": 2})


def test_currencies_do_not_touch_each_other() -> None:
    """A new currency on a posted day is new; the other one stays."""
    before = filed(invoice("10"), payment("10"))
    yen = (invoice("500", currency="JPY"), payment("500", currency="JPY"))
    change = revise(before, (invoice("10"), payment("10"), *yen), {"SGD": 1, "JPY": 2})
    assert Revision(yen) == change
