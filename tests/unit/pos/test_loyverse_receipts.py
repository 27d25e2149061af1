"""Loyverse's receipts, many at once: what each comes to is what a plain reading of it comes to."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from answered_pos import DAY, SHOP, AnsweredPos, json_reply, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.pos.api_pages import ReadOptions
from daybook.pos.loyverse import LoyverseSource
from daybook.pos.loyverse_receipts import Blocks, Receipt, Unreadable

DIGITS = {"JPY": 0, "SGD": 2, "BHD": 3}
CATEGORIES = {"Kopi": "Drinks", "Laksa": "Food"}
SHOP_AT_LOYVERSE = "uuid-bugis"
DECODE = msgspec.json.Decoder(list[Receipt]).decode

amounts = st.integers(0, 10**7) | st.sampled_from([0, 1, 10**11])
small = st.integers(0, 10**6)
names = st.sampled_from(["Kopi", "Laksa", "Teh", None])
said_rates = st.sampled_from([None, "9", "9.0", "7", "5.50", "1E+1"])


@st.composite
def written(draw: st.DrawFn, minor: int, digits: int) -> str:
    """The amount as JSON, in one of the ways in which a number may be written."""
    plain = f"{Decimal(minor).scaleb(-digits):f}"
    longer = f"{plain}0" if "." in plain else f"{plain}.0"
    ways = [plain, longer, f"{minor}e-{digits}", f'"{plain}"', f"{plain}E+0"]
    return draw(st.sampled_from(ways))


@st.composite
def items(draw: st.DrawFn, digits: int) -> tuple[str, int]:
    """A line as JSON, and its tax in minor units."""
    gross, discount = draw(amounts), draw(small)
    parts, added, tax_sum = [], 0, 0
    for _ in range(draw(st.integers(0, 3))):
        kind, tax = draw(st.sampled_from(["INCLUDED", "ADDED"])), draw(small)
        added += tax if kind == "ADDED" else 0
        tax_sum += tax
        fields = {"type": json.dumps(kind), "money_amount": draw(written(tax, digits))}
        fields["name"] = json.dumps(draw(st.sampled_from(["GST", " Service ", None])))
        rate = draw(said_rates)
        fields |= {"rate": rate or "null"} if draw(st.booleans()) else {}
        parts.append(_object(fields))
    is_with = draw(st.booleans())
    total = gross - discount + (added if is_with else 0)
    fields = {"total_money": draw(written(total, digits))}
    fields |= {"item_name": json.dumps(draw(names))} if draw(st.booleans()) else {}
    fields |= {"line_taxes": f"[{', '.join(parts)}]"} if draw(st.booleans()) or parts else {}
    if added or draw(st.booleans()):
        fields["gross_total_money"] = draw(written(gross, digits))
    if discount or draw(st.booleans()):
        fields["total_discount"] = draw(written(discount, digits))
    return _object(fields), tax_sum


@st.composite
def receipts(draw: st.DrawFn, digits: int, number: str) -> str:
    """A receipt as JSON that comes to its own totals."""
    made = draw(st.lists(items(digits), max_size=4))
    paid = [
        _object(
            {
                "money_amount": draw(written(draw(amounts), digits)),
                "name": json.dumps(draw(st.sampled_from(["Cash", "", None]))),
                "type": json.dumps(draw(st.sampled_from(["CASH", "CARD"]))),
            }
        )
        for _ in range(draw(st.integers(0, 2)))
    ]
    fields = {
        "receipt_number": json.dumps(number),
        "receipt_type": json.dumps(draw(st.sampled_from(["SALE", "REFUND"]))),
        "store_id": json.dumps(SHOP_AT_LOYVERSE),
        "receipt_date": '"2025-03-15T12:23:29.000Z"',
        "updated_at": '"2025-03-15T14:28:10.000Z"',
        "line_items": f"[{', '.join(text for text, _ in made)}]" if made else "null",
        "payments": f"[{', '.join(paid)}]" if paid else "null",
    }
    for name in ("tip", "surcharge", "points_deducted"):
        if draw(st.booleans()):
            fields[name] = draw(st.just("null") | small.flatmap(lambda x: written(x, digits)))
    tax_sum = sum(tax for _, tax in made)
    if draw(st.booleans()):
        fields["total_tax"] = draw(st.just("null") | written(tax_sum, digits))
    return _object(fields)


def _object(fields: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"


def exact(value: Any) -> Decimal:  # noqa: ANN401 - JSON
    """An amount; one that is not there is nothing."""
    return Decimal(value) if value is not None else Decimal(0)


def plain_label(tax: dict[str, Any]) -> str:
    """A tax's name with its rate."""
    name = (tax.get("name") or "Tax").strip()
    return name if tax.get("rate") is None else f"{name} {Decimal(tax['rate']).normalize():f}%"


def plain_line(item: dict[str, Any]) -> tuple[str, str, Decimal, Decimal, Decimal]:
    """One line by itself: its price without any tax, all its tax, its discount."""
    taxes = item.get("line_taxes") or []
    tax = sum((exact(one["money_amount"]) for one in taxes), start=Decimal(0))
    added = sum(
        (exact(one["money_amount"]) for one in taxes if one["type"] == "ADDED"), start=Decimal(0)
    )
    total, discount = exact(item["total_money"]), exact(item.get("total_discount"))
    if added and total == exact(item["gross_total_money"]) - discount:
        total += added
    code = " + ".join(sorted(map(plain_label, taxes))) or "No tax"
    category = CATEGORIES.get(item.get("item_name"), "Sales")  # type: ignore[arg-type] # None too
    return category, code, total - tax, tax, discount


def plain_receipt(one: dict[str, Any]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The lines and tenders of one receipt, in major units."""
    sign = -1 if one["receipt_type"] == "REFUND" else 1
    lines = [plain_line(item) for item in one["line_items"] or []]
    for name, what in (("tip", "Tips"), ("surcharge", "Surcharge")):
        if exact(one.get(name)):
            lines.append((what, "No tax", exact(one[name]), Decimal(0), Decimal(0)))
    tenders = [
        (paid["name"] or paid["type"] or "", sign * exact(paid["money_amount"]))
        for paid in one["payments"] or []
    ]
    if exact(one.get("points_deducted")):
        tenders.append(("Loyalty points", sign * exact(one["points_deducted"])))
    signed = [(where, code, sign * a, sign * b, sign * c) for where, code, a, b, c in lines]
    return signed, tenders


@settings(deadline=None)
@given(st.data(), st.sampled_from(sorted(DIGITS)))
def test_many_at_once_come_to_what_each_comes_to(data: st.DataObject, currency: str) -> None:
    """Refunds, tips, taxes in and on the price: line by line, whoever stands beside it."""
    digits = DIGITS[currency]
    texts = [
        data.draw(receipts(digits, f"R{number}")) for number in range(data.draw(st.integers(0, 6)))
    ]
    page = f"[{', '.join(texts)}]"
    found = Blocks(ReadOptions(categories=CATEGORIES), [currency]).of(DECODE(page), currency)
    plain = [plain_receipt(one) for one in json.loads(page, parse_float=Decimal, parse_int=Decimal)]

    def minor(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(one.scaleb(digits) if isinstance(one, Decimal) else one for one in row)

    assert [len(lines) for lines, _ in plain] == found.line_counts
    assert [len(tenders) for _, tenders in plain] == found.tender_counts
    assert [minor(row) for lines, _ in plain for row in lines] == list(
        zip(*found.lines, strict=True)
    )
    assert [minor(row) for _, tenders in plain for row in tenders] == list(
        zip(*found.tenders, strict=True)
    )


def bad(number: str, **changes: str) -> str:
    """A receipt of one line, paid in cash, with something wrong."""
    fields = {
        "receipt_number": json.dumps(number),
        "receipt_type": '"SALE"',
        "store_id": json.dumps(SHOP_AT_LOYVERSE),
        "receipt_date": '"2025-03-15T12:23:29.000Z"',
        "updated_at": '"2025-03-15T14:28:10.000Z"',
        "line_items": '[{"total_money": 5.5}]',
        "payments": '[{"name": "Cash", "money_amount": 5.5}]',
    }
    return _object(fields | changes)


def line(tax: str = "", **changes: str) -> str:
    """The lines of a bad receipt."""
    taxes = {"line_taxes": f"[{{{tax}}}]"} if tax else {}
    return f"[{_object({'total_money': '5.5', **taxes, **changes})}]"


WRONG = (
    {"receipt_type": '"VOID"'},
    {"total_tax": "0.01"},
    {"total_tax": '"NaN"'},
    {"total_tax": "true"},
    {"tip": "0.001"},
    {"surcharge": '"sNaN"'},
    {"points_deducted": "1e13"},
    {"points_deducted": '"-Infinity"'},
    {"line_items": line(total_money="null")},
    {"line_items": line(total_money="{}")},
    {"line_items": line(total_money="5.555")},
    {"line_items": line(total_money="1e-999999")},
    {"line_items": line(total_discount='"free"')},
    {"line_items": line(total_discount='"NaN"')},
    {"line_items": line('"type": "OTHER", "money_amount": 1')},
    {"line_items": line('"type": "ADDED", "money_amount": 1')},
    {"line_items": line('"type": "ADDED", "money_amount": 1', gross_total_money="9")},
    {"line_items": line('"type": "INCLUDED", "money_amount": 0, "rate": "nine"')},
    {"line_items": line('"type": "INCLUDED", "money_amount": 0, "rate": "NaN"')},
    {"line_items": line('"type": "INCLUDED", "money_amount": 0, "rate": "sNaN"')},
    {"line_items": line('"type": "INCLUDED", "money_amount": 0, "rate": 1e999999')},
    {"payments": '[{"money_amount": ""}]'},
)


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_is_wrong_with_one_receipt_is_said(wrong: dict[str, str]) -> None:
    """It is not guessed, and it is not another error than the one that leaves a receipt out."""
    (one,) = DECODE(f"[{bad('R1', **wrong)}]")
    with pytest.raises(Unreadable):
        Blocks(ReadOptions(), ["SGD"]).of([one], "SGD")


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_bad_receipts_are_found_alone(data: st.DataObject) -> None:
    """However many there are and wherever they stand: all others are taken."""
    good = [data.draw(receipts(2, f"G{number}")) for number in range(data.draw(st.integers(0, 6)))]
    wrong = data.draw(st.lists(st.sampled_from(WRONG), min_size=1, max_size=4))
    wrongs = [bad(f"B{number}", **changes) for number, changes in enumerate(wrong)]
    page = ", ".join(data.draw(st.permutations([*good, *wrongs])))
    till = AnsweredPos(lambda _: json_reply(f'{{"receipts": [{page}]}}'))
    source = LoyverseSource(till.api, {SHOP_AT_LOYVERSE: "BUGIS"}, ReadOptions())
    found = rows(source.receipts([SHOP], DAY, DAY, known_store_ids={"BUGIS"}))
    left_out = [f"B{number}" for number in range(len(wrongs))]
    assert left_out == sorted(row[0] for row in found["rejects"])
    assert [f"G{number}" for number in range(len(good))] == sorted(
        row[1] for row in found["receipts"]
    )
    plain = json.loads(f"[{', '.join(good)}]", parse_float=Decimal, parse_int=Decimal)
    lines = Counter({one["receipt_number"]: len(plain_receipt(one)[0]) for one in plain})
    assert +lines == Counter(row[0] for row in found["lines"])
