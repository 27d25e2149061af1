"""Connected Xero organisations in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from daybook.ledger.tables import organisations

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Organisation:
    """One Xero organisation and the connection through which it is reached."""

    organisation_id: int
    tenant_id_xero: str
    connection_id: int
    name: str
    country_code: str
    base_currency: str


def read_organisations(connection: Connection) -> dict[int, Organisation]:
    """Every connected organisation by its id in the ledger."""
    return {
        row.id: Organisation(
            organisation_id=row.id,
            tenant_id_xero=row.tenant_id_xero,
            connection_id=row.connection_id,
            name=row.name,
            country_code=row.country_code,
            base_currency=row.base_currency,
        )
        for row in connection.execute(select(organisations).order_by(organisations.c.name))
    }
