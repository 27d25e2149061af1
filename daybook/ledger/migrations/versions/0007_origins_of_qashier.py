"""receipts that Qashier's files gave before the ledger knew origins are Qashier's.

Without it a report that comes for such a day stands beside the receipts of the export, and the day
counts twice. Qashier's receipt numbers begin with the date of the sale, so they are told from
those of any other point of sale.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(
        """
        UPDATE receipts SET origin = 'qashier'
        WHERE origin = '' AND (
            receipt_id_pos = 'REPORT-' || to_char(business_date, 'YYYY-MM-DD')
            OR (receipt_id_pos ~ '^[0-9]{16}$' AND left(receipt_id_pos, 8) IN (
                to_char(business_date - 1, 'DDMMYYYY'),
                to_char(business_date, 'DDMMYYYY'),
                to_char(business_date + 1, 'DDMMYYYY')
            ))
        )
        """
    )


def downgrade() -> None:
    """Nothing to take back: the origins are right in the older schema too."""
