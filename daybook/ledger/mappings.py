"""Mappings in the ledger: every version ever loaded, each with the date it begins to hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Text, cast, select
from sqlalchemy.dialects.postgresql import insert

from daybook.ledger.tables import mappings
from daybook.posting.mapping import Mapping, content_hash, decode

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class DatedMappings:
    """One organisation's mappings, in the order in which they take precedence."""

    versions: Sequence[Mapping]

    def on(self, business_date: dt.date) -> Mapping | None:
        """The mapping in force on that date: the latest begun; of two begun together, the newer."""
        begun = [m for m in self.versions if m.effective_date <= business_date]
        return begun[-1] if begun else None


def write_mapping(
    connection: Connection,
    organisation_id: int,
    mapping: Mapping,
    *,
    loaded_by: str,
    now_at: dt.datetime,
) -> bool:
    """Keep this version; False when the very same one is there already."""
    statement = insert(mappings).values(
        organisation_id=organisation_id,
        effective_date=mapping.effective_date,
        content=msgspec.to_builtins(mapping),
        content_hash=content_hash(mapping),
        loaded_at=now_at,
        loaded_by=loaded_by,
    )
    done = connection.execute(statement.on_conflict_do_nothing().returning(mappings.c.id))
    return done.first() is not None


def read_mappings(connection: Connection) -> dict[int, DatedMappings]:
    """Every organisation's mappings, by its id in the ledger."""
    query = select(mappings.c.organisation_id, cast(mappings.c.content, Text).label("content"))
    found: dict[int, list[Mapping]] = {}
    for row in connection.execute(query.order_by(mappings.c.effective_date, mappings.c.id)):
        found.setdefault(row.organisation_id, []).append(decode(row.content.encode()))
    return {organisation_id: DatedMappings(versions) for organisation_id, versions in found.items()}
