"""Alembic's entry: migrations run on the connection that `daybook.ledger.migrate` hands over."""

from __future__ import annotations

from alembic import context

from daybook.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
