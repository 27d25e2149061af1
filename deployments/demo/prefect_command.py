"""Runs one `prefect` command whose slow imports are done before its turn comes.

Prefect's commands spend seconds importing. Started together with the server, a command has them
behind it when it reads a line from its input, which is the word to go ahead.
"""

from __future__ import annotations

import gc
import importlib
import sys


def main(modules: str, arguments: list[str]) -> None:
    """Import, wait for a line, then run `prefect` with these arguments; exits with its code."""
    # Nothing that is imported is garbage: looking for it takes a quarter of the time.
    gc.disable()
    for name in modules.split(","):
        importlib.import_module(name)
    gc.freeze()
    gc.enable()
    if sys.stdin.readline():
        sys.argv = ["prefect", *arguments]
        importlib.import_module("prefect.cli").app()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
