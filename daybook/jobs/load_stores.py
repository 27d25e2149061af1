"""Loads stores from a TOML file that the chain keeps under version control.

[[store]]
store_id = "S01"                # as the point of sale names it
name = "Kopi Corner Tanjong"
time_zone = "Asia/Singapore"
currency = "SGD"
cutoff = 04:00:00               # optional: when its next business date begins
opened_date = 2025-03-01        # optional, as is closed_date

[store.expected]                # optional: when it trades, so that a missing day is told
weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]   # without it, every day
closed = [2026-02-17]           # closed all the same
open = [2026-02-22]             # open all the same
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from daybook.errors import InputError
from daybook.jobs.load_mapping import organisation_named
from daybook.ledger.stores import write_stores
from daybook.money import minor_digits
from daybook.sales.store import Store, TradingDays

if TYPE_CHECKING:
    from sqlalchemy import Engine

Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
# The id becomes part of the invoice number, which Xero takes in printable ASCII only.
_STORE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")


class _ExpectedEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    weekdays: tuple[Weekday, ...] = _WEEKDAYS
    closed: list[dt.date] = []
    open: list[dt.date] = []


class _StoreEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    store_id: str
    name: str
    time_zone: str
    currency: str
    cutoff: dt.time = dt.time(0, 0)
    opened_date: dt.date | None = None
    closed_date: dt.date | None = None
    expected: _ExpectedEntry | None = None


class _StoresFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    store: list[_StoreEntry]


def parse_stores(toml: str, where: str) -> list[Store]:
    """The stores that the text says, or one sentence on what is wrong in it and where."""
    try:
        entries = msgspec.toml.decode(toml, type=_StoresFile).store
    except msgspec.DecodeError as error:
        raise InputError(
            f"The stores in {where} cannot be used: {error}. "
            "docs/operations.md shows the form, under 'Stores and mapping'."
        ) from error
    seen = set()
    for entry in entries:
        _check(entry, where)
        if entry.store_id in seen:
            raise InputError(f"Store '{entry.store_id}' stands twice in {where}; keep one of them.")
        seen.add(entry.store_id)
    return [_store(entry) for entry in entries]


def load_stores(engine: Engine, toml: str, where: str, organisation: str | None) -> int:
    """Store them; their days go into this organisation, or into the only one there is."""
    stores = parse_stores(toml, where)
    with engine.begin() as connection:
        chosen = organisation_named(connection, organisation)
        write_stores(connection, stores, chosen.organisation_id)
    return len(stores)


def _store(entry: _StoreEntry) -> Store:
    fields = msgspec.structs.asdict(entry) | {"expected": None}
    expected = entry.expected
    if expected is None:
        return Store(**fields)
    days = TradingDays(
        tuple(number for number, name in enumerate(_WEEKDAYS) if name in expected.weekdays),
        tuple(sorted(expected.closed)),
        tuple(sorted(expected.open)),
    )
    return Store(**{**fields, "expected": days})


def _check(entry: _StoreEntry, where: str) -> None:
    if not _STORE_ID.fullmatch(entry.store_id):
        raise InputError(
            f"'{entry.store_id}' in {where} cannot be a store id: use up to 50 letters, digits, "
            "dots, dashes and underscores."
        )
    both = set(entry.expected.closed) & set(entry.expected.open) if entry.expected else set()
    if both:
        raise InputError(
            f"{min(both)} stands under closed and under open of store '{entry.store_id}' in "
            f"{where}; keep one of them."
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
