"""Loads an expense mapping file: a new version, and the links of accounts that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.jobs.load_mapping import organisation_named
from daybook.ledger.expense_mappings import write_expense_mapping
from daybook.posting.expense_mapping import parse_expense_mapping

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from daybook.clock import Clock
    from daybook.posting.expense_mapping import ExpenseMapping


def load_expense_mapping(
    engine: Engine, toml: str, where: str, *, loaded_by: str, clock: Clock
) -> tuple[ExpenseMapping, bool]:
    """Store the mapping; the flag says whether it is new or was loaded before."""
    mapping = parse_expense_mapping(toml, where)
    with engine.begin() as connection:
        organisation = organisation_named(connection, mapping.organisation)
        is_new = write_expense_mapping(
            connection,
            organisation.organisation_id,
            mapping,
            loaded_by=loaded_by,
            now_at=clock.now(),
        )
    return mapping, is_new
