"""The grammar of `where`, `order` and paging."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from daybook.sandbox import query
from daybook.sandbox.validation import QueryParseError


@dataclass(frozen=True, slots=True)
class Row:
    """A record to be found."""

    name: str
    day: date
    total: Decimal
    is_open: bool
    note: str | None = None


ROWS = (
    Row("Anna", date(2026, 1, 1), Decimal("1.50"), is_open=True),
    Row("Bert", date(2026, 2, 1), Decimal("20.00"), is_open=False, note="x"),
    Row('C "quoted" and (odd)', date(2026, 3, 1), Decimal("-3.00"), is_open=True, note=""),
)
SCHEMA: query.Schema[Row] = query.Schema(
    {
        "name": lambda row: row.name,
        "date": lambda row: row.day,
        "total": lambda row: row.total,
        "isopen": lambda row: row.is_open,
        "contact.note": lambda row: row.note,
    },
    frozenset(),
)


def found(where: str) -> list[int]:
    """Return the positions of the rows a filter finds."""
    test = SCHEMA.compile(query.parse_where(where))
    return [position for position, row in enumerate(ROWS) if test(row)]


@pytest.mark.parametrize(
    ("where", "positions"),
    [
        ('Name=="anna"', [0]),
        ('Name = "Anna"', [0]),
        ('Name!="Anna"', [1, 2]),
        ("Total>=1.5", [0, 1]),
        ("Total<0", [2]),
        ("Total>-4 AND Total<2", [0, 2]),
        ("Date>=DateTime(2026,02,01)", [1, 2]),
        ("Date==DateTime(2026, 1, 1, 0, 0, 0)", [0]),
        ('Date<DateTime.Parse("2026-02-01")', [0]),
        ("IsOpen==true && Total>0", [0]),
        ("IsOpen", [0, 2]),
        ("!IsOpen", [1]),
        ("not(IsOpen==true)", [1]),
        ('Name=="Bert" OR Name=="Anna" AND Total>100', [1]),
        ('(Name=="Bert" OR Name=="Anna") AND Total>100', []),
        ('(Name=="Bert" || Name=="Anna") && Total>1', [0, 1]),
        ('Name.StartsWith("B")', [1]),
        ('Name.EndsWith("(ODD)")', [2]),
        ('Name.Contains("\\"quoted\\" and")', [2]),
        ('Name.Contains("nn") == true', [0]),
        ("Contact.Note!=null", [1]),
        ("Contact.Note==null", [0, 2]),
        ('Contact.Note!="x"', [0, 2]),
        ('Contact.Note!=null && Contact.Note.Contains("x")', [1]),
        ('Name==guid("ANNA")', [0]),
    ],
)
def test_filter_finds(where: str, positions: list[int]) -> None:
    """Each form of the documented grammar finds what it says."""
    assert positions == found(where)


@pytest.mark.parametrize(
    "where",
    [
        "",
        "Name==nothing",
        "Name==",
        'Name=="Anna',
        'Name=="Anna" AND',
        "(Total>1",
        "Total>1)",
        "Total>>1",
        'Total=="x" Total',
        "Date>DateTime(2026,13,1)",
        "Date>DateTime(2026)",
        "Nonsense==1",
        'Total>"text"',
        "Name.Contains(3)",
        'Total.Contains("1")',
        "Name==;",
    ],
)
def test_nonsense_is_refused(where: str) -> None:
    """What is not of the grammar, or compares what cannot be compared, is a parse error."""
    with pytest.raises(QueryParseError):
        found(where)


def test_conjuncts_are_what_every_match_fulfils() -> None:
    """Only comparisons joined by `and` may be answered by an index."""
    node = query.parse_where('A=="1" AND (B=="2" OR C=="3") AND D>4')
    assert ["a", "d"] == [part.field for part in query.conjuncts(node)]
    assert {"a", "b", "c", "d"} == query.fields_of(node)


def test_order_reads_fields_and_directions() -> None:
    """One or more fields, each ascending unless it says DESC."""
    assert [("date", True), ("total", False)] == query.parse_order("Date DESC, Total")
    for wrong in ("Date DOWN", "", "Date DESC more"):
        with pytest.raises(QueryParseError):
            query.parse_order(wrong)


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ({"page": "3"}, query.Page(3, 100)),
        ({"page": "0", "pagesize": "5000"}, query.Page(1, 1000)),
        ({"pagesize": "0"}, query.Page(1, 1)),
        ({"page": "x"}, query.Page(1, 100)),
        ({}, None),
    ],
)
def test_page_is_clamped(asked: dict[str, str], page: query.Page | None) -> None:
    """Sizes outside 1 to 1000 are clamped; without page or size there is no paging."""
    assert page == query.parse_page(asked)


def test_pagination_counts_pages() -> None:
    """The last page may be short."""
    assert {"page": 2, "pageSize": 100, "pageCount": 3, "itemCount": 201} == query.Page(
        2, 100
    ).json(201)
