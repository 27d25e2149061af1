"""Applies the migrations of the ledger's schema that are missing, by Alembic."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Engine

_LOCK: Final = 7_301_544_120_331


def apply_migrations(engine: Engine) -> None:
    """Apply every migration that is missing; the second of two callers waits and finds none."""
    config = Config()
    config.set_main_option("script_location", str(files("daybook.ledger") / "migrations"))
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
