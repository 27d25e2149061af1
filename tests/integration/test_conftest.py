"""The rules of the test session hold: loopback only, and a ledger of one's own."""

from __future__ import annotations

import socket

import psycopg
import pytest


def test_other_machines_cannot_be_reached() -> None:
    """An integration test may talk to 127.0.0.1 and to nothing else."""
    with (
        socket.socket() as client,
        pytest.raises(UserWarning, match="tried to use socket"),
    ):
        client.connect(("192.0.2.1", 80))


@pytest.mark.postgres
@pytest.mark.parametrize("attempt", [1, 2])
def test_each_test_has_an_empty_migrated_ledger(database_url: str, attempt: int) -> None:
    """The tables are there, and what another test wrote is not."""
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE leftover (attempt int)")
        connection.execute("INSERT INTO leftover VALUES (%s)", (attempt,))
        version = connection.execute("SELECT count(*) FROM alembic_version").fetchone()

    assert (1,) == version
