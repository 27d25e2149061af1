"""The guard: what a killed demo leaves is ended without anybody's help."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from daybook.ledger import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

# A demo's bare bones: the guard, the database and one process; then it waits to be killed.
DEMO = """
import sys, time
from pathlib import Path
from daybook.ledger import embedded
from daybook.settings import inherited_variables
from deployments.demo.children import Crew, start_child
home = Path(sys.argv[1])
logs = home / "logs"
mark = f"{home}:test"
guard = start_child(
    "guard", (sys.executable, "-m", "deployments.demo.guard", str(home), mark),
    environment=inherited_variables(), logs=logs,
)
postgres = embedded.start(home, durable=False)
crew = Crew(mark, logs)
crew.start("sleeper", (sys.executable, "-c", "import time; time.sleep(600)"), inherited_variables())
print(guard.process.pid, crew["sleeper"].process.pid, postgres.port, flush=True)
time.sleep(600)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A state folder that any account can reach."""
    with tempfile.TemporaryDirectory(prefix="daybook-guard-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        assert embedded.remove(Path(folder)), "the database is still in use"


@pytest.mark.postgres
def test_a_killed_demo_leaves_nothing_running(home: Path) -> None:
    """After a kill -9 of the demo its processes and its database end by themselves."""
    with subprocess.Popen(  # noqa: S603 - this interpreter, our own script
        [sys.executable, "-c", DEMO, str(home)], stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        guard, sleeper, _ = (int(word) for word in demo.stdout.readline().split())
        postmaster_file = (home / "postgres").resolve() / "cluster" / "postmaster.pid"
        server = psutil.Process(int(postmaster_file.read_text().splitlines()[0]))
        watched = [psutil.Process(guard), psutil.Process(sleeper), server]
        demo.kill()

    _, alive = psutil.wait_procs(watched, timeout=60)

    assert [] == alive
    assert not postmaster_file.exists()
