"""Child processes that open untrusted files: started once, used again, replaced when they die."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Final

import msgspec

from daybook.errors import SettingError, Unavailable
from daybook.expenses.attachment_verdicts import RefusalCode
from daybook.spend.fit import wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daybook.expenses.attachment_limits import SafetyLimits

_START_SECONDS_MAX: Final = 60
_STOP_SECONDS_MAX: Final = 30
# A worker is replaced after so many files: what a library leaks is given back.
_JOBS_MAX: Final = 500
_WORDS_OF_FAILURE_MAX: Final = 500


class WorkerLost(Exception):
    """The worker died, was too slow or broke the rules; `code` is the reason for its file."""

    def __init__(self, code: RefusalCode) -> None:
        """Keep the reason."""
        super().__init__(code.value)
        self.code = code


class Worker:
    """One child process; not thread safe. Close it, or it ends when this process does."""

    def __init__(self, safety: SafetyLimits) -> None:
        """Start it and wait until it has confined itself; raises Unavailable when it cannot."""
        self._safety = safety
        self._channel, theirs = socket.socketpair()
        self._job_count = 0
        with theirs, tempfile.TemporaryFile() as words:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
                [
                    sys.executable,
                    *("-I", "-m", "daybook.spend.fit.child"),
                    str(theirs.fileno()),
                    msgspec.json.encode(safety).decode(),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=words,
                # No secret of ours is in its environment, and no file of ours in its folder.
                env={},
                cwd="/",
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            theirs.close()
            try:
                wire.receive_answer(self._channel, time.monotonic() + _START_SECONDS_MAX, 0)
            except (OSError, EOFError, ValueError) as error:
                self.close()
                words.seek(0)
                said = words.read().decode(errors="replace")[-_WORDS_OF_FAILURE_MAX:].strip()
                raise Unavailable(
                    "The process that opens attachments does not start; nothing was attached."
                    f" It said: {said or 'nothing'}"
                ) from error

    @property
    def is_worn(self) -> bool:
        """Whether it should be replaced before the next job."""
        return self._job_count >= _JOBS_MAX or self._process.poll() is not None

    @property
    def pid(self) -> int:
        """The process id, which is also that of its group."""
        return self._process.pid

    def ask(
        self, job: wire.Job, payloads: Sequence[bytes] = (), descriptor: int | None = None
    ) -> tuple[wire.Answer, list[bytes]]:
        """Have a job done; raises WorkerLost, after which this worker is closed."""
        self._job_count += 1
        deadline = time.monotonic() + self._safety.wall_seconds_max
        # What it may send back: no more parts than uploads, none larger than one.
        bytes_max = job.limits.count_max * job.budget
        try:
            self._channel.settimeout(self._safety.wall_seconds_max)
            wire.send(self._channel, job, payloads, descriptor)
            answer, contents = wire.receive_answer(self._channel, deadline, bytes_max)
        except TimeoutError as error:
            self.close()
            raise WorkerLost(RefusalCode.TOO_LONG) from error
        except (OSError, EOFError, ValueError) as error:
            raise WorkerLost(self._cause_of_death()) from error
        if answer.is_last:
            self.close()
        return answer, contents

    def close(self) -> None:
        """End it, with everything it might have started."""
        self._channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_STOP_SECONDS_MAX)

    def _cause_of_death(self) -> RefusalCode:
        with contextlib.suppress(subprocess.TimeoutExpired):
            # The channel closes a moment before the process is gone.
            self._process.wait(1)
        self.close()
        is_slow = self._process.returncode == -signal.SIGXCPU
        return RefusalCode.TOO_LONG if is_slow else RefusalCode.WORKER_DIED


class WorkerPool:
    """A fixed number of places for workers, each started when first needed; thread safe."""

    def __init__(self, worker_count: int, safety: SafetyLimits) -> None:
        """Raises SettingError on a system that cannot confine a process."""
        if importlib.util.find_spec("resource") is None:
            raise SettingError(
                "Attachments are opened in a process with hard limits on memory and time, which"
                f" this system ({sys.platform}) does not have; run Daybook on Linux."
            )
        self._safety = safety
        self._places: queue.LifoQueue[Worker | None] = queue.LifoQueue()
        self._worker_count = worker_count
        for _ in range(worker_count):
            self._places.put(None)

    def ask(
        self, job: wire.Job, payloads: Sequence[bytes] = (), descriptor: int | None = None
    ) -> tuple[wire.Answer, list[bytes]]:
        """Have a job done by the next free worker; raises WorkerLost and Unavailable."""
        with self._worker() as worker:
            return worker.ask(job, payloads, descriptor)

    def close(self) -> None:
        """End all workers; those at work are waited for."""
        for _ in range(self._worker_count):
            worker = self._places.get()
            if worker is not None:
                worker.close()

    @contextlib.contextmanager
    def _worker(self) -> Iterator[Worker]:
        worker = self._places.get()
        try:
            if worker is not None and worker.is_worn:
                worker.close()
                worker = None
            if worker is None:
                worker = Worker(self._safety)
            yield worker
        finally:
            # A closed worker is worn, and replaced by whoever comes next.
            self._places.put(worker)
