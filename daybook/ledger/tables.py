"""The ledger's tables. Constraints do the guarding: what must never happen cannot be stored.

Amounts are bigint minor units; every time is timestamptz. `content` columns hold the canonical
JSON of the value they are named after, beside its SHA-256.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the columns are typed with it at run time

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _at(name: str, *, nullable: bool = False) -> Column[dt.datetime]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


# One authorised Xero user; the token set is encrypted and replaced in one transaction per refresh.
connections = Table(
    "connections",
    metadata,
    _id(),
    Column("user_id_xero", Text, nullable=False, unique=True),
    Column("token_set", LargeBinary, nullable=False),
    _at("access_expires_at"),
    _at("refreshed_at"),
    Column("state", Text, nullable=False),
    CheckConstraint("state IN ('connected', 'reconnect_needed')", name="state"),
)

organisations = Table(
    "organisations",
    metadata,
    _id(),
    Column("tenant_id_xero", Text, nullable=False, unique=True),
    Column("connection_id", ForeignKey("connections.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("country_code", Text, nullable=False),
    Column("base_currency", Text, nullable=False),
    _at("connected_at"),
)

stores = Table(
    "stores",
    metadata,
    Column("store_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("organisation_id", ForeignKey("organisations.id"), index=True),
    Column("time_zone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("cutoff", Time, nullable=False),
    Column("opened_date", Date),
    Column("closed_date", Date),
    # When it trades; without it nobody knows, and a day without receipts is no surprise.
    Column("expected", JSONB(none_as_null=True)),
)

# The newest version of each receipt. business_date is derived from sold_at by the store's rule;
# origin is the kind of source, where one representation of a day may take another's place.
receipts = Table(
    "receipts",
    metadata,
    _id(),
    Column("store_id", ForeignKey("stores.store_id"), nullable=False),
    Column("receipt_id_pos", Text, nullable=False),
    Column("business_date", Date, nullable=False),
    _at("sold_at"),
    _at("updated_at"),
    Column("currency", Text, nullable=False),
    Column("is_refund", Boolean, nullable=False),
    Column("is_voided", Boolean, nullable=False),
    Column("content_hash", BigInteger, nullable=False),
    _at("extracted_at"),
    Column("origin", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("store_id", "receipt_id_pos"),
    Index("ix_receipts_business_date_store_id", "business_date", "store_id"),
)

# Lines and tenders are written by `ledger.receipts` alone, under ids it has just been given.
# A foreign key would check each of millions of rows and double the time of an extract.
receipt_lines = Table(
    "receipt_lines",
    metadata,
    Column("receipt_id", BigInteger, primary_key=True, autoincrement=False),
    Column("line_no", Integer, primary_key=True),
    Column("category", Text, nullable=False),
    Column("tax_code", Text, nullable=False),
    Column("net_minor", BigInteger, nullable=False),
    Column("tax_minor", BigInteger, nullable=False),
    Column("discount_minor", BigInteger, nullable=False),
)

receipt_tenders = Table(
    "receipt_tenders",
    metadata,
    Column("receipt_id", BigInteger, primary_key=True, autoincrement=False),
    Column("tender_no", Integer, primary_key=True),
    Column("tender", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
)

# Rows of a source that could not be read; the same row seen again is not a second reject.
rejects = Table(
    "rejects",
    metadata,
    _id(),
    Column("url", Text, nullable=False),
    Column("row_number", Integer, nullable=False),
    Column("column_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _at("first_seen_at"),
    Column("run_id", Text),
    UniqueConstraint("url", "row_number", "column_name", "reason"),
)

# Every version of a store-day's total; the current one is what documents are planned from.
daily_totals = Table(
    "daily_totals",
    metadata,
    _id(),
    Column("store_id", ForeignKey("stores.store_id"), nullable=False),
    Column("business_date", Date, nullable=False),
    Column("currency", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("receipt_count", Integer, nullable=False),
    Column("net_minor", BigInteger, nullable=False),
    Column("tax_minor", BigInteger, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("tender_minor", BigInteger, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    _at("totalled_at"),
    Column("run_id", Text),
    UniqueConstraint("store_id", "business_date", "currency", "revision"),
    CheckConstraint("total_minor = net_minor + tax_minor", name="total"),
    Index(
        "uq_daily_totals_current",
        "business_date",
        "store_id",
        "currency",
        unique=True,
        postgresql_where=text("is_current"),
    ),
)

# Where each store-day stands, and why if it is not posted.
store_days = Table(
    "store_days",
    metadata,
    Column("business_date", Date, primary_key=True),
    Column("store_id", ForeignKey("stores.store_id"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("holds", JSONB, nullable=False),
    _at("changed_at"),
    Column("run_id", Text),
    CheckConstraint(
        "state IN ('no_sales', 'missing', 'totalled', 'held', 'planned', 'posted', 'failed')",
        name="state",
    ),
    CheckConstraint(
        "(state IN ('missing', 'held', 'failed')) = (holds <> '[]'::jsonb)", name="holds"
    ),
    # Every night asks for these; of years of store-days they are a few.
    Index(
        "ix_store_days_unfinished",
        "business_date",
        "store_id",
        postgresql_where=text("state NOT IN ('posted', 'no_sales')"),
    ),
)

mappings = Table(
    "mappings",
    metadata,
    _id(),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    _at("loaded_at"),
    Column("loaded_by", Text, nullable=False),
    UniqueConstraint("organisation_id", "effective_date", "content_hash"),
)

# One row per natural key, whatever crashes: the brakes of "exactly once".
documents = Table(
    "documents",
    metadata,
    _id(),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("natural_key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text),
    Column("parent_id", ForeignKey("documents.id"), index=True),
    Column("store_id", ForeignKey("stores.store_id")),
    Column("business_date", Date),
    Column("daily_total_id", ForeignKey("daily_totals.id")),
    Column("currency", Text, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("payload_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("id_xero", Text),
    Column("attempt_count", SmallInteger, nullable=False, server_default=text("0")),
    Column("problem", JSONB),
    _at("planned_at"),
    _at("sent_at", nullable=True),
    _at("settled_at", nullable=True),
    Column("run_id", Text),
    UniqueConstraint("organisation_id", "natural_key"),
    UniqueConstraint("organisation_id", "kind", "number"),
    UniqueConstraint("organisation_id", "id_xero"),
    CheckConstraint(
        "kind IN ('invoice', 'credit_note', 'payment', 'spend_money', 'receive_money')",
        name="kind",
    ),
    CheckConstraint(
        "state IN ('planned', 'sending', 'posted', 'rejected', 'unknown')", name="state"
    ),
    CheckConstraint("(state = 'posted') = (id_xero IS NOT NULL)", name="posted_has_id"),
    CheckConstraint("state <> 'sending' OR idempotency_key IS NOT NULL", name="sending_has_key"),
    CheckConstraint("(kind IN ('invoice', 'credit_note')) = (number IS NOT NULL)", name="number"),
    CheckConstraint("(kind = 'payment') = (parent_id IS NOT NULL)", name="parent"),
    Index("ix_documents_business_date_store_id", "business_date", "store_id"),
    Index(
        "ix_documents_open",
        "organisation_id",
        "state",
        postgresql_where=text("state <> 'posted'"),
    ),
)

document_events = Table(
    "document_events",
    metadata,
    _id(),
    Column("document_id", ForeignKey("documents.id"), nullable=False, index=True),
    _at("at"),
    Column("actor", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
)

# One row per call to Xero: the shared budget of all processes, and the record of who called when.
xero_calls = Table(
    "xero_calls",
    metadata,
    _id(),
    Column("tenant_id_xero", Text, nullable=False),
    _at("started_at"),
    _at("finished_at", nullable=True),
    Index("ix_xero_calls_tenant_id_xero_started_at", "tenant_id_xero", "started_at"),
    Index("ix_xero_calls_started_at", "started_at"),
)

# What Xero's replies said about a limit: calls that are not in xero_calls, and a wait it asked for.
# scope is a tenant id, or 'app' for the limit of the whole app.
xero_limits = Table(
    "xero_limits",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("limit_name", Text, primary_key=True),
    Column("elsewhere_count", Integer, nullable=False),
    _at("elsewhere_until_at"),
    _at("blocked_until_at", nullable=True),
    CheckConstraint(
        "limit_name IN ('concurrent', 'minute', 'day', 'appminute')", name="limit_name"
    ),
    CheckConstraint("elsewhere_count >= 0", name="elsewhere_count"),
)

# One account of an expense source <-> one bank account in Xero; the newest mapping's link.
spend_accounts = Table(
    "spend_accounts",
    metadata,
    Column("source", Text, primary_key=True),
    Column("account_id_source", Text, primary_key=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("bank_account", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("start_date", Date, nullable=False),
    _at("linked_at"),
    Column("linked_by", Text, nullable=False),
    UniqueConstraint("organisation_id", "bank_account"),
)

expense_mappings = Table(
    "expense_mappings",
    metadata,
    _id(),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    _at("loaded_at"),
    Column("loaded_by", Text, nullable=False),
    UniqueConstraint("organisation_id", "effective_date", "content_hash"),
)

# The newest version of each expense, what a person decided about it, and where it stands.
# `reviewed_hash` is the content hash at the last review or sync: another one now means Updated.
expenses = Table(
    "expenses",
    metadata,
    Column("expense_id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("account_id_source", Text, nullable=False),
    Column("spent_date", Date, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("override", JSONB, nullable=False, server_default=text("'{}'")),
    Column("content_hash", Text, nullable=False),
    Column("reviewed_hash", Text),
    Column("planned_hash", Text),
    Column("stage", Text, nullable=False),
    Column("problems", JSONB, nullable=False, server_default=text("'[]'")),
    Column("document_id", ForeignKey("documents.id", ondelete="SET NULL"), unique=True),
    _at("first_seen_at"),
    _at("changed_at"),
    CheckConstraint("stage IN ('pending', 'synced', 'by_hand', 'excluded')", name="stage"),
    CheckConstraint("stage <> 'synced' OR document_id IS NOT NULL", name="synced_has_document"),
    Index("ix_expenses_stage_spent_date", "stage", "spent_date"),
)

expense_events = Table(
    "expense_events",
    metadata,
    _id(),
    Column("expense_id", ForeignKey("expenses.expense_id"), nullable=False, index=True),
    _at("at"),
    Column("actor", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
)

# One receipt's file; several may become one upload, whose name in Xero they then share.
expense_attachments = Table(
    "expense_attachments",
    metadata,
    _id(),
    Column("expense_id", ForeignKey("expenses.expense_id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("byte_count", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("sha256", Text),
    Column("uploaded_name", Text),
    Column("reason", Text),
    Column("attempt_count", Integer, nullable=False, server_default=text("0")),
    _at("next_due_at", nullable=True),
    _at("changed_at"),
    UniqueConstraint("expense_id", "key", "version"),
    CheckConstraint(
        "state IN ('pending', 'uploading', 'uploaded', 'failed', 'given_up', 'not_needed')",
        name="state",
    ),
    CheckConstraint(
        "(state IN ('failed', 'given_up')) = (reason IS NOT NULL)", name="failed_has_reason"
    ),
    CheckConstraint(
        "state <> 'uploaded' OR (sha256 IS NOT NULL AND uploaded_name IS NOT NULL)",
        name="uploaded_is_named",
    ),
    CheckConstraint("(state = 'failed') = (next_due_at IS NOT NULL)", name="failed_is_due"),
    Index("ix_expense_attachments_open", "state", postgresql_where=text("state <> 'uploaded'")),
)
