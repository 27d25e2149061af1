"""`make clean`: ends what a killed demo left, and deletes the demo's state."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from daybook.errors import Busy, DaybookError
from daybook.ledger import embedded
from daybook.settings import load_settings
from deployments.demo.home import LOCK, STATE, end_leftovers, only_demo_in

if TYPE_CHECKING:
    from pathlib import Path


def main() -> int:
    """Clean the home of the settings; return the exit code."""
    try:
        clean(load_settings().home)
    except DaybookError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def clean(home: Path) -> None:
    """Delete the demo's state; a home that no demo ever used is not touched.

    Raises:
        Busy: a demo runs in this home, or somebody uses its database.
    """
    if not (home / LOCK).exists():
        return
    with only_demo_in(home):
        end_leftovers(home)
        if not embedded.remove(home):
            raise Busy(f"The database in {home} is in use; end what uses it, then clean again.")
        # By name: the home may be a folder in which people keep something else.
        for name in STATE:
            _delete(home / name)
    if not any(home.iterdir()):
        home.rmdir()


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
