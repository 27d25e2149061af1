"""Loads stores from a TOML file that the chain keeps under version control.

[[store]]
store_id = "S01"                # as the point of sale names it
name = "Kopi Corner Tanjong"
time_zone = "Asia/Singapore"
currency = "SGD"
cutoff = 04:00:00               # optional: when its next business date begins
opened_date = 2025-03-01        # optional, as is closed_date
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from daybook.errors import InputError
from daybook.jobs.load_mapping import organisation_named
from daybook.ledger.stores import write_stores
from daybook.money import minor_digits
from daybook.sales.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Engine

# The id becomes part of the invoice number, which Xero takes in printable ASCII only.
_STORE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")


class _StoreEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    store_id: str
    name: str
    time_zone: str
    currency: str
    cutoff: dt.time = dt.time(0, 0)
    opened_date: dt.date | None = None
    closed_date: dt.date | None = None


class _StoresFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    store: list[_StoreEntry]


def parse_stores(toml: str, where: str) -> list[Store]:
    """The stores that the text says, or one sentence on what is wrong in it and where."""
    try:
        entries = msgspec.toml.decode(toml, type=_StoresFile).store
    except msgspec.DecodeError as error:
        raise InputError(f"The stores in {where} cannot be used: {error}.") from error
    seen = set()
    for entry in entries:
        _check(entry, where)
        if entry.store_id in seen:
            raise InputError(f"Store '{entry.store_id}' stands twice in {where}; keep one of them.")
        seen.add(entry.store_id)
    return [Store(**msgspec.structs.asdict(entry)) for entry in entries]


def load_stores(engine: Engine, toml: str, where: str, organisation: str | None) -> int:
    """Store them; their days go into this organisation, or into the only one there is."""
    stores = parse_stores(toml, where)
    with engine.begin() as connection:
        chosen = organisation_named(connection, organisation)
        write_stores(connection, stores, chosen.organisation_id)
    return len(stores)


def _check(entry: _StoreEntry, where: str) -> None:
    if not _STORE_ID.fullmatch(entry.store_id):
        raise InputError(
            f"'{entry.store_id}' in {where} cannot be a store id: use up to 50 letters, digits, "
            "dots, dashes and underscores."
        )
    try:
        ZoneInfo(entry.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(
            f"The time zone '{entry.time_zone}' of store '{entry.store_id}' in {where} is not "
            "known; use a name such as Asia/Singapore."
        ) from error
    try:
        minor_digits(entry.currency)
    except InputError as error:
        raise InputError(f"Store '{entry.store_id}' in {where}: {error}") from error
