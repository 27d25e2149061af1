"""Waits for the demo to end, however it ends, and ends what it left.

The demo holds the other end of this process's input. The kernel closes it even after a kill -9, and
then nothing of the demo may go on: neither its processes nor its database, unless somebody uses it.
It runs in a session of its own, so that what kills the demo's terminal does not kill the guard.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from daybook.ledger import embedded
from deployments.demo.children import end_marked


def main(home: Path, mark: str) -> None:
    """Wait for the end of input, then clean up behind this demo."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.stdin.read()
    end_marked(mark)
    embedded.stop(home)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
