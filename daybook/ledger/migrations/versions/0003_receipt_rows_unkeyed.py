"""lines and tenders without foreign keys: checking them took half the time of an extract."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_constraint("fk_receipt_lines_receipt_id", "receipt_lines", type_="foreignkey")
    op.drop_constraint("fk_receipt_tenders_receipt_id", "receipt_tenders", type_="foreignkey")


def downgrade() -> None:
    """Undo."""
    for table in ("receipt_lines", "receipt_tenders"):
        op.create_foreign_key(
            f"fk_{table}_receipt_id", table, "receipts", ["receipt_id"], ["id"], ondelete="CASCADE"
        )
