"""From a daily total to documents or holds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from daybook.money import minor_from_amount
from daybook.posting.documents import DocumentKind, Payment, SalesDocument
from daybook.posting.holds import HoldCode
from daybook.posting.mapping import Mapping, StoreRule, TrackingRule
from daybook.posting.plan import Plan, plan_documents
from daybook.sales.daily_total import CategoryTotal, DailyTotal, TenderTotal
from daybook.sales.store import Store

DATE = dt.date(2026, 3, 14)
STORE = Store("S01", "Tanjong", "Asia/Singapore", "SGD")
MAPPING = Mapping(
    organisation="Kopi Corner",
    effective_date=dt.date(2026, 1, 1),
    contact="Daily sales",
    categories={"Drinks": "200", "Mains": "200", "Snacks": "201"},
    taxes={"GST": "OUTPUT2", "ZR": "ZERORATED"},
    tenders={"Cash": "091", "NETS": "092"},
    tracking=TrackingRule("Store"),
)


def with_(**changes: Any) -> Mapping:  # noqa: ANN401 - any field of the mapping
    """The mapping with something else in it."""
    return msgspec.structs.replace(MAPPING, **changes)


def day(*parts: CategoryTotal | TenderTotal, currency: str = "SGD") -> DailyTotal:
    """A daily total of these parts."""
    return DailyTotal(
        store_id="S01",
        business_date=DATE,
        currency=currency,
        receipt_count=3,
        refund_count=0,
        voided_count=0,
        categories=tuple(part for part in parts if isinstance(part, CategoryTotal)),
        tenders=tuple(part for part in parts if isinstance(part, TenderTotal)),
    )


def sold(category: str, net: int, tax: int, code: str = "GST") -> CategoryTotal:
    """Sales of one category, in cents."""
    return CategoryTotal(
        category, code, is_refund=False, net_minor=net, tax_minor=tax, line_count=1
    )


def returned(category: str, net: int, tax: int) -> CategoryTotal:
    """Refunds of one category, in negative cents."""
    return CategoryTotal(
        category, "GST", is_refund=True, net_minor=net, tax_minor=tax, line_count=1
    )


def took(tender: str, amount: int) -> TenderTotal:
    """Cents one tender took in."""
    return TenderTotal(tender, is_refund=False, amount_minor=amount, tender_count=1)


def paid_out(tender: str, amount: int) -> TenderTotal:
    """Negative cents one tender paid out."""
    return TenderTotal(tender, is_refund=True, amount_minor=amount, tender_count=1)


def planned(total: DailyTotal, mapping: Mapping = MAPPING) -> Plan:
    """What the day becomes."""
    return plan_documents(total, store=STORE, mapping=mapping, prefix="DB")


def invoice_of(plan: Plan) -> SalesDocument:
    """The first document."""
    document = plan.documents[0]
    assert isinstance(document, SalesDocument)
    return document


def payments_of(plan: Plan) -> list[Payment]:
    """The payments, in order."""
    return [document for document in plan.documents if isinstance(document, Payment)]


def test_categories_of_one_account_and_tax_make_one_line() -> None:
    """Drinks and mains share account 200; zero-rated snacks stand on their own line."""
    total = day(
        sold("Drinks", 1000, 90), sold("Mains", 500, 45), sold("Snacks", 300, 0, "ZR"),
        took("Cash", 1935),
    )  # fmt: skip
    lines = [
        (line.account_code, line.tax_type, line.net_amount, line.tax_amount, line.description)
        for line in invoice_of(planned(total)).lines
    ]
    assert [
        ("200", "OUTPUT2", Decimal("15.00"), Decimal("1.35"), "Sales: Drinks, Mains"),
        ("201", "ZERORATED", Decimal("3.00"), Decimal("0.00"), "Sales: Snacks"),
    ] == lines


def test_number_reference_and_tracking_name_store_and_date() -> None:
    """What Xero shows leads back to the store's day."""
    invoice = invoice_of(planned(day(sold("Drinks", 100, 9), took("Cash", 109))))
    assert invoice.number == "DB-S01-20260314"
    assert invoice.natural_key == "invoice:S01:2026-03-14:SGD"
    assert invoice.reference == "Tanjong 2026-03-14"
    assert [("Store", "Tanjong")] == [
        (one.category, one.option) for one in invoice.lines[0].tracking
    ]


def test_store_rule_overrides_contact_and_tracking() -> None:
    """A store may be made out to a contact and a tracking option of its own."""
    rules = {"S01": StoreRule(contact="Tanjong sales", tracking_option="TG")}
    mapping = with_(stores=rules)
    invoice = invoice_of(planned(day(sold("Drinks", 100, 9), took("Cash", 109)), mapping))
    assert invoice.contact_name == "Tanjong sales"
    assert invoice.lines[0].tracking[0].option == "TG"


def test_each_tender_is_a_payment_into_its_account() -> None:
    """Two tenders, two payments, together the invoice's total."""
    plan = planned(day(sold("Drinks", 1000, 90), took("Cash", 590), took("NETS", 500)))
    payments = [(one.account_code, one.amount, one.reference) for one in payments_of(plan)]
    assert [
        ("091", Decimal("5.90"), "DB-S01-20260314 Cash"),
        ("092", Decimal("5.00"), "DB-S01-20260314 NETS"),
    ] == payments


def test_refund_below_the_days_sales_is_a_negative_line() -> None:
    """A refund stands apart on the invoice and comes off its tender."""
    total = day(
        sold("Drinks", 1000, 90), returned("Drinks", -100, -9),
        took("Cash", 1090), paid_out("Cash", -109),
    )  # fmt: skip
    plan = planned(total)
    assert [Decimal("10.00"), Decimal("-1.00")] == [
        line.net_amount for line in invoice_of(plan).lines
    ]
    assert [Decimal("9.81")] == [payment.amount for payment in payments_of(plan)]


def test_tender_below_zero_moves_refunds_to_a_credit_note() -> None:
    """Refunded on another tender than was taken that day: the credit note pays it out."""
    total = day(
        sold("Drinks", 1000, 90), returned("Snacks", -100, -9),
        took("Cash", 1090), paid_out("NETS", -109),
    )  # fmt: skip
    documents = [(one.kind, one.total_amount) for one in planned(total).documents]
    assert [
        (DocumentKind.INVOICE, Decimal("10.90")),
        (DocumentKind.PAYMENT, Decimal("10.90")),
        (DocumentKind.CREDIT_NOTE, Decimal("1.09")),
        (DocumentKind.PAYMENT, Decimal("1.09")),
    ] == documents


def test_day_of_refunds_alone_is_a_credit_note_alone() -> None:
    """Nothing sold, one refund: no invoice, and the credit note has a number of its own."""
    plan = planned(day(returned("Drinks", -100, -9), paid_out("Cash", -109)))
    assert [DocumentKind.CREDIT_NOTE, DocumentKind.PAYMENT] == [one.kind for one in plan.documents]
    assert invoice_of(plan).number == "DB-S01-20260314-CN"


def test_policy_can_ask_for_credit_notes() -> None:
    """With refunds = credit_note even a small refund leaves the invoice."""
    mapping = with_(refunds="credit_note")
    total = day(
        sold("Drinks", 1000, 90), returned("Drinks", -100, -9),
        took("Cash", 1090), paid_out("Cash", -109),
    )  # fmt: skip
    kinds = [one.kind for one in planned(total, mapping).documents]
    assert [
        DocumentKind.INVOICE, DocumentKind.PAYMENT, DocumentKind.CREDIT_NOTE, DocumentKind.PAYMENT,
    ] == kinds  # fmt: skip


def test_everything_unmapped_is_named() -> None:
    """Each missing key is a hold of its own, and no document is planned."""
    plan = planned(day(sold("Books", 100, 9, "VAT"), took("GrabPay", 109)))
    assert [
        (HoldCode.UNMAPPED_CATEGORY, "Books"),
        (HoldCode.UNMAPPED_TAX, "VAT"),
        (HoldCode.UNMAPPED_TENDER, "GrabPay"),
    ] == [(hold.code, hold.key) for hold in plan.holds]
    assert plan.documents == ()


def test_unmapped_category_that_comes_to_nothing_holds_nothing() -> None:
    """A free item of an unknown category keeps no day back."""
    plan = planned(day(sold("Drinks", 100, 9), sold("Samples", 0, 0), took("Cash", 109)))
    assert plan.holds == ()
    assert len(invoice_of(plan).lines) == 1


def test_unbalanced_day_is_held_with_the_difference() -> None:
    """One cent missing in the till is said, not mended."""
    plan = planned(day(sold("Drinks", 100, 9), took("Cash", 108)))
    assert [HoldCode.UNBALANCED] == [hold.code for hold in plan.holds]
    assert "-0.01 apart" in plan.holds[0].sentence


def test_sale_paid_below_zero_is_held() -> None:
    """Money paid out on a sale cannot be posted as a payment on an invoice."""
    plan = planned(day(sold("Drinks", 100, 0), took("Cash", 200), took("NETS", -100)))
    assert [HoldCode.NEGATIVE_TENDER] == [hold.code for hold in plan.holds]
    assert plan.holds[0].key == "NETS"


def test_day_that_comes_to_nothing_needs_no_document() -> None:
    """Zero-value sales only: nothing to post, nothing to hold."""
    assert planned(day(sold("Drinks", 0, 0), took("Cash", 0))) == Plan()


def test_foreign_currency_has_its_own_number() -> None:
    """One document per currency: the store's own currency is not in the number, others are."""
    total = day(sold("Drinks", 100, 0), took("Cash", 100), currency="JPY")
    invoice = invoice_of(planned(total))
    assert invoice.number == "DB-S01-20260314-JPY"
    assert invoice.total_amount == Decimal(100)


def test_sum_finer_than_a_cent_is_held() -> None:
    """Xero keeps two decimals: a dinar day with single fils is not rounded, it waits."""
    plan = planned(day(sold("Drinks", 1255, 0), took("Cash", 1255), currency="KWD"))
    assert [(HoldCode.TOO_FINE, "KWD")] == [(hold.code, hold.key) for hold in plan.holds]
    assert "1.255 KWD" in plan.holds[0].sentence
    assert plan.documents == ()


def test_sum_in_whole_cents_is_posted_in_a_currency_of_three_decimals() -> None:
    """1.250 KWD is exact in two decimals."""
    plan = planned(day(sold("Drinks", 1250, 0), took("Cash", 1250), currency="KWD"))
    assert Decimal("1.25") == invoice_of(plan).total_amount


amounts = st.integers(0, 10**9)


@given(
    sales=st.lists(
        st.tuples(st.sampled_from(["Drinks", "Mains", "Snacks"]), amounts, amounts), max_size=6
    ),
    refunds=st.lists(
        st.tuples(st.sampled_from(["Drinks", "Snacks"]), amounts, amounts), max_size=4
    ),
    cash_share=st.integers(0, 100),
    refund_tender=st.sampled_from(["Cash", "NETS"]),
)
def test_documents_always_come_to_the_day_and_are_paid(
    sales: list[tuple[str, int, int]],
    refunds: list[tuple[str, int, int]],
    cash_share: int,
    refund_tender: str,
) -> None:
    """Invoice less credit note is the day's total, and payments settle both exactly."""
    taken = sum(net + tax for _, net, tax in sales)
    given_back = sum(net + tax for _, net, tax in refunds)
    cash = taken * cash_share // 100
    total = day(
        *(sold(*one) for one in sales),
        *(returned(category, -net, -tax) for category, net, tax in refunds),
        took("Cash", cash),
        took("NETS", taken - cash),
        paid_out(refund_tender, -given_back),
    )
    plan = planned(total)
    assert plan.holds == ()
    signs = {DocumentKind.INVOICE: 1, DocumentKind.CREDIT_NOTE: -1}
    documents = [one for one in plan.documents if isinstance(one, SalesDocument)]
    assert total.total_minor == sum(
        signs[one.kind] * minor_from_amount(one.total_amount, "SGD") for one in documents
    )
    for document in documents:
        paid = [p.amount for p in payments_of(plan) if p.document_key == document.natural_key]
        assert document.total_amount == sum(paid)
        assert document.total_amount >= 0


def test_order_of_parts_does_not_matter() -> None:
    """Parts in any order give the same documents, keys and all."""
    parts: list[CategoryTotal | TenderTotal] = [
        sold("Drinks", 100, 9),
        sold("Snacks", 50, 0, "ZR"),
        took("Cash", 59),
        took("NETS", 100),
    ]
    assert planned(day(*parts)) == planned(day(*reversed(parts)))


def test_unpaid_tender_stays_owed_on_the_invoice() -> None:
    """A house account is no money: the invoice is for all of it, the payment for the rest."""
    mapping = with_(tenders={**MAPPING.tenders, "House account": "unpaid"})
    total = day(sold("Drinks", 1000, 90), took("Cash", 590), took("House account", 500))
    plan = planned(total, mapping)
    assert plan.holds == ()
    assert Decimal("10.90") == invoice_of(plan).total_amount
    assert [("091", Decimal("5.90"))] == [(p.account_code, p.amount) for p in payments_of(plan)]
