"""Brings the ledger's schema up to date; safe to call from any number of processes at once."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import text

from daybook.on_use import loaded_on_use

# Alembic takes most of a second to load, and nearly every process finds the schema up to date.
with loaded_on_use():
    from daybook.ledger import apply_migrations

if TYPE_CHECKING:
    from sqlalchemy import Engine


def upgrade(engine: Engine) -> None:
    """Apply every migration that is missing."""
    if not _is_up_to_date(engine):
        apply_migrations.apply_migrations(engine)


def newest_revision() -> str:
    """The revision that the files of the migrations lead to; their names begin with theirs."""
    versions = files("daybook.ledger") / "migrations" / "versions"
    return max(one.name.partition("_")[0] for one in versions.iterdir() if one.name[0].isdigit())


def _is_up_to_date(engine: Engine) -> bool:
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return False
        found = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    return found == [newest_revision()]
