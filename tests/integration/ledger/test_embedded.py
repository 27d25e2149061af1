"""The embedded PostgreSQL: started, shared, stopped, and started again after any death."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from daybook.errors import SettingError, Unavailable
from daybook.ledger import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres

START_AND_HANG = """
import sys, time
from pathlib import Path
from daybook.ledger import embedded
embedded.start(Path(sys.argv[1]), durable=False)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A state folder that any account can reach."""
    with tempfile.TemporaryDirectory(prefix="daybook-embedded-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        assert embedded.remove(Path(folder)), "a test left its server in use"


def postmaster(home: Path) -> psutil.Process:
    """Return the server's main process."""
    pid_file = (home / "postgres").resolve() / "cluster" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().splitlines()[0]))


def answer(url: str, query: str) -> object:
    """Return the single value of a query."""
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_two_databases_are_ready(home: Path) -> None:
    """The ledger and Prefect each find their database, Prefect's with the extension it needs."""
    with embedded.start(home, durable=False) as server:
        assert "daybook" == answer(server.url("daybook"), "SELECT current_database()")
        assert 1 == answer(
            server.url("prefect"), "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'"
        )


def test_the_server_is_private(home: Path) -> None:
    """It listens on loopback alone, asks for the password and does not run as root."""
    with embedded.start(home, durable=False) as server:
        process = postmaster(home)
        listening = {
            connection.laddr.ip
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url("daybook").replace(server.password, "guess"))

        assert {"127.0.0.1"} == listening
        assert process.uids().real != 0
        assert server.password not in repr(server)
        assert 0o600 == stat.S_IMODE((server.place.folder / "password").stat().st_mode)
        assert 0o700 == stat.S_IMODE(server.place.cluster.stat().st_mode)


def test_a_stopped_server_keeps_data_and_port(home: Path) -> None:
    """The next start finds what was written and, while it is free, the same port."""
    with embedded.start(home) as first, psycopg.connect(first.url("daybook")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert not listens(first.port)

    with embedded.start(home) as second:
        assert 42 == answer(second.url("daybook"), "SELECT answer FROM kept")
        assert first.port == second.port


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port of 127.0.0.1."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_taken_port_is_replaced(home: Path) -> None:
    """Where the port asked for is taken, the server comes up on a free one."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with embedded.start(home, durable=False, port=taken.getsockname()[1]) as server:
            assert taken.getsockname()[1] != server.port
            assert 1 == answer(server.url("daybook"), "SELECT 1")


def test_the_last_user_stops_the_server(home: Path) -> None:
    """A second user attaches to the running server; the first one's stop does not end it."""
    first = embedded.start(home, durable=False)
    second = embedded.start(home, durable=False)

    assert first.port == second.port
    assert not first.stop()
    assert 1 == answer(second.url("daybook"), "SELECT 1")
    assert not embedded.remove(home)
    assert second.stop()
    assert not listens(second.port)


def test_stopping_twice_is_harmless(home: Path) -> None:
    """A second stop neither fails nor ends somebody else's share."""
    server = embedded.start(home, durable=False)

    assert server.stop()
    assert server.stop()


def test_a_killed_user_leaves_a_server_that_the_next_one_stops(home: Path) -> None:
    """Nobody has to clean up after a kill -9: the next user takes the server over."""
    with subprocess.Popen(  # noqa: S603 - this interpreter, our own script
        [sys.executable, "-c", START_AND_HANG, str(home)], stdout=subprocess.PIPE, text=True
    ) as user:
        assert user.stdout is not None
        assert "ready\n" == user.stdout.readline()
        user.kill()
    running = postmaster(home)

    with embedded.start(home) as server:
        assert running == postmaster(home)

    assert not listens(server.port)


def test_a_killed_server_starts_again(home: Path) -> None:
    """After a kill -9 of PostgreSQL itself the next start recovers what was committed."""
    first = embedded.start(home)
    with psycopg.connect(first.url("daybook")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    process = postmaster(home)
    process.send_signal(signal.SIGKILL)
    process.wait()

    with embedded.start(home) as second:
        assert 42 == answer(second.url("daybook"), "SELECT answer FROM kept")
    first.stop()


def test_a_pid_file_of_another_process_does_not_block(home: Path) -> None:
    """After a restart of the machine the process id may belong to somebody else."""
    embedded.start(home, durable=False).stop()
    pid_file = (home / "postgres").resolve() / "cluster" / "postmaster.pid"
    pid_file.write_text(
        f"{os.getpid()}\n{pid_file.parent}\n{int(time.time())}\n5432\n\n127.0.0.1\n0 0\nready\n"
    )

    with embedded.start(home, durable=False) as server:
        assert 1 == answer(server.url("daybook"), "SELECT 1")


def test_an_installation_cut_short_is_made_again(home: Path) -> None:
    """A cluster that initdb did not finish is not mistaken for one."""
    embedded.start(home, durable=False).stop()
    folder = (home / "postgres").resolve()
    (folder / "installed").unlink()
    (folder / "cluster" / "PG_VERSION").unlink()

    with embedded.start(home, durable=False) as server:
        assert 1 == answer(server.url("daybook"), "SELECT 1")


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    """The sentence carries PostgreSQL's own reason and the place of its log."""
    embedded.start(home, durable=False).stop()
    folder = (home / "postgres").resolve()
    (folder / "cluster" / "PG_VERSION").write_text("9\n")

    with pytest.raises(Unavailable, match=r"did not start: .*PostgreSQL version 9.*server\.log"):
        embedded.start(home, durable=False)


def test_a_home_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    """A state folder that cannot be used names the setting to change."""
    (tmp_path / "home").write_text("in the way")

    with pytest.raises(SettingError, match="set DAYBOOK_HOME to a folder you may write in"):
        embedded.start(tmp_path / "home")


def test_a_home_closed_to_others_works_and_stays_closed(home: Path) -> None:
    """No permission is loosened; root's cluster then lives outside, and removing finds it."""
    closed = home / "closed"
    closed.mkdir(mode=0o700)

    with embedded.start(closed, durable=False) as server:
        assert 1 == answer(server.url("daybook"), "SELECT 1")
        assert (os.geteuid() == 0) == (closed / "postgres").is_symlink()

    assert 0o700 == stat.S_IMODE(closed.stat().st_mode)
    assert embedded.remove(closed)
    assert not server.place.folder.exists()
    assert [] == list(closed.iterdir())
