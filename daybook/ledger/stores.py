"""Stores in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from daybook.ledger.tables import stores
from daybook.sales.store import Store, TradingDays

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class LedgerStore:
    """A store and the organisation its days are posted into, if one is chosen."""

    store: Store
    organisation_id: int | None


def write_stores(
    connection: Connection, wanted: Sequence[Store], organisation_id: int | None
) -> None:
    """Insert the stores, or bring what is known of them up to date."""
    rows = [
        {
            "store_id": store.store_id,
            "name": store.name,
            "organisation_id": organisation_id,
            "time_zone": store.time_zone,
            "currency": store.currency,
            "cutoff": store.cutoff,
            "opened_date": store.opened_date,
            "closed_date": store.closed_date,
            "expected": store.expected and msgspec.to_builtins(store.expected),
        }
        for store in wanted
    ]
    if rows:
        statement = insert(stores)
        new = {name: statement.excluded[name] for name in rows[0] if name != "store_id"}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["store_id"], set_=new), rows
        )


def read_stores(
    connection: Connection, store_ids: Collection[str] | None = None
) -> dict[str, LedgerStore]:
    """The stores by id, in the order of their ids; all of them when no ids are given."""
    query = select(stores).order_by(stores.c.store_id)
    if store_ids is not None:
        query = query.where(stores.c.store_id.in_(store_ids))
    return {
        row.store_id: LedgerStore(
            Store(
                store_id=row.store_id,
                name=row.name,
                time_zone=row.time_zone,
                currency=row.currency,
                cutoff=row.cutoff,
                opened_date=row.opened_date,
                closed_date=row.closed_date,
                expected=row.expected and msgspec.convert(row.expected, TradingDays),
            ),
            row.organisation_id,
        )
        for row in connection.execute(query)
    }
