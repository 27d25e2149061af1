"""Runs one `prefect` command whose slow imports are done before its turn comes.

A worker that ends with an error is started again, as a service manager would: Prefect's ends when
a crashed run is retried within seconds, before the worker has put the crash behind it.

Prefect's commands spend seconds importing. Started together with the server, a command has them
behind it when it reads a line from its input, which is the word to go ahead.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import time
from typing import Final

_STARTS_MAX: Final = 20


def main(modules: str, arguments: list[str], start: int = 1) -> None:
    """Import, wait for a line, then run `prefect` with these arguments; exits with its code."""
    # Nothing that is imported is garbage: looking for it takes a quarter of the time.
    gc.disable()
    for name in modules.split(","):
        importlib.import_module(name)
    gc.freeze()
    gc.enable()
    if start == 1 and not sys.stdin.readline():
        return
    sys.argv = ["prefect", *arguments]
    try:
        importlib.import_module("prefect.cli").app()
    except SystemExit as ended:
        if arguments[0] != "worker" or not ended.code or start == _STARTS_MAX:
            raise
    time.sleep(1)
    # The same process with a new program, so that whoever started it sees it live on.
    again = ["-m", "deployments.demo.prefect_command", f"--start={start + 1}", modules]
    os.execv(sys.executable, [sys.executable, *again, *arguments])  # noqa: S606 - our own command


if __name__ == "__main__":
    if sys.argv[1].startswith("--start="):
        main(sys.argv[2], sys.argv[3:], int(sys.argv[1].removeprefix("--start=")))
    else:
        main(sys.argv[1], sys.argv[2:])
