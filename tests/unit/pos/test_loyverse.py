"""Loyverse receipts of every kind, and the rows that each must become, worked out by hand."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import httpx
import pytest
from answered_pos import DAY, SHOP, AnsweredPos, json_reply, rows

from daybook.errors import InputError
from daybook.pos.api_pages import ReadOptions
from daybook.pos.loyverse import LoyverseSource
from daybook.pos.source import NO_DAY

STORE = "uuid-bugis"
SOLD = "2025-03-15T12:23:29.000Z"
SOLD_AT = dt.datetime(2025, 3, 15, 12, 23, 29, tzinfo=dt.UTC)
SYNCED = "2025-03-15T14:28:10.000Z"


def item(total: str, **more: str) -> str:
    """A line; amounts are JSON numbers, written as they come over the wire."""
    extra = "".join(f', "{key}": {value}' for key, value in more.items())
    return f'{{"item_name": "Kopi", "total_money": {total}{extra}}}'


def tax(kind: str, amount: str, rate: str = "9") -> str:
    """A tax of a line."""
    return f'{{"type": "{kind}", "name": "GST", "rate": {rate}, "money_amount": {amount}}}'


def receipt(items: str, payments: str, **more: str) -> str:
    """A receipt; `more` is JSON text."""
    content = {
        "receipt_number": '"2-7336"',
        "receipt_type": '"SALE"',
        "store_id": f'"{STORE}"',
        "receipt_date": f'"{SOLD}"',
        "created_at": f'"{SYNCED}"',
        "updated_at": f'"{SYNCED}"',
        "cancelled_at": "null",
        "line_items": f"[{items}]",
        "payments": f"[{payments}]",
        **more,
    }
    return "{" + ", ".join(f'"{key}": {value}' for key, value in content.items()) + "}"


def cash(amount: str) -> str:
    """A payment."""
    return f'{{"name": "Cash", "type": "CASH", "money_amount": {amount}}}'


def read(*receipts: str, **options: Any) -> dict[str, list[tuple[Any, ...]]]:  # noqa: ANN401 - as given
    """What the source makes of these receipts."""
    till = AnsweredPos(lambda _: json_reply('{"receipts": [' + ", ".join(receipts) + "]}"))
    source = LoyverseSource(till.api, {STORE: "BUGIS"}, ReadOptions(**options))
    return rows(source.receipts([SHOP], DAY, DAY, known_store_ids={"BUGIS"}))


def test_an_offline_sale_belongs_to_the_tills_clock() -> None:
    """The receipt is dated by `receipt_date`, not by when the server heard of it."""
    found = read(receipt(item("5.50"), cash("5.5")))
    sold, synced = "2025-03-15 12:23:29+00:00", "2025-03-15 14:28:10+00:00"
    assert [("BUGIS", "2-7336", sold, synced, "SGD", False, False)] == found["receipts"]
    assert [("2-7336", 1, "Sales", "No tax", 550, 0, 0)] == found["lines"]
    assert [("2-7336", 1, "Cash", 550)] == found["tenders"]
    assert [] == found["rejects"]


def test_refunds_become_negative() -> None:
    """Loyverse writes refunds positive; line 10.90 with 0.90 GST in it goes out as -10.00 -0.90."""
    line = item("10.90", line_taxes=f"[{tax('INCLUDED', '0.90')}]", total_discount="1.10")
    found = read(receipt(line, cash("10.90"), receipt_type='"REFUND"', total_tax="0.90", tip="0"))
    assert [("2-7336", 1, "Sales", "GST 9%", -1000, -90, -110)] == found["lines"]
    assert [("2-7336", 1, "Cash", -1090)] == found["tenders"]
    assert [True] == [row[5] for row in found["receipts"]]


@pytest.mark.parametrize(("total", "what"), [("10.00", "without"), ("10.90", "with")])
def test_added_tax_is_read_either_way(total: str, what: str) -> None:
    """12.00 less 2.00 is 10.00; 0.90 comes on top, whether total_money already has it or not."""
    line = item(
        total,
        gross_total_money="12.00",
        total_discount="2.00",
        line_taxes=f"[{tax('ADDED', '0.90')}]",
    )
    found = read(receipt(line, cash("10.90")))
    assert [("2-7336", 1, "Sales", "GST 9%", 1000, 90, 200)] == found["lines"], what


def test_added_tax_that_fits_neither_way_is_a_reject() -> None:
    """10.50 is neither 10.00 nor 10.90: the receipt is left out, with the line's name."""
    line = item("10.50", gross_total_money="10", line_taxes=f"[{tax('ADDED', '0.90')}]")
    ((receipt_id, column, reason),) = read(receipt(line, cash("10.50")))["rejects"]
    assert ("2-7336", "line_items") == (receipt_id, column)
    assert reason.startswith("'Kopi' comes to 10.50, which is neither with nor without")


def test_old_and_new_rates_and_several_taxes_keep_apart() -> None:
    """A tax code is name and rate; two taxes on a line are named together, in order of name."""
    service = '{"type": "INCLUDED", "name": "City", "rate": 1.50, "money_amount": 0.10}'
    lines = ", ".join(
        [
            item("10.80", line_taxes=f"[{tax('INCLUDED', '0.80', '8')}]"),
            item("10.90", line_taxes=f"[{tax('INCLUDED', '0.90', '9.00')}]"),
            item("5.00", line_taxes=f"[{tax('INCLUDED', '0.00', '0')}, {service}]"),
        ]
    )
    found = read(receipt(lines, cash("26.70"), total_tax="1.80"))
    assert [("GST 8%", 1000, 80), ("GST 9%", 1000, 90), ("City 1.5% + GST 0%", 490, 10)] == [
        row[3:6] for row in found["lines"]
    ]


def test_tip_surcharge_and_points_have_their_own_rows() -> None:
    """5.00 of goods, 1.00 tip, 0.10 surcharge: 4.10 in cash and 2.00 in points."""
    found = read(
        receipt(item("5.00"), cash("4.10"), tip="1.00", surcharge="0.10", points_deducted="2")
    )
    assert [("Sales", 500), ("Tips", 100), ("Surcharge", 10)] == [
        (row[2], row[4]) for row in found["lines"]
    ]
    assert [("2-7336", 1, "Cash", 410), ("2-7336", 2, "Loyalty points", 200)] == found["tenders"]


def test_a_cancelled_receipt_is_voided() -> None:
    """It stays a receipt, to be counted and not summed."""
    found = read(receipt(item("5.00"), cash("5.00"), cancelled_at='"2025-03-16T01:00:00Z"'))
    assert [True] == [row[6] for row in found["receipts"]]


def test_categories_follow_the_items_names() -> None:
    """A name with a category gets it, every other the default."""
    found = read(
        receipt(f"{item('5.00')}, {item('1.00').replace('Kopi', 'Teh')}", cash("6.00")),
        categories={"Kopi": "Coffee"},
        default_category="Other",
    )
    assert ["Coffee", "Other"] == [row[2] for row in found["lines"]]


def test_a_receipt_that_does_not_balance_is_kept_as_it_is() -> None:
    """The control totals hold its day; nothing is put right here."""
    found = read(receipt(item("5.00"), cash("4.95")))
    assert ([500], [495]) == (
        [row[4] for row in found["lines"]],
        [row[3] for row in found["tenders"]],
    )


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        (receipt(item("5.005"), cash("5")), "", "'5.005' has more decimals than SGD, which has 2."),
        (receipt(item("1e30"), cash("5")), "", "'1E+30' is not an amount."),
        (receipt(item('"NaN"'), cash("5")), "", "'NaN' is not an amount."),
        (receipt(item('"sNaN"'), cash("5")), "", "'sNaN' is not an amount."),
        (receipt(item("5"), cash("5"), receipt_type='"SWAP"'), "receipt_type", "'SWAP' is not"),
        (
            receipt(item("5", line_taxes=f"[{tax('EXTRA', '1')}]"), cash("5")),
            "line_taxes",
            "'EXTRA' is not a known type of tax.",
        ),
        (receipt(item("5"), cash("5"), total_tax="0.01"), "total_tax", "It says 0.01, but the"),
        (receipt(item("true"), cash("5")), "", "An amount cannot be read: Expected `decimal`"),
        (receipt(item("5"), cash("5"), receipt_date='"yesterday"'), "sold_at", "'yesterday' is"),
        (receipt(item("5"), cash("5").replace("Cash", "a\\u0000b")), "tender", "'a\\x00b' holds"),
    ],
)
def test_what_cannot_be_read_is_a_reject(text: str, column: str, reason: str) -> None:
    """The receipt is left out whole and named; its neighbour is read."""
    good = receipt(item("1.00"), cash("1.00"), receipt_number='"2-1"')
    found = read(text, good)
    ((receipt_id, said_column, said),) = found["rejects"]
    assert ("2-7336", column) == (receipt_id, said_column)
    sold_at = None if "yesterday" in text else SOLD_AT
    assert [("BUGIS", sold_at)] == found["reaches"]
    assert said.startswith(reason)
    assert said.endswith("The receipt is left out.")
    assert [["2-1"], ["2-1"], ["2-1"]] == [
        [row[1] for row in found["receipts"]],
        [row[0] for row in found["lines"]],
        [row[0] for row in found["tenders"]],
    ]


def test_mistakes_of_other_days_wait_for_their_day() -> None:
    """A bad receipt outside the window is neither read nor rejected."""
    late = '"2025-03-20T12:00:00.000Z"'
    found = read(receipt(item("5.005"), cash("5"), receipt_date=late))
    assert ([], []) == (found["receipts"], found["rejects"])


def test_an_unreadable_receipt_of_an_unknown_store_holds_no_day() -> None:
    """Only one that does not say its store may be of any; one of another day waits for its day."""
    bad = item('"x"')
    text = '{"receipts": [' + receipt(bad, cash("1"), store_id='"closed-shop"') + "]}"
    till = AnsweredPos(lambda _: json_reply(text))
    source = LoyverseSource(till.api, {STORE: "BUGIS"})
    (page,) = source.receipts([SHOP], DAY, DAY, known_store_ids={"BUGIS"})
    (reject,) = page.rejects
    assert "Store 'closed-shop' is not known" in reject.reason
    assert NO_DAY == reject.reach
    assert [("any", SOLD_AT)] == read(receipt(bad, cash("1"), store_id="7"))["reaches"]
    later = '"2025-03-29T12:00:00.000Z"'
    assert [] == read(receipt(bad, cash("1"), receipt_date=later))["rejects"]


def test_an_unknown_store_is_a_reject_once() -> None:
    """Receipts of a store nobody configured are left out, and said so one time."""
    strange = receipt(item("5"), cash("5"), store_id='"uuid-other"')
    found = read(strange, strange, receipt(item("5"), cash("5")))
    assert [("receipts", "store_id")] == [row[:2] for row in found["rejects"]]
    assert 1 == len(found["receipts"])


def test_currencies_without_and_with_three_decimals() -> None:
    """550 yen are 550; 1.234 dinars are 1234."""
    for currency, amount, minor in (("JPY", "550", 550), ("KWD", "1.234", 1234)):
        text = '{"receipts": [' + receipt(item(amount), cash(amount)) + "]}"
        till = AnsweredPos(lambda _, text=text: json_reply(text))  # type: ignore[misc]  # bound now
        store = type(SHOP)("BUGIS", "Bugis", "Asia/Singapore", currency)
        found = rows(LoyverseSource(till.api, {STORE: "BUGIS"}).receipts([store], DAY, DAY))
        assert [minor] == [row[4] for row in found["lines"]]


def test_what_is_asked() -> None:
    """Changes since an hour before the day begins at 04:00 in Singapore, 250 at a time."""
    pages = iter(['{"receipts": [], "cursor": "abc"}', '{"receipts": []}'] * 2)
    till = AnsweredPos(lambda _: json_reply(next(pages)))
    source = LoyverseSource(till.api, {STORE: "BUGIS", "uuid-other": "OTHER"})
    assert [] == list(source.receipts([SHOP], DAY, DAY))
    first = {"updated_at_min": "2025-03-14T19:00:00.000Z", "limit": "250", "store_id": STORE}
    assert [first, first | {"cursor": "abc"}] == [dict(one.url.params) for one in till.requests]


def test_a_store_without_its_id_is_said_at_once() -> None:
    """Nothing is asked before every store has its store at Loyverse."""
    till = AnsweredPos(lambda _: httpx.Response(500))
    with pytest.raises(InputError, match="Store BUGIS has no Loyverse store"):
        list(LoyverseSource(till.api, {STORE: "OTHER"}).receipts([SHOP], DAY, DAY))


def test_dates_behind_the_wall_are_named() -> None:
    """The clock says 31 March noon, so dates that begin before 28 February noon are closed."""
    wall = dt.datetime(2025, 2, 28, 12, tzinfo=dt.UTC)

    def answer(request: httpx.Request) -> httpx.Response:
        since = dt.datetime.fromisoformat(request.url.params["updated_at_min"])
        return httpx.Response(402) if since < wall else httpx.Response(200, text="{}")

    till = AnsweredPos(answer)
    source = LoyverseSource(till.api, {STORE: "BUGIS"})
    with pytest.raises(InputError) as caught:
        list(source.receipts([SHOP], dt.date(2025, 2, 27), dt.date(2025, 3, 5)))
    assert "2025-02-27 to 2025-02-28 cannot be read. Ask for 2025-03-01 to 2025-03-05 only" in str(
        caught.value
    )
    with pytest.raises(
        InputError, match=r"2025-02-01 to 2025-02-02 cannot be read\. Take the older"
    ):
        list(source.receipts([SHOP], dt.date(2025, 2, 1), dt.date(2025, 2, 2)))


def test_the_overlap_does_not_run_into_the_wall() -> None:
    """A day that begins just inside the wall is read, only without looking an hour before it."""
    start = dt.datetime(2025, 3, 14, 20, tzinfo=dt.UTC)

    def answer(request: httpx.Request) -> httpx.Response:
        since = dt.datetime.fromisoformat(request.url.params["updated_at_min"])
        body = {"receipts": [json.loads(receipt(item("5"), cash("5")))]}
        return httpx.Response(402) if since < start else httpx.Response(200, json=body)

    source = LoyverseSource(AnsweredPos(answer).api, {STORE: "BUGIS"})
    assert 1 == len(rows(source.receipts([SHOP], DAY, DAY))["receipts"])


def test_pages_of_receipts_are_bounded() -> None:
    """Five calls of one receipt each make pages of two."""
    bodies = iter(
        '{"receipts": ['
        + receipt(item("5"), cash("5"), receipt_number=f'"2-{number}"')
        + ("]}" if number == 5 else f'], "cursor": "{number}"}}')
        for number in range(1, 6)
    )
    till = AnsweredPos(lambda _: json_reply(next(bodies)))
    source = LoyverseSource(till.api, {STORE: "BUGIS"}, ReadOptions(page_receipts=2))
    assert [2, 2, 1] == [len(page.batch.receipts) for page in source.receipts([SHOP], DAY, DAY)]
    assert "Loyverse at https://till.example" == source.name
