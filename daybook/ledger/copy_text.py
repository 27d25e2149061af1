"""COPY: the fast way into and out of PostgreSQL, as text the caller made or understands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg
    from psycopg.pq.abc import PGconn, PGresult
    from sqlalchemy import Connection

_COPY_OUT: Final = ExecStatus.COPY_OUT
_COMMAND_OK: Final = ExecStatus.COMMAND_OK


def copy_in(connection: Connection, target: str, content: bytes) -> None:
    """Append CSV text to a table; `target` is its name with the columns in brackets."""
    with (
        _driver(connection).cursor() as cursor,
        cursor.copy(f"COPY {target} FROM STDIN (FORMAT csv)".encode()) as copy,
    ):
        copy.write(content)


def copy_rows_in(connection: Connection, target: str, rows: Iterable[Sequence[object]]) -> None:
    """Append rows of Python values to a table."""
    with (
        _driver(connection).cursor() as cursor,
        cursor.copy(f"COPY {target} FROM STDIN".encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def copy_out(connection: Connection, query: str) -> bytes:
    """The rows of a query without parameters as CSV text."""
    # One call into libpq per row, three times as fast as psycopg's own loop around it.
    pgconn = _driver(connection).pgconn
    _checked(pgconn, pgconn.exec_(f"COPY ({query}) TO STDOUT (FORMAT csv)".encode()), _COPY_OUT)
    rows = []
    while True:
        size, row = pgconn.get_copy_data(0)
        if size <= 0:
            break
        rows.append(bytes(row))
    while (result := pgconn.get_result()) is not None:
        _checked(pgconn, result, _COMMAND_OK)
    return b"".join(rows)


def _checked(pgconn: PGconn, result: PGresult, wanted: int) -> None:
    if result.status != wanted:
        encoding = pgconn.parameter_status(b"client_encoding") or b"utf-8"
        raise error_from_result(result, encoding.decode())


def _driver(connection: Connection) -> psycopg.Connection:
    """The psycopg connection below; what it does is part of the same transaction."""
    return cast("psycopg.Connection", connection.connection.driver_connection)
