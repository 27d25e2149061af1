"""store-days that are not in Xero are found without reading all there ever were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INDEX = "ix_store_days_unfinished"


def upgrade() -> None:
    """Apply."""
    op.create_index(
        _INDEX,
        "store_days",
        ["business_date", "store_id"],
        postgresql_where=sa.text("state NOT IN ('posted', 'no_sales')"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index(_INDEX, table_name="store_days")
