"""COPY in and out."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text
from till import opened_ledger

from daybook.ledger.copy_text import copy_in, copy_out, copy_rows_in


def test_text_and_rows_go_in_and_come_out(database_url: str) -> None:
    """What PostgreSQL writes is what it was given."""
    with opened_ledger(database_url) as ledger, ledger.begin() as connection:
        connection.execute(text("CREATE TEMP TABLE pairs (number int, name text)"))
        copy_in(connection, "pairs (number, name)", b'1,"a ""b"",\nc"\n2,\n')
        copy_rows_in(connection, "pairs (number, name)", [(3, "d\te"), (4, None)])
        assert b'1,"a ""b"",\nc"\n2,\n3,d\te\n4,\n' == copy_out(
            connection, "SELECT * FROM pairs ORDER BY number"
        )


def test_an_empty_result_is_empty_text(database_url: str) -> None:
    """No rows, no bytes."""
    with opened_ledger(database_url) as ledger, ledger.connect() as connection:
        assert b"" == copy_out(connection, "SELECT 1 WHERE false")


@pytest.mark.parametrize(
    "query", ["SELECT nonsense", "SELECT 1 / (2 - n) FROM generate_series(1, 3) n"]
)
def test_a_failing_query_is_an_error_and_the_connection_survives(
    database_url: str, query: str
) -> None:
    """Whether it fails at once or on the way, the next statement works."""
    with opened_ledger(database_url) as ledger:
        with pytest.raises(psycopg.Error), ledger.connect() as connection:
            copy_out(connection, query)
        with ledger.connect() as connection:
            assert b"1\n" == copy_out(connection, "SELECT 1")
