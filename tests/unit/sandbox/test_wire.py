"""Reading tolerantly and writing exactly."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from daybook.sandbox import wire
from daybook.sandbox.validation import NoDataProcessed, PostDataInvalid


def test_dates_carry_escaped_slashes() -> None:
    """Moments, midnights and envelope times look as on Xero's wire."""
    moment = datetime(2018, 10, 20, 0, 0, 0, 5000, tzinfo=UTC)
    assert rb'"\/Date(1539993600005+0000)\/"' == bytes(wire.instant(moment))
    assert rb'"\/Date(1539993600005)\/"' == bytes(wire.instant(moment, offset=False))
    assert rb'"\/Date(1539993600000+0000)\/"' == bytes(wire.day(date(2018, 10, 20)))


def test_decimals_keep_their_zeros() -> None:
    """Amounts are numbers with the decimals they were given."""
    assert b'{"Total":20.00,"Quantity":1.0000}' == wire.encode(
        {"Total": Decimal("20.00"), "Quantity": Decimal("1.0000")}
    )


def test_numbers_are_read_without_floats() -> None:
    """A JSON number of many digits arrives as it was written."""
    (element,) = wire.elements(b'{"A": 2751.0000000000014}', "As", "A")
    assert {"A": Decimal("2751.0000000000014")} == element


@pytest.mark.parametrize(
    "body", [b'{"Invoices":[{"A":1}]}', b'{"invoices":[{"A":1}]}', b'[{"A":1}]', b'{"A":1}']
)
def test_elements_come_in_any_wrapping(body: bytes) -> None:
    """Wrapped in the plural, in any case, as an array, or bare."""
    assert [{"A": 1}] == wire.elements(body, "Invoices", "Invoice")


@pytest.mark.parametrize("body", [b"", b"  ", b"[]", b"{}", b'{"Bills":[{"A":1}]}'])
def test_nothing_to_process_is_said(body: bytes) -> None:
    """An empty body or another root key holds no data for this endpoint."""
    with pytest.raises(NoDataProcessed, match="expecting Invoice data to be specifed"):
        wire.elements(body, "Invoices", "Invoice")


def test_broken_json_is_refused() -> None:
    """A body that is not JSON is post data that cannot be read."""
    with pytest.raises(PostDataInvalid):
        wire.elements(b'{"A":', "As", "A")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2026-07-14", date(2026, 7, 14)),
        ("2026-07-14T23:59:59Z", date(2026, 7, 14)),
        ("/Date(1539993600000)/", date(2018, 10, 20)),
        ("/Date(1539993600000+1300)/", date(2018, 10, 20)),
        ("", None),
    ],
)
def test_dates_come_in_three_forms(sent: str, read: date | None) -> None:
    """Plain, with time, or in Microsoft's form whose milliseconds are UTC already."""
    assert read == wire.calendar_date(sent)


@pytest.mark.parametrize("sent", ["20100510", "2026-13-01", "14/07/2026", 3, "/Date(x)/"])
def test_other_dates_are_refused(sent: object) -> None:
    """Compact and foreign forms are not dates."""
    with pytest.raises(PostDataInvalid, match="not a valid AllXsd value"):
        wire.calendar_date(sent)


def test_long_dates_are_not_remembered() -> None:
    """A text as long as a body is read as a date and gone."""
    tracemalloc.start()
    try:
        for number in range(20):
            sent = f"2026-07-20T{number}" + "0" * 100_000
            assert date(2026, 7, 20) == wire.calendar_date(sent)
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes < 1_000_000


def test_numbers_and_booleans_may_be_text() -> None:
    """Numeric and boolean text is taken; other text, infinities and booleans as numbers are not."""
    assert (Decimal("1.50"), True, False) == (
        wire.decimal("1.50"),
        wire.boolean("True"),
        wire.boolean(value=False),
    )
    unreadable: tuple[object, ...] = ("x", "NaN", "Infinity", True, [], "")
    for wrong in unreadable:
        with pytest.raises(PostDataInvalid):
            wire.decimal(wrong)
    with pytest.raises(PostDataInvalid):
        wire.boolean("yes")


def test_wrong_value_says_where_it_is() -> None:
    """The path leads through arrays and objects to the field."""
    fields = wire.Fields(Lines=wire.many(wire.Fields(Amount=wire.decimal)))
    with pytest.raises(PostDataInvalid) as caught:
        fields.read_all([{"Lines": [{"amount": 1}, {"Amount": "x"}]}])
    assert "Could not convert value to decimal: x. Path '[0].Lines[1].Amount'." == (
        caught.value.message
    )


def test_fields_match_in_any_case_and_nulls_are_absent() -> None:
    """Unknown fields are ignored, null means not sent."""
    fields = wire.Fields(Name=wire.text, Amount=wire.decimal)
    assert {"Name": "7"} == fields.read({"name": 7, "Amount": None, "Other": {}})


def test_echo_puts_dates_back_on_the_wire() -> None:
    """What was read typed is handed back in wire form."""
    echoed = wire.encode(wire.echo({"A": [{"Date": date(2018, 10, 20)}], "B": Decimal("1.0")}))
    assert rb'{"A":[{"Date":"\/Date(1539993600000+0000)\/"}],"B":1.0}' == echoed
