"""What the demo's processes find in their environment."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from daybook.errors import SettingError
from daybook.settings import Settings, variables_of
from deployments.demo.home import COMMANDS, RECEIPTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daybook.ledger.embedded import EmbeddedPostgres

# The sandbox's own key of its card account; docs/sandbox.md names it.
_ASPIRE_CLIENT_ID: Final = "aspire-client"
_ASPIRE_CLIENT_SECRET: Final = "aspire-secret"  # noqa: S105 - opens the sandbox alone


def refuse_foreign_parts(settings: Settings) -> None:
    """Raise SettingError if the settings name a database, Xero or card account of somebody."""
    for name in (
        *("database_url", "xero_api_url", "xero_identity_url", "xero_login_url"),
        *("aspire_api_url", "aspire_client_id", "spend_url"),
    ):
        if getattr(settings, name) != Settings.model_fields[name].default:
            raise SettingError(
                "The demo runs on a database and a sandbox of its own; unset "
                f"DAYBOOK_{name.upper()} for it, so that nothing real is touched."
            )


def demo_settings(
    settings: Settings, postgres: EmbeddedPostgres, bootstrap: Mapping[str, Any]
) -> Settings:
    """Point the settings at the demo's database and, as the sandbox says itself, at its Xero."""
    return settings.model_copy(
        update={
            "database_url": SecretStr(postgres.url("daybook")),
            "secret_key": settings.encryption_key(),
            "pos_url": SecretStr(str(settings.home / RECEIPTS)),
            "xero_api_url": bootstrap["api_url"],
            "xero_identity_url": bootstrap["identity_url"],
            "xero_login_url": bootstrap["login_url"],
            "xero_client_id": bootstrap["client_id"],
            "xero_client_secret": SecretStr(bootstrap["client_secret"]),
            "aspire_api_url": f"{bootstrap['api_url']}/aspire",
            "aspire_client_id": _ASPIRE_CLIENT_ID,
            "aspire_client_secret": SecretStr(_ASPIRE_CLIENT_SECRET),
            "aspire_has_receipts": True,
            # So that a failed upload is tried again while somebody watches.
            "attachment_wait_seconds": 1,
        }
    )


@contextmanager
def commands_environment(settings: Settings) -> Iterator[Path]:
    """A file that turns a shell towards the demo, for as long as the block lasts.

    It has the key of the demo's ledger, so nobody else may read it.
    """
    file = settings.home / COMMANDS
    variables = "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in variables_of(settings).items()
    )
    folder = shlex.quote(str(Path(sys.executable).parent))
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(f"{variables}export PATH={folder}:$PATH\n", encoding="utf-8")
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def prefect_variables(settings: Settings, port: int, postgres: EmbeddedPostgres) -> dict[str, str]:
    """Return the environment of Prefect's server, worker and runs; docs/operations.md says why."""
    database_url = postgres.url("prefect").replace("postgresql://", "postgresql+asyncpg://")
    return {
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": str(settings.home / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "daybook",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        # As a variable, not as an option: the option leaves the UI pointing at port 4200.
        "PREFECT_SERVER_API_PORT": str(port),
        # In memory, the default, a restart of the server would leak every slot that was taken.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
            "prefect.server.concurrency.lease_storage.filesystem"
        ),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        # Workers share one folder under it, which belongs to whoever started the machine's first.
        "TMPDIR": str(_made(settings.home / "tmp")),
    }


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
