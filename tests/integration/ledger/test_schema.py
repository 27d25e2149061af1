"""The migrations make exactly the tables that the code describes."""

from __future__ import annotations

import uuid
from importlib.resources import files
from typing import TYPE_CHECKING

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from daybook.ledger.engine import open_engine
from daybook.ledger.migrate import newest_revision, upgrade
from daybook.ledger.tables import metadata

if TYPE_CHECKING:
    import psycopg

    from daybook.ledger.embedded import EmbeddedPostgres

MIGRATIONS = str(files("daybook.ledger") / "migrations")


def test_migrated_schema_equals_the_tables(database_url: str) -> None:
    """Columns, indexes, keys and constraints that Alembic compares do not differ."""
    engine = open_engine(database_url)
    with engine.connect() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()


def test_the_newest_migration_is_found_without_alembic() -> None:
    """The name of its file says so; otherwise a ledger would stay behind, or be looked at twice."""
    assert ScriptDirectory(MIGRATIONS).get_current_head() == newest_revision()


def test_a_ledger_of_the_last_version_is_brought_up_to_date(
    postgres: EmbeddedPostgres, postgres_admin: psycopg.Connection
) -> None:
    """One that has tables but lacks the newest migration gets it."""
    name = f"test_{uuid.uuid4().hex}"
    postgres_admin.execute(f"CREATE DATABASE {name}")
    engine = open_engine(postgres.url(name))
    before = ScriptDirectory(MIGRATIONS).get_revision("head").down_revision
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, str(before))
    upgrade(engine)
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    engine.dispose()
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert newest_revision() == found
