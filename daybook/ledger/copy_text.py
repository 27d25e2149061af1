"""COPY: the fast way into and out of PostgreSQL, as text the caller made or understands."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Connection


def copy_in(connection: Connection, target: str, content: bytes) -> None:
    """Append CSV text to a table; `target` is its name with the columns in brackets."""
    with (
        _driver(connection).cursor() as cursor,
        cursor.copy(f"COPY {target} FROM STDIN (FORMAT csv)".encode()) as copy,
    ):
        copy.write(content)


def copy_out(connection: Connection, query: str) -> bytes:
    """The rows of a query without parameters as CSV text."""
    with (
        _driver(connection).cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)".encode()) as copy,
    ):
        return b"".join(copy)


def _driver(connection: Connection) -> psycopg.Connection:
    """The psycopg connection below; what it does is part of the same transaction."""
    return cast("psycopg.Connection", connection.connection.driver_connection)
