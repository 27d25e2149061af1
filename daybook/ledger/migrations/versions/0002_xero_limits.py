"""what Xero said about its limits, shared by all processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "xero_limits",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("limit_name", sa.Text(), nullable=False),
        sa.Column("elsewhere_count", sa.Integer(), nullable=False),
        sa.Column("elsewhere_until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "limit_name IN ('concurrent', 'minute', 'day', 'appminute')",
            name=op.f("ck_xero_limits_limit_name"),
        ),
        sa.CheckConstraint("elsewhere_count >= 0", name=op.f("ck_xero_limits_elsewhere_count")),
        sa.PrimaryKeyConstraint("scope", "limit_name", name=op.f("pk_xero_limits")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("xero_limits")
