"""when a store trades, missing days, and which kind of source a receipt came from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("stores", sa.Column("expected", postgresql.JSONB(), nullable=True))
    op.add_column(
        "receipts", sa.Column("origin", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    _check_store_days(
        "'no_sales', 'missing', 'totalled', 'held', 'planned', 'posted', 'failed'",
        "'missing', 'held', 'failed'",
    )


def downgrade() -> None:
    """Take back; missing days are days without sales again."""
    op.execute("UPDATE store_days SET state = 'no_sales', holds = '[]' WHERE state = 'missing'")
    _check_store_days(
        "'no_sales', 'totalled', 'held', 'planned', 'posted', 'failed'", "'held', 'failed'"
    )
    op.drop_column("receipts", "origin")
    op.drop_column("stores", "expected")


def _check_store_days(states: str, states_with_holds: str) -> None:
    op.drop_constraint(op.f("ck_store_days_holds"), "store_days", type_="check")
    op.drop_constraint(op.f("ck_store_days_state"), "store_days", type_="check")
    op.create_check_constraint(op.f("ck_store_days_state"), "store_days", f"state IN ({states})")
    op.create_check_constraint(
        op.f("ck_store_days_holds"),
        "store_days",
        f"(state IN ({states_with_holds})) = (holds <> '[]'::jsonb)",
    )
