"""expenses, their decisions, events and receipts; bank transactions as documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_constraint(op.f("ck_documents_kind"), "documents", type_="check")
    op.create_check_constraint(
        op.f("ck_documents_kind"),
        "documents",
        "kind IN ('invoice', 'credit_note', 'payment', 'spend_money', 'receive_money')",
    )
    op.drop_constraint(op.f("ck_documents_number"), "documents", type_="check")
    op.create_check_constraint(
        op.f("ck_documents_number"),
        "documents",
        "(kind IN ('invoice', 'credit_note')) = (number IS NOT NULL)",
    )
    _create_accounts_and_mappings()
    _create_expenses()
    _create_attachments()


def _create_accounts_and_mappings() -> None:
    op.create_table(
        "spend_accounts",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("account_id_source", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("bank_account", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("linked_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "account_id_source", name=op.f("pk_spend_accounts")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_spend_accounts_organisation_id"),
        ),
        sa.UniqueConstraint(
            "organisation_id",
            "bank_account",
            name=op.f("uq_spend_accounts_organisation_id_bank_account"),
        ),
    )
    op.create_table(
        "expense_mappings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expense_mappings")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_expense_mappings_organisation_id"),
        ),
        sa.UniqueConstraint(
            "organisation_id",
            "effective_date",
            "content_hash",
            name=op.f("uq_expense_mappings_organisation_id_effective_date_content_hash"),
        ),
    )


def _create_expenses() -> None:
    op.create_table(
        "expenses",
        sa.Column("expense_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("account_id_source", sa.Text(), nullable=False),
        sa.Column("spent_date", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("override", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("reviewed_hash", sa.Text(), nullable=True),
        sa.Column("planned_hash", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("problems", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("expense_id", name=op.f("pk_expenses")),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
            name=op.f("fk_expenses_document_id"),
            ondelete="SET NULL",
        ),
        sa.UniqueConstraint("document_id", name=op.f("uq_expenses_document_id")),
        sa.CheckConstraint(
            "stage IN ('pending', 'synced', 'by_hand', 'excluded')", name=op.f("ck_expenses_stage")
        ),
        sa.CheckConstraint(
            "stage <> 'synced' OR document_id IS NOT NULL",
            name=op.f("ck_expenses_synced_has_document"),
        ),
    )
    op.create_index("ix_expenses_stage_spent_date", "expenses", ["stage", "spent_date"])
    op.create_table(
        "expense_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("expense_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expense_events")),
        sa.ForeignKeyConstraint(
            ["expense_id"], ["expenses.expense_id"], name=op.f("fk_expense_events_expense_id")
        ),
    )
    op.create_index(op.f("ix_expense_events_expense_id"), "expense_events", ["expense_id"])


def _create_attachments() -> None:
    op.create_table(
        "expense_attachments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("expense_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("byte_count", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("uploaded_name", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempt_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expense_attachments")),
        sa.ForeignKeyConstraint(
            ["expense_id"], ["expenses.expense_id"], name=op.f("fk_expense_attachments_expense_id")
        ),
        sa.UniqueConstraint(
            "expense_id",
            "key",
            "version",
            name=op.f("uq_expense_attachments_expense_id_key_version"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'uploading', 'uploaded', 'failed', 'given_up', 'not_needed')",
            name=op.f("ck_expense_attachments_state"),
        ),
        sa.CheckConstraint(
            "(state IN ('failed', 'given_up')) = (reason IS NOT NULL)",
            name=op.f("ck_expense_attachments_failed_has_reason"),
        ),
        sa.CheckConstraint(
            "state <> 'uploaded' OR (sha256 IS NOT NULL AND uploaded_name IS NOT NULL)",
            name=op.f("ck_expense_attachments_uploaded_is_named"),
        ),
        sa.CheckConstraint(
            "(state = 'failed') = (next_due_at IS NOT NULL)",
            name=op.f("ck_expense_attachments_failed_is_due"),
        ),
    )
    op.create_index(
        "ix_expense_attachments_open",
        "expense_attachments",
        ["state"],
        postgresql_where=sa.text("state <> 'uploaded'"),
    )


def downgrade() -> None:
    """Take back; bank transactions of the ledger would be in the way of the older rules."""
    for table in (
        "expense_attachments",
        "expense_events",
        "expenses",
        "expense_mappings",
        "spend_accounts",
    ):
        op.drop_table(table)
    op.drop_constraint(op.f("ck_documents_number"), "documents", type_="check")
    op.create_check_constraint(
        op.f("ck_documents_number"), "documents", "(kind = 'payment') = (number IS NULL)"
    )
    op.drop_constraint(op.f("ck_documents_kind"), "documents", type_="check")
    op.create_check_constraint(
        op.f("ck_documents_kind"), "documents", "kind IN ('invoice', 'credit_note', 'payment')"
    )
