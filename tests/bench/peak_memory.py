"""The most memory that a measured process held."""

from __future__ import annotations

from pathlib import Path


def peak_mib() -> float:
    """The most resident memory of this process in MiB; unlike getrusage's, not its parent's.

    A new program starts with what its parent held as its `ru_maxrss`.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the system does not say VmHWM")
