"""`make demo`: `python -m deployments.demo [--once]`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console
from rich.text import Text

from daybook.errors import DaybookError
from daybook.settings import load_demo_settings, load_settings
from daybook.wiring import Wiring
from deployments.demo.environment import commands_environment
from deployments.demo.stack import running
from deployments.demo.story import BUSINESS_DATE, Story

if TYPE_CHECKING:
    from types import FrameType


_WIDTH = 100  # of what is written to a file
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run the demo; return the exit code, which is 0 only if everything it did succeeded."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the runs")
    arguments = parser.parse_args()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    for number in _SIGNALS:
        signal.signal(number, _leave)
    try:
        run(console, is_once=arguments.once)
    except DaybookError as error:
        console.print(Text(str(error), style="bold red"), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
    return 0


def run(console: Console, *, is_once: bool) -> None:
    """Run the stack and, unless it is for once, keep its pages open until Ctrl-C."""
    started = time.monotonic()

    def tell(line: str) -> None:
        seconds = f"{time.monotonic() - started:5.1f} s  "
        console.print(Text.assemble((seconds, "dim"), line), soft_wrap=True)

    tell("Starting PostgreSQL, Prefect and the Xero sandbox ...")
    with running(load_settings(), load_demo_settings(), tell) as stack:
        tell(f"PostgreSQL and the Xero sandbox are ready: {stack.sandbox_url}")
        wired = Wiring(stack.settings)
        try:
            story = Story(stack, wired, console, tell)
            story.prepare()
            stack.wait_for_prefect()
            tell(f"Prefect is ready: {stack.prefect_url}")
            story.run()
            story.show()
        finally:
            wired.close()
        if not is_once:
            with commands_environment(stack.settings) as file:
                tell("To ask it yourself, in another terminal:")
                tell(f"    . {file}; daybook days {BUSINESS_DATE}")
                tell("Everything stays open until Ctrl-C.")
                stack.wait_until_interrupted()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """Unwind, which ends every process; a second signal must not cut that short."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
