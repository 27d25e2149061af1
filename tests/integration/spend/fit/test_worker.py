"""The process that opens files: what it may not do, and what happens when it dies."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fit_place import Place
from odd_pictures import drawn, encoded, photo

from daybook.expenses.attachment_limits import FitLimits, Legibility, SafetyLimits
from daybook.expenses.attachment_verdicts import RefusalCode
from daybook.spend.fit import wire
from daybook.spend.fit.fitter import Fitter
from daybook.spend.fit.worker import Worker, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Iterator

SAFETY = SafetyLimits(wall_seconds_max=30)


def _job(**changed: object) -> wire.Job:
    usual = {
        "task": "fit",
        "extensions": ("png",),
        "limits": FitLimits(),
        "safety": SAFETY,
        "legibility": Legibility(),
        "budget": 3_000_000,
    }
    return wire.Job(**(usual | changed))  # type: ignore[arg-type]  # the fields of a job


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A worker of the test's own."""
    one = Worker(SAFETY)
    yield one
    one.close()


def _limit(pid: int, what: str) -> str:
    lines = Path("/proc", str(pid), "limits").read_text().splitlines()
    (found,) = (line.removeprefix(what).split()[0] for line in lines if line.startswith(what))
    return found


def test_worker_is_confined_by_the_kernel(worker: Worker) -> None:
    """It may write no file and dump no core, and its memory has an end."""
    kinds = ("Max file size", "Max core file size", "Max address space")
    found = [_limit(worker.pid, what) for what in kinds]
    assert ["0", "0", str(SAFETY.memory_bytes_max)] == found


def test_worker_has_no_secrets_and_no_streams(worker: Worker) -> None:
    """Its environment is empty; input and outputs lead nowhere; it leads a group of its own."""
    home = Path("/proc", str(worker.pid))
    # Python itself may add where its text is from; nothing of ours is passed.
    assert b"" == home.joinpath("environ").read_bytes()
    assert {"/dev/null"} == {str(home.joinpath("fd", str(n)).readlink()) for n in (0, 1, 2)}
    assert worker.pid == os.getpgid(worker.pid)


def test_worker_does_not_stay_root(worker: Worker) -> None:
    """Started by root it becomes an account that owns nothing; others cannot change theirs."""
    status = Path("/proc", str(worker.pid), "status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("Uid:"))
    account = os.geteuid() or 1_000_000_000 + worker.pid
    assert {str(account)} == set(line.split()[1:])


def test_killed_worker_is_replaced(tmp_path: Path) -> None:
    """One that died between two files costs none: the next is served by a new worker."""
    with Fitter(worker_count=1, safety=SAFETY) as fitter:
        place = Place(tmp_path, fitter)
        before = encoded(drawn(100, 100), "PNG")
        assert 1 == len(place.fit(("a.png", before)).uploads)
        worker = fitter._workers.pool._places.queue[0]  # noqa: SLF001 - the test ends its process
        assert worker is not None
        os.kill(worker.pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while not worker.is_worn:  # a signal takes a moment to end a process
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert 1 == len(place.fit(("b.png", encoded(drawn(101, 100), "PNG"))).uploads)


def test_worker_that_dies_over_a_file_costs_that_file_only(worker: Worker) -> None:
    """Whoever asked is told; the worker is closed and worn."""
    with pytest.raises(WorkerLost) as lost:
        # No descriptor: an invariant of the worker breaks, and it ends.
        worker.ask(_job())
    assert (RefusalCode.WORKER_DIED, True) == (lost.value.code, worker.is_worn)


def test_too_slow_worker_is_killed(tmp_path: Path) -> None:
    """After the wall time the file is given up, whatever the worker waits for."""
    worker = Worker(SafetyLimits(wall_seconds_max=1))
    os.kill(worker.pid, signal.SIGSTOP)
    picture = tmp_path / "a.png"
    picture.write_bytes(encoded(drawn(100, 100), "PNG"))
    with picture.open("rb") as source, pytest.raises(WorkerLost) as lost:
        worker.ask(_job(), descriptor=source.fileno())
    assert (RefusalCode.TOO_LONG, True) == (lost.value.code, worker.is_worn)


def test_too_much_work_is_ended_by_the_kernel(tmp_path: Path) -> None:
    """A file that needs more processor time than allowed is refused for that."""
    content = encoded(photo(4000, 3000, noise=60), "TIFF")
    with Fitter(safety=SafetyLimits(cpu_seconds_max=0), worker_count=1) as fitter:
        place = Place(tmp_path, fitter)
        files = [(f"{number}.tif", content + bytes([number])) for number in range(4)]
        codes = {one.code for one in place.fit(*files).refused}
    assert {RefusalCode.TOO_LONG} == codes


def test_too_much_memory_is_refused(tmp_path: Path) -> None:
    """A picture that does not fit into the worker's memory costs neither us nor the others."""
    content = encoded(drawn(6000, 6000), "TIFF", compression="tiff_lzw")
    with Fitter(safety=SafetyLimits(memory_bytes_max=200_000_000), worker_count=1) as fitter:
        fitted = Place(tmp_path, fitter).fit(
            ("large.tif", content), ("small.png", encoded(drawn(100, 100), "PNG"))
        )
    assert [RefusalCode.TOO_MUCH_MEMORY] == [one.code for one in fitted.refused]
    assert ["small.png"] == [upload.name for upload in fitted.uploads]


def test_workers_end_with_the_fitter(tmp_path: Path) -> None:
    """Nothing is left running."""
    with Fitter(worker_count=1) as fitter:
        Place(tmp_path, fitter).fit(("a.png", encoded(drawn(100, 100), "PNG")))
        worker = fitter._workers.pool._places.queue[0]  # noqa: SLF001 - the test looks for its process
        assert worker is not None
    assert not Path("/proc", str(worker.pid)).exists()
