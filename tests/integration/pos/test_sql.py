"""The SQL source on a merchant's PostgreSQL."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
import pytest
from doc_blocks import doc_blocks
from psycopg import sql
from till import DATE, SINGAPORE

from daybook.errors import InputError, Unavailable
from daybook.pos.source_context import SourceContext, parse_options
from daybook.pos.sql import Queries, SqlSource
from daybook.pos.sql_spool import spool
from daybook.sales.daily_totals import daily_totals
from daybook.sales.frames import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daybook.ledger.embedded import EmbeddedPostgres
    from daybook.pos.file_form import TableFile
    from daybook.pos.source import Page

# The page shows a vendor's tables and the queries for them; what runs here is what is printed.
(SCHEMA,) = doc_blocks("sql-source.md", "sql")
(TOML,) = doc_blocks("sql-source.md", "toml")
CONTEXT = SourceContext(parse_options(TOML, "sql-source.md"), "sql-source.md")
QUERIES = CONTEXT.options("sql", Queries)
BILLS = """
    INSERT INTO pos.bill SELECT n, 1 + n % 2,
        timestamp '2026-03-14 09:00' + n * interval '1 second', now(), false, n % 10 = 0
        FROM generate_series(1, {count}) AS n;
    INSERT INTO pos.bill_item SELECT n, position, 'Food', 9, 10.00, 0.90
        FROM generate_series(1, {count}) AS n, generate_series(1, 2) AS position;
    INSERT INTO pos.payment
        SELECT n, n, 'NETS', 21.80 FROM generate_series(1, {count}) AS n;
"""


@pytest.fixture
def url(postgres: EmbeddedPostgres, postgres_admin: psycopg.Connection) -> Iterator[str]:
    """The URL of a database of the merchant's own."""
    name = f"merchant_{uuid.uuid4().hex}"
    postgres_admin.execute(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def merchant(url: str) -> Iterator[psycopg.Connection]:
    """A connection to it, with the vendor's tables and two shops, without bills."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
        connection.execute("INSERT INTO pos.shop VALUES (1, 'S01'), (2, 'S02')")
        connection.execute("CREATE SEQUENCE pos.number")
        yield connection


def bills(count: int) -> bytes:
    """Statements that make so many bills, in both shops in turn; every tenth is cancelled."""
    return BILLS.replace("{count}", str(count)).encode()


def pages(
    url: str, *, page_receipts: int = 20_000, timeout_seconds: int = 60, **queries: str
) -> list[Page]:
    """What the source gives for a day, with some queries replaced."""
    wanted = msgspec.structs.replace(QUERIES, timeout_seconds=timeout_seconds, **queries)
    source = SqlSource(url, wanted, page_receipts=page_receipts)
    return list(source.receipts([SINGAPORE], DATE, DATE, known_store_ids=["S01"]))


def test_bills_become_daily_totals(merchant: psycopg.Connection, url: str) -> None:
    """Wall clock times, whole numbers as ids and numeric amounts arrive exactly."""
    merchant.execute(bills(1000))
    found = pages(url, page_receipts=100)
    assert [] == [reject for page in found for reject in page.rejects]
    (total,) = daily_totals(joined([page.batch for page in found]), [SINGAPORE])
    # Of 1000 bills half are the first shop's: the even ones, of which every fifth is cancelled.
    assert (400, 100, DATE) == (total.receipt_count, total.voided_count, total.business_date)
    assert (400 * 2000, 400 * 180, True) == (total.net_minor, total.tax_minor, total.is_balanced)
    assert 1 < len(found)


def test_a_fraction_of_a_cent_is_a_reject(merchant: psycopg.Connection, url: str) -> None:
    """It is not rounded away; the bill is left out, the others go on."""
    merchant.execute(bills(4))
    merchant.execute("UPDATE pos.bill_item SET net = 9.9950 WHERE bill_id = 2 AND position = 1")
    (page,) = pages(url)
    assert ["4"] == page.batch.receipts["receipt_id_pos"].to_list()
    (reject,) = page.rejects
    assert "net_amount" == reject.column
    assert (
        "'9.995' has more decimals than SGD has (2). Receipt 2 of store S01 is left out."
        == reject.reason
    )


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        (
            QUERIES.receipts.replace("closed_on AT TIME ZONE 'Asia/Singapore' AS", "closed_on AS"),
            InputError,
            r"sold_at of query receipts .* times without a time zone; select it\s+AT TIME ZONE",
        ),
        (
            QUERIES.receipts.replace("code AS store_id", "nextval('pos.number') AS store_id"),
            InputError,
            r"cannot execute nextval\(\) in a read-only transaction",
        ),
        (
            QUERIES.receipts.replace("pos.bill\n", "pos.bill CROSS JOIN pg_sleep(3)\n"),
            Unavailable,
            r"query receipts to postgresql.* was stopped after 1 second without rows",
        ),
        (QUERIES.receipts.replace("pos.bill\n", "pos.bills\n"), InputError, r"does not exist"),
        (QUERIES.receipts + ";;SELECT", InputError, r"was refused by the database"),
    ],
)
def test_what_the_database_refuses_is_a_sentence(
    merchant: psycopg.Connection, url: str, query: str, error: type[Exception], said: str
) -> None:
    """Nothing can be written, nothing runs for ever, and the query is named."""
    merchant.execute(bills(2))
    timeout_seconds = 1 if "pg_sleep" in query else 60
    with pytest.raises(error, match=said):
        pages(url, receipts=query, timeout_seconds=timeout_seconds)


def test_the_three_queries_see_one_moment(
    merchant: psycopg.Connection, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bill closed between two queries is in all of them or in none."""
    merchant.execute(bills(2))

    def spool_then_change(
        file: TableFile, header: Sequence[str], blocks: Iterator[Sequence[Sequence[Any]]]
    ) -> int:
        result = spool(file, header, blocks)
        merchant.execute("DELETE FROM pos.bill_item; DELETE FROM pos.payment")
        return result

    monkeypatch.setattr("daybook.pos.sql.spool", spool_then_change)
    (page,) = pages(url)
    assert (1, ()) == (len(page.batch.receipts), page.rejects)


def test_a_database_that_is_not_there_may_be_there_later() -> None:
    """The night tries again; the sentence shows no password."""
    with pytest.raises(
        Unavailable, match=r"postgresql://127.0.0.1:1/pos does not answer"
    ) as caught:
        pages("postgresql://till:s3cret@127.0.0.1:1/pos")
    assert "s3cret" not in str(caught.value)


def test_times_without_a_zone_are_compared_in_utc(merchant: psycopg.Connection, url: str) -> None:
    """Whatever zone the merchant's server thinks it is in; half past midnight is that day's."""
    database = sql.Identifier(merchant.info.dbname)
    merchant.execute(sql.SQL("ALTER DATABASE {} SET timezone = 'Asia/Tokyo'").format(database))
    merchant.execute(bills(2))
    merchant.execute("UPDATE pos.bill SET closed_on = timestamp '2026-03-13 16:30' WHERE id = 2")
    in_utc = {
        name: getattr(QUERIES, name)
        .replace("closed_on AT TIME ZONE 'Asia/Singapore' AS", "closed_on AT TIME ZONE 'UTC' AS")
        .replace("closed_on AT TIME ZONE 'Asia/Singapore'", "closed_on")
        for name in ("receipts", "lines", "tenders")
    }
    (page,) = pages(url, **in_utc)
    assert ["2"] == page.batch.receipts["receipt_id_pos"].to_list()
