"""The SQL source on a database in a file; the one on PostgreSQL is tested with a server."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import pytest
from till import DATE, NOON, SINGAPORE, Receipt, batch

from daybook.errors import InputError
from daybook.pos.openers import open_sql
from daybook.pos.source_context import SourceContext
from daybook.pos.sql import Queries, SqlSource
from daybook.sales.daily_totals import daily_totals
from daybook.sales.frames import joined

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from daybook.pos.source import Page

QUERIES = Queries(
    receipts="""
        SELECT shop AS store_id, no AS receipt_id_pos, at || 'Z' AS sold_at,
               at || 'Z' AS updated_at, 'SGD' AS currency, kind, status
        FROM sale WHERE at >= :first_at AND at < :last_at AND shop IN :stores""",
    lines="""
        SELECT shop AS store_id, sale.no AS receipt_id_pos, line_no, category, tax_code,
               net AS net_minor, tax AS tax_minor
        FROM item JOIN sale USING (no) WHERE at >= :first_at AND at < :last_at""",
    tenders="""
        SELECT shop AS store_id, sale.no AS receipt_id_pos, tender_no, tender,
               amount AS amount_minor
        FROM pay JOIN sale USING (no) WHERE at >= :first_at AND at < :last_at""",
)


@pytest.fixture
def till(tmp_path: Path) -> Path:
    """A merchant's empty database."""
    path = tmp_path / "pos.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            """CREATE TABLE sale (shop, no, at, kind, status);
            CREATE TABLE item (no, line_no, category, tax_code, net, tax);
            CREATE TABLE pay (no, tender_no, tender, amount);"""
        )
    return path


def sell(till: Path, receipts: Iterable[Receipt]) -> None:
    """Put the receipts into the database."""
    with closing(sqlite3.connect(till)) as database, database:
        for one in receipts:
            at = one.sold_at.strftime("%Y-%m-%d %H:%M:%S.%f")
            kind = "refund" if one.is_refund else "sale"
            status = "voided" if one.is_voided else "final"
            row = (one.store_id, one.receipt_id_pos, at, kind, status)
            database.execute("INSERT INTO sale VALUES (?, ?, ?, ?, ?)", row)
            for number, line in enumerate(one.lines, 1):
                database.execute(
                    "INSERT INTO item VALUES (?, ?, ?, ?, ?, ?)",
                    (one.receipt_id_pos, number, *line),
                )
            for number, tender in enumerate(one.tenders, 1):
                database.execute(
                    "INSERT INTO pay VALUES (?, ?, ?, ?)", (one.receipt_id_pos, number, *tender)
                )


def pages(
    till: Path,
    queries: Queries = QUERIES,
    *,
    known_store_ids: Collection[str] | None = None,
    page_receipts: int = 20_000,
) -> list[Page]:
    """What the source gives for the usual day."""
    source = SqlSource(f"sqlite:///{till}", queries, page_receipts=page_receipts)
    return list(source.receipts([SINGAPORE], DATE, DATE, known_store_ids=known_store_ids))


def changed(**queries: str) -> Queries:
    """The usual queries with some replaced."""
    return msgspec.structs.replace(QUERIES, **queries)


@pytest.mark.parametrize("page_receipts", [2, 20_000])
def test_rows_become_the_receipts_that_were_sold(till: Path, page_receipts: int) -> None:
    """Sales, refunds and voids arrive with every figure, whatever the size of a page."""
    receipts = [
        Receipt("R1", lines=(("Food", "GST", 1000, 90), ("Tea", "Zero", 1, 0))),
        Receipt("R2", is_refund=True, lines=(("Food", "GST", -50, -5),), tenders=(("Cash", -55),)),
        Receipt("R3", is_voided=True, lines=(), tenders=()),
        *(Receipt(f"R{number}") for number in range(4, 20)),
    ]
    sell(till, receipts)
    found = pages(till, page_receipts=page_receipts)
    assert [] == [reject for page in found for reject in page.rejects]
    assert daily_totals(batch(receipts), [SINGAPORE]) == daily_totals(
        joined([page.batch for page in found]), [SINGAPORE]
    )


def test_lines_of_stores_nobody_asked_for_are_passed_over(till: Path) -> None:
    """Only the query of the receipts names the stores; the database has one more than Daybook."""
    sell(till, [Receipt("R1"), Receipt("R2", store_id="S99")])
    (page,) = pages(till, known_store_ids=["S01", "S02"])
    assert (["R1"], ()) == (page.batch.receipts["receipt_id_pos"].to_list(), page.rejects)


def test_only_the_dates_and_stores_asked_for_are_queried(till: Path) -> None:
    """The parameters are the store's own day in UTC, and its id."""
    day = dt.timedelta(days=1)
    sell(
        till,
        [
            Receipt("first", sold_at=dt.datetime(2026, 3, 13, 16, tzinfo=dt.UTC)),
            Receipt("before", sold_at=dt.datetime(2026, 3, 13, 15, 59, 59, tzinfo=dt.UTC)),
            Receipt("after", sold_at=NOON + day),
            Receipt("elsewhere", store_id="S02"),
        ],
    )
    # Lines of a receipt that was not selected would show as rejects.
    asked = {name: getattr(QUERIES, name) + " AND shop IN :stores" for name in ("lines", "tenders")}
    (page,) = pages(till, changed(**asked))
    assert ["first"] == page.batch.receipts["receipt_id_pos"].to_list()
    assert () == page.rejects


def test_a_bad_row_is_a_reject_that_names_query_and_row(till: Path) -> None:
    """Its receipt is left out, the others go on; row 1 would be the column names."""
    sell(till, [Receipt("good"), Receipt("bad", lines=(("Food", "GST", 1, 0), ("", "GST", 0, 0)))])
    (page,) = pages(till)
    assert ["good"] == page.batch.receipts["receipt_id_pos"].to_list()
    (reject,) = page.rejects
    assert (f"query lines of sqlite:///{till}", 4, "category") == (
        reject.url,
        reject.row_number,
        reject.column,
    )
    assert "It is empty; fill it in. Receipt bad of store S01 is left out." == reject.reason


def test_a_store_nobody_knows_is_a_reject(till: Path) -> None:
    """Where the query does not ask for stores, it finds all there are."""
    sell(till, [Receipt("R1"), Receipt("R2", store_id="S99")])
    everywhere = QUERIES.receipts.replace("AND shop IN :stores", "")
    found = pages(till, changed(receipts=everywhere), known_store_ids=["S01"])
    assert {"store_id"} == {one.column for page in found for one in page.rejects}
    assert ["R1"] == found[-1].batch.receipts["receipt_id_pos"].to_list()


def test_no_receipts_are_no_pages(till: Path) -> None:
    """A closed day is no error."""
    assert [] == pages(till)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT 1 WHERE :first_at < :first", r"names the parameter :first; there are :first_at"),
        ("SELECT 1 WHERE :first_at < at", r"does not name :last_at; it must ask for"),
        ("SELECT * FROM sale", r"does not name :first_at"),
    ],
)
def test_a_query_without_the_dates_is_refused(query: str, said: str) -> None:
    """Before anything is asked of the database."""
    with pytest.raises(InputError, match=f"^The query tenders {said}"):
        SqlSource("sqlite://", changed(tenders=query))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (QUERIES.tenders.replace("pay", "pays"), r"was refused by the database sqlite.*no such"),
        (
            QUERIES.tenders.replace("tender,", "shop AS t,"),
            r"query tenders .* has no column tender",
        ),
        (QUERIES.tenders.replace("tender,", "tender, shop AS tender,"), "more than once"),
        (
            QUERIES.tenders.replace("amount AS amount_minor", "amount / 100.0 AS amount"),
            r"The column amount of query tenders .* floating-point",
        ),
        (QUERIES.tenders.replace("tender,", "x'41' AS tender,"), "holds bytes; cast it to text"),
        ("DELETE FROM pay WHERE :first_at < :last_at", r"was refused by .*readonly"),
    ],
)
def test_a_wrong_query_is_a_sentence(till: Path, query: str, said: str) -> None:
    """It names the query, or its column."""
    sell(till, [Receipt()])
    with pytest.raises(InputError, match=said):
        pages(till, changed(tenders=query))


def test_queries_come_from_the_options() -> None:
    """With the seconds each may take."""
    table = {name: getattr(QUERIES, name) for name in ("receipts", "lines", "tenders")}
    context = SourceContext({"sql": table | {"timeout_seconds": 0}}, "pos.toml")
    with pytest.raises(InputError, match=r"^The table \[sql\] in pos.toml .*`\$.timeout_seconds`"):
        open_sql("sqlite://", context)
    assert "database sqlite:///" == open_sql("sqlite://", SourceContext({"sql": table})).name


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3cret", "The address of the database cannot be read"),
        ("nonsense://till:s3cret@host/pos", "nonsense databases is not installed"),
        ("mysql+pymysql://till:s3cret@host/pos", r"mysql\+pymysql databases is not installed"),
    ],
)
def test_an_address_that_is_none_does_not_show_its_password(url: str, said: str) -> None:
    """Whichever part of it is wrong."""
    with pytest.raises(InputError, match=said) as caught:
        list(SqlSource(url, QUERIES).receipts([SINGAPORE], DATE, DATE))
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__
