"""Loads a mapping file into the ledger: a new version, beside all the older ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.errors import InputError
from daybook.ledger.mappings import write_mapping
from daybook.ledger.organisations import read_organisations
from daybook.posting.mapping import parse_mapping

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from daybook.clock import Clock
    from daybook.ledger.organisations import Organisation
    from daybook.posting.mapping import Mapping


def load_mapping(
    engine: Engine, toml: str, where: str, *, loaded_by: str, clock: Clock
) -> tuple[Mapping, bool]:
    """Store the mapping; the flag says whether it is new or was loaded before."""
    mapping = parse_mapping(toml, where)
    with engine.begin() as connection:
        organisation = organisation_named(connection, mapping.organisation)
        is_new = write_mapping(
            connection,
            organisation.organisation_id,
            mapping,
            loaded_by=loaded_by,
            now_at=clock.now(),
        )
    return mapping, is_new


def organisation_named(connection: Connection, name: str | None) -> Organisation:
    """The connected organisation of that name or tenant id; without a name, the only one."""
    organisations = list(read_organisations(connection).values())
    if not organisations:
        raise InputError("No Xero organisation is connected yet. Connect one with: daybook connect")
    matching = [one for one in organisations if name in (None, one.name, one.tenant_id_xero)]
    if len(matching) == 1:
        return matching[0]
    names = ", ".join(f"'{one.name}'" for one in organisations)
    if not matching:
        raise InputError(f"No connected organisation is called '{name}'; there is {names}.")
    raise InputError(f"Several organisations fit; say which one: {names}, or its tenant id.")
