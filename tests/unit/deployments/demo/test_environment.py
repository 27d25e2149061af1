"""What a shell needs to ask the demo."""

from __future__ import annotations

import stat
import subprocess
from typing import TYPE_CHECKING

from pydantic import SecretStr

from daybook.settings import Settings
from deployments.demo.environment import commands_environment

if TYPE_CHECKING:
    from pathlib import Path


def test_shell_is_turned_towards_the_demo_while_it_runs(tmp_path: Path) -> None:
    """Whatever signs a value has; the file is the owner's alone, and goes with the demo."""
    (tmp_path / "demo").mkdir()
    settings = Settings(home=tmp_path, xero_client_secret=SecretStr("a'b $(c)"))
    with commands_environment(settings) as file:
        assert 0o600 == stat.S_IMODE(file.stat().st_mode)
        script = f'. "{file}"; printf "%s" "$DAYBOOK_XERO_CLIENT_SECRET"; command -v daybook'
        said = subprocess.run(  # noqa: S603 - the script is the test's own
            ["/bin/sh", "-c", script], capture_output=True, text=True, check=True
        ).stdout
    assert said.startswith("a'b $(c)")
    assert said.endswith("/daybook\n")
    assert not file.exists()
