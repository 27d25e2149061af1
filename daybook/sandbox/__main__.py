"""`python -m daybook.sandbox`: the sandbox alone, without the rest of Daybook and its imports."""

from __future__ import annotations

import argparse
import errno
import sys
from pathlib import Path

from daybook.sandbox.config import SandboxConfig
from daybook.sandbox.server import run


def main() -> int:
    """Serve until interrupted; the options are those of `daybook sandbox`."""
    parser = argparse.ArgumentParser(prog="python -m daybook.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8088)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="keep the books in this file")
    parser.add_argument("--tier", choices=("starter", "core"), default="core")
    parser.add_argument("--faults", type=Path, help="a JSON list of faults")
    parser.add_argument("--limits", choices=("on", "off"), default="on")
    given = parser.parse_args()
    config = SandboxConfig(
        seed=given.seed,
        tier=given.tier,
        limits=given.limits == "on",
        state_path=given.state,
        faults_path=given.faults,
    )
    try:
        run(config, "127.0.0.1", given.port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        print(f"The sandbox cannot use port {given.port}: {error.strerror}.", file=sys.stderr)  # noqa: T201 - the command's own word
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
