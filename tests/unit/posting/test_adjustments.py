"""Adjustments: documents for exactly the difference."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from daybook.posting.adjustments import adjustments
from daybook.posting.documents import (
    Document,
    DocumentKind,
    DocumentLine,
    Payment,
    SalesDocument,
)

DATE = dt.date(2026, 3, 14)


def invoice(
    lines: dict[str, str],
    tenders: dict[str, str],
    *,
    kind: DocumentKind = DocumentKind.INVOICE,
    key: str = "",
) -> list[Document]:
    """A document of account -> net (untaxed) with its payments of tender -> amount."""
    key = key or f"{kind}:S01:2026-03-14:SGD"
    sales = SalesDocument(
        kind=kind,
        natural_key=key,
        number="DB-S01-20260314" + ("-CN" if kind is DocumentKind.CREDIT_NOTE else ""),
        reference="Tanjong 2026-03-14",
        contact_name="Daily sales",
        date=DATE,
        currency="SGD",
        lines=tuple(
            DocumentLine("Sales", account, "NONE", Decimal(net), Decimal(0))
            for account, net in lines.items()
        ),
    )
    payments = [
        Payment(
            kind=DocumentKind.PAYMENT,
            natural_key=f"payment:{key}:{tender}",
            document_key=key,
            account_code=f"acc-{tender}",
            date=DATE,
            currency="SGD",
            amount=Decimal(amount),
            reference=f"{sales.number} {tender}",
            tender=tender,
        )
        for tender, amount in tenders.items()
    ]
    return [sales, *payments]


def effect(documents: list[Document]) -> dict[str, Decimal]:
    """What documents do to each account, payments per tender, and what stays unpaid."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    signs = {
        one.natural_key: -1 if one.kind is DocumentKind.CREDIT_NOTE else 1 for one in documents
    }
    for one in documents:
        if isinstance(one, SalesDocument):
            for line in one.lines:
                sums[line.account_code] += signs[one.natural_key] * line.net_amount
            sums[f"unpaid {one.number}"] += one.total_amount
        elif isinstance(one, Payment):
            sums[one.tender] += signs[one.document_key] * one.amount
            number = next(d.number for d in documents if d.natural_key == one.document_key)  # type: ignore[union-attr] # it is a sales document
            sums[f"unpaid {number}"] -= one.amount
    return {name: amount for name, amount in sums.items() if amount}


def accounts_and_tenders(documents: list[Document]) -> dict[str, Decimal]:
    """The effect without what stays unpaid on each document."""
    return {name: sum_ for name, sum_ in effect(documents).items() if " " not in name}


def shown(documents: tuple[Document, ...]) -> list[tuple[str, str]]:
    """Number or reference, and amount."""
    return [
        (one.number if isinstance(one, SalesDocument) else one.reference, str(one.total_amount))
        for one in documents
    ]


def test_late_sale_is_an_adjustment_invoice() -> None:
    """Two dollars more in cash: an invoice of two dollars, on the original date."""
    made = adjustments(
        invoice({"200": "10"}, {"Cash": "10"}), invoice({"200": "12"}, {"Cash": "12"}), revision=2
    )
    assert [("DB-S01-20260314-R2", "2"), ("DB-S01-20260314-R2 Cash", "2")] == shown(made)
    assert {DATE} == {one.date for one in made}


def test_voided_sale_is_an_adjustment_credit_note() -> None:
    """Three dollars less: a credit note of three dollars, paid out of the tender."""
    made = adjustments(
        invoice({"200": "10"}, {"Cash": "10"}), invoice({"200": "7"}, {"Cash": "7"}), revision=3
    )
    assert [("DB-S01-20260314-R3-CN", "3"), ("DB-S01-20260314-R3-CN Cash", "3")] == shown(made)


def test_corrected_tender_needs_both() -> None:
    """Ten dollars were NETS, not cash: in through NETS, out through cash, sales unchanged."""
    posted = invoice({"200": "10"}, {"Cash": "10"})
    made = adjustments(posted, invoice({"200": "10"}, {"NETS": "10"}), revision=2)
    assert [
        ("DB-S01-20260314-R2", "10"),
        ("DB-S01-20260314-R2 NETS", "10"),
        ("DB-S01-20260314-R2-CN", "10"),
        ("DB-S01-20260314-R2-CN Cash", "10"),
    ] == shown(made)
    assert {"200": Decimal(10), "NETS": Decimal(10)} == effect([*posted, *made])


def test_recategorised_sale_is_an_invoice_of_nothing() -> None:
    """Ten dollars move between accounts: one invoice with a line up and a line down."""
    made = adjustments(
        invoice({"200": "10"}, {"Cash": "10"}), invoice({"201": "10"}, {"Cash": "10"}), revision=2
    )
    assert [("DB-S01-20260314-R2", "0")] == shown(made)


def test_unchanged_day_needs_nothing() -> None:
    """The same figures, even in other documents, make no adjustment."""
    apart = [
        *invoice({"200": "12"}, {"Cash": "12"}),
        *invoice({"200": "2"}, {"Cash": "2"}, kind=DocumentKind.CREDIT_NOTE),
    ]
    assert () == adjustments(apart, invoice({"200": "10"}, {"Cash": "10"}), revision=2)


cents = st.integers(0, 9999).map(lambda minor: Decimal(minor).scaleb(-2))


@st.composite
def days(draw: st.DrawFn) -> list[Document]:
    """A day as one invoice: some accounts, some tenders, perhaps a part that stays unpaid."""
    amounts = draw(st.dictionaries(st.sampled_from(["200", "201", "202"]), cents, min_size=1))
    total = sum(amounts.values(), start=Decimal(0))
    cash = draw(st.sampled_from([Decimal(0), total, min(total, Decimal("3.33"))]))
    # Part of the rest may be unpaid: a tender that makes no payment.
    tenders = {"Cash": cash, "NETS": draw(st.sampled_from([total - cash, Decimal(0)]))}
    return invoice(
        {account: str(net) for account, net in amounts.items()},
        {tender: str(amount) for tender, amount in tenders.items() if amount},
    )


@given(first=days(), second=days(), third=days())
def test_any_change_comes_to_what_is_wanted(
    first: list[Document], second: list[Document], third: list[Document]
) -> None:
    """After one change and another, accounts and tenders are as wanted; none pays too much."""
    books = list(first)
    for revision, wanted in ((2, second), (3, third)):
        made = adjustments(books, wanted, revision=revision)
        assert all(one.total_amount >= 0 for one in made)
        assert all(one.total_amount > 0 for one in made if isinstance(one, Payment))
        books += made
        assert accounts_and_tenders(wanted) == accounts_and_tenders(books)
        for document in made:
            paid = sum(
                one.amount
                for one in made
                if isinstance(one, Payment) and one.document_key == document.natural_key
            )
            assert paid <= document.total_amount or isinstance(document, Payment)
    keys = [one.natural_key for one in books]
    assert len(keys) == len(set(keys))
