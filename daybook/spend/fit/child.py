"""The worker: a process that opens untrusted files, and can do next to nothing else.

Started by `daybook.spend.fit.worker` as `python -m daybook.spend.fit.child DESCRIPTOR LIMITS`. It
has no environment and no standard input or output, may write no file and dump no core; its memory
and time are limited by the kernel. Started as root, it becomes an account of its own that owns
nothing, and may have no more than a few threads or processes.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import resource
import socket
import sys

import msgspec
from PIL import Image

from daybook.expenses.attachment_limits import SafetyLimits
from daybook.expenses.attachment_verdicts import RefusalCode
from daybook.spend.fit import fit_one, pdf_opening, wire
from daybook.spend.fit.verdict import Bounds, CannotFit, FittedPart

_ACCOUNTS_FROM = 1_000_000_000
_THREADS_MAX = 8
_DESCRIPTORS_MAX = 64


def main(arguments: list[str]) -> None:
    """Serve jobs until the parent closes the channel or a job has made this process doubtful."""
    channel = socket.socket(fileno=int(arguments[0]))
    safety = msgspec.json.decode(arguments[1], type=SafetyLimits)
    # Everything is imported now: later there may be no right to read it.
    Image.init()
    for encoding in ("ascii", "latin-1", "cp437", "utf-8", "utf-16"):
        codecs.lookup(encoding)
    pdf_opening.limit_parser(safety)
    _confine(safety)
    wire.send(channel, wire.Answer())
    is_last = False
    while not is_last and (asked := wire.receive_job(channel)) is not None:
        is_last = _serve(channel, *asked)


def _confine(safety: SafetyLimits) -> None:
    """Give up, for good, all that fitting does not need."""
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS_MAX),
        (resource.RLIMIT_AS, safety.memory_bytes_max),
    ):
        resource.setrlimit(what, (most, most))
    if os.geteuid() == 0:
        # A container may forbid even root to change its account.
        with contextlib.suppress(OSError):
            _become(_ACCOUNTS_FROM + os.getpid())
    # Until here errors had to be heard by the parent; from here on libraries may only mumble.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _become(account: int) -> None:
    """Turn into an account that owns nothing and that nobody else has, not even another worker."""
    os.setgroups([])
    os.setgid(account)
    # The kernel counts threads by account: the decoder of HEIC needs some, a program none.
    resource.setrlimit(resource.RLIMIT_NPROC, (_THREADS_MAX, _THREADS_MAX))
    os.setuid(account)


def _serve(
    channel: socket.socket, job: wire.Job, payloads: list[bytes], descriptor: int | None
) -> bool:
    """Do one job and answer it; returns whether this process should end."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + job.safety.cpu_seconds_max
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    is_last = False
    try:
        parts, answer = _fitted(job, payloads, descriptor), wire.Answer()
    except CannotFit as error:
        parts, answer = [], wire.Answer(refusal=error.code)
    except MemoryError:
        # Whoever ran out of memory may have left a library in any state.
        is_last = True
        parts, answer = [], wire.Answer(refusal=RefusalCode.TOO_MUCH_MEMORY, is_last=True)
    except RecursionError:
        parts, answer = [], wire.Answer(refusal=RefusalCode.BROKEN)
    if parts:
        answer = wire.Answer(
            extensions=tuple(part.extension for part in parts),
            changes=tuple(part.changes for part in parts),
            payloads=tuple(len(part.content) for part in parts),
        )
    wire.send(channel, answer, [part.content for part in parts])
    return is_last


def _fitted(job: wire.Job, payloads: list[bytes], descriptor: int | None) -> list[FittedPart]:
    bounds = Bounds(job.limits, job.safety, job.legibility, job.budget)
    if job.task == "merge":
        return [fit_one.merge(payloads, job.extensions, bounds)]
    assert descriptor is not None
    with open(descriptor, "rb") as source:  # noqa: PTH123 - a descriptor has no path
        # The descriptor is shared with the parent, which has read the file to hash it.
        source.seek(0)
        content = source.read(job.safety.source_bytes_max + 1)
    if len(content) > job.safety.source_bytes_max:
        raise CannotFit(RefusalCode.SOURCE_TOO_LARGE)
    return fit_one.fit_one(content, job.extensions[0], bounds)


if __name__ == "__main__":
    main(sys.argv[1:])
