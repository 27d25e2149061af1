"""The migrations make exactly the tables that the code describes."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from daybook.ledger.engine import open_engine
from daybook.ledger.tables import metadata


def test_migrated_schema_equals_the_tables(database_url: str) -> None:
    """Columns, indexes, keys and constraints that Alembic compares do not differ."""
    engine = open_engine(database_url)
    with engine.connect() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
