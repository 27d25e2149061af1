"""What all tests share: the rule about sockets and one PostgreSQL for the whole session."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import psycopg
import pytest

from daybook.ledger import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daybook.ledger.embedded import EmbeddedPostgres

_TESTS = Path(__file__).parent
_FOLDERS_WITH_SOCKETS = ("integration", "flows", "chaos")
_HOME_PREFIX = f"daybook-tests-{os.geteuid()}-"

# The same examples on every machine, however slow it is; `--hypothesis-profile default` looks for
# new ones.
hypothesis.settings.register_profile(
    "same examples",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("same examples")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow 127.0.0.1 to the tests that need real parts, and no socket at all to the others."""
    for item in items:
        if item.path.relative_to(_TESTS).parts[0] in _FOLDERS_WITH_SOCKETS:
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))
        else:
            item.add_marker(pytest.mark.disable_socket)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Call content by its argument's name: some holds the second it was made, others are long.

    All workers must collect the same names, or none of them begins.
    """
    return argname if isinstance(val, bytes) else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many chaos scenarios were played."""
    counts = [
        int(str(value))
        for report in terminalreporter.stats.get("", [])  # what has no letter: setup and teardown
        if report.when == "teardown"
        for name, value in report.user_properties
        if name == "scenarios"
    ]
    if counts:
        terminalreporter.write_line(f"{sum(counts)} chaos scenarios in {len(counts)} tests")


@pytest.fixture(scope="session")
def postgres(testrun_uid: str) -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for the session, shared by its workers; the last one removes it."""
    # Not under pytest's own folder: that is closed to the account PostgreSQL runs as.
    home = Path(tempfile.gettempdir(), _HOME_PREFIX + testrun_uid)
    with _one_worker_at_a_time():
        _remove_what_killed_sessions_left()
        home.mkdir(mode=0o711, exist_ok=True)
        server = embedded.start(home, durable=False)
    yield server
    with _one_worker_at_a_time():
        server.stop()
        _remove(home)


@pytest.fixture(scope="session")
def postgres_admin(postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    """A connection that may create and drop databases."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def migrated_database(postgres: EmbeddedPostgres, postgres_admin: psycopg.Connection) -> str:
    """The name of a database that was built by the migrations, made once for all workers."""
    # Imported here: tests without a database need not pay for Alembic.
    from daybook.ledger import engine, migrate  # noqa: PLC0415

    with _one_worker_at_a_time():
        found = postgres_admin.execute("SELECT 1 FROM pg_database WHERE datname = 'migrated'")
        if found.fetchone() is None:
            postgres_admin.execute("DROP DATABASE IF EXISTS unfinished")
            postgres_admin.execute("CREATE DATABASE unfinished")
            ledger = engine.open_engine(postgres.url("unfinished"))
            migrate.upgrade(ledger)
            ledger.dispose()
            postgres_admin.execute("ALTER DATABASE unfinished RENAME TO migrated")
    return "migrated"


@pytest.fixture
def database_url(
    postgres: EmbeddedPostgres, postgres_admin: psycopg.Connection, migrated_database: str
) -> Iterator[str]:
    """The libpq URL of a migrated, empty ledger of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    postgres_admin.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_database}")
    yield postgres.url(name)
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def _one_worker_at_a_time() -> Iterator[None]:
    """Let the workers of all sessions on this machine prepare and remove servers in turn."""
    with Path(tempfile.gettempdir(), f"{_HOME_PREFIX}lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_what_killed_sessions_left() -> None:
    for home in Path(tempfile.gettempdir()).glob(f"{_HOME_PREFIX}*"):
        if home.is_dir():
            _remove(home)


def _remove(home: Path) -> None:
    """Remove a server nobody uses; while another worker uses it, it is left alone."""
    if embedded.remove(home):
        home.rmdir()
