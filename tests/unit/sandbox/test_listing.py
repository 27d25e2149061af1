"""Lists give the same answer with an index as by looking at every record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.sandbox import listing, payments
from daybook.sandbox.books import Books
from daybook.sandbox.records import ONE, Organisation, Payment
from daybook.sandbox.routing import Call
from daybook.sandbox.validation import ApiError, QueryParseError

NOW = datetime(2026, 7, 14, tzinfo=UTC)


def books() -> Books:
    """Sixty payments of ten documents over twelve days."""
    organisation = Organisation(
        id="o", name="O", country="NZ", currency="NZD", time_zone="UTC", plan="P",
        short_code="!", created_at=NOW,
    )  # fmt: skip
    made = Books(organisation, [])
    for n in range(60):
        made.payments.put(
            Payment(
                id=f"p{n:02}",
                type="ACCRECPAYMENT",
                status="DELETED" if n % 7 == 0 else "AUTHORISED",
                document_id=f"d{n % 10}",
                account_id="a",
                payment_date=(NOW + timedelta(days=n % 12)).date(),
                amount=Decimal(n),
                bank_amount=Decimal(n),
                currency_rate=ONE,
                created_at=NOW,
                updated_at=NOW + timedelta(seconds=n // 2),
                reference=f"R{n % 5}" if n % 3 else "",
            )
        )
    return made


BOOKS = books()


def call(**query: str) -> Call:
    """A GET with a query."""
    return Call(
        method="GET", path="/Payments", query=query, headers={}, body=b"", books=BOOKS, now=NOW,
        new_id=str, correlation_id="", client_id="", app_name="", user_name="", base_url="",
        high_volume=100,
    )  # fmt: skip


def found(**query: str) -> list[str]:
    """The ids a list call finds, in order."""
    return [row.id for row in listing.select(call(**query), BOOKS.payments, payments.LISTING).rows]


COMPARISONS = st.one_of(
    st.integers(0, 11).map(lambda n: f'Invoice.InvoiceID==guid("D{n}")'),
    st.integers(0, 5).map(lambda n: f'Reference=="r{n}"'),
    st.integers(0, 65).map(lambda n: f'PaymentID=="P{n:02}"'),
    st.tuples(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.integers(12, 28)).map(
        lambda pair: f"Date{pair[0]}DateTime(2026,7,{pair[1]})"
    ),
    st.sampled_from(['Status=="AUTHORISED"', "Amount>30", "Reference!=null"]),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner).map(
            lambda parts: f"({parts[0]}{parts[1]}{parts[2]})"
        ),
        inner.map(lambda part: f"!({part})"),
    ),
    max_leaves=5,
)


@given(FILTERS)
def test_index_changes_nothing_but_the_speed(where: str) -> None:
    """Whatever the filter, the records are those a full scan finds, in the same order."""
    BOOKS.payments.memo.clear()
    scan = listing.select(
        call(where=where), BOOKS.payments, payments.LISTING, among=list(BOOKS.payments)
    )
    BOOKS.payments.memo.clear()
    assert [row.id for row in scan.rows] == found(where=where)


def test_default_order_is_by_update_then_id() -> None:
    """Records of the same moment come in order of their ids."""
    assert [f"p{n:02}" for n in range(60)] == found()
    assert found(order="Amount DESC")[:3] == ["p59", "p58", "p57"]


def test_pages_cover_everything_once() -> None:
    """Pages do not overlap, and the page after the last is empty."""
    pages = [found(page=str(number), pagesize="25") for number in (1, 2, 3, 4)]
    assert [25, 25, 10, 0] == [len(page) for page in pages]
    assert found() == [key for page in pages for key in page]


def test_answer_is_remembered_until_something_changes() -> None:
    """Page after page comes from one answer; a write in between is seen."""
    mine = books()
    before = listing.select(call(page="1"), mine.payments, payments.LISTING)
    assert 1 == len(mine.payments.memo)
    changed = mine.payments.rows["p00"]
    changed.updated_at = NOW + timedelta(days=1)
    mine.payments.put(changed)
    after = listing.select(call(page="1"), mine.payments, payments.LISTING)
    assert ("p00", "p00") == (before.rows[0].id, after.rows[-1].id)


def test_unknown_field_is_refused_even_when_an_index_answers() -> None:
    """A filter is checked as a whole."""
    for where in ('Nope=="x"', 'PaymentID=="p01" AND Nope=="x"'):
        with pytest.raises(QueryParseError):
            found(where=where)


def test_large_table_refuses_what_is_not_optimised() -> None:
    """Above the threshold only optimised fields may filter and order, and lists must be paged."""
    small = call(where="Amount>1", page="1")
    small.high_volume = 59
    with pytest.raises(ApiError, match="high volume"):
        listing.select(small, BOOKS.payments, payments.LISTING)
    unpaged = call()
    unpaged.high_volume = 59
    with pytest.raises(ApiError, match="high volume"):
        listing.select(unpaged, BOOKS.payments, payments.LISTING)


def test_modified_since_reads_both_forms() -> None:
    """ISO without a zone is UTC; the HTTP form is taken too; other text is refused."""
    for value in (
        "2026-07-14T00:00:05",
        "2026-07-14T12:00:05+12:00",
        "Tue, 14 Jul 2026 00:00:05 GMT",
    ):
        asked = call()
        asked.headers = {"if-modified-since": value}
        assert NOW + timedelta(seconds=5) == listing.modified_since(asked)
    asked.headers = {"if-modified-since": "yesterday"}
    with pytest.raises(QueryParseError):
        listing.modified_since(asked)
