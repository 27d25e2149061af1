"""Keeps the sandbox's state in one file: a journal of changed records, one JSON line each.

Every call appends what it changed before its reply is sent, so that killing the sandbox loses
nothing it has answered. At start, and when it has grown much, the journal is written anew with the
last line of each record only, in one atomic rename.
"""

from __future__ import annotations

import os
from datetime import datetime  # noqa: TC003  msgspec reads the annotations at run time
from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox.books import TABLES, Books
from daybook.sandbox.chronicle import Event
from daybook.sandbox.idempotency import KeptReply
from daybook.sandbox.identity import IdentityState  # noqa: TC001  as above
from daybook.sandbox.limits import Counted
from daybook.sandbox.records import Organisation  # noqa: TC001  as above

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedWriter
    from pathlib import Path

    from daybook.sandbox.simulation import Simulation


GROWTH_BYTES = 256 * 1024 * 1024
"""Grown by this much, and to twice its size, the file is written anew: replies run out."""


class _Counters(msgspec.Struct):
    """The next numbers of invoice settings."""

    invoice: int = 1
    credit_note: int = 1


class _OrganisationLine(msgspec.Struct):
    organisation: Organisation
    counters: _Counters


class _World(msgspec.Struct):
    """What belongs to no organisation."""

    generation: int
    identity: IdentityState
    ready_token: str
    owner_id: str
    clock_offset_seconds: float
    frozen_at: datetime | None


class _Line(msgspec.Struct):
    """One line of the file; `tenant_id` is empty for what is not in the books of one."""

    tenant_id: str
    table: str
    record: msgspec.Raw


_read_line = msgspec.json.Decoder(_Line).decode
_encode = msgspec.json.Encoder().encode


class StateFile:
    """The journal of one sandbox."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened before `load` or `append`."""
        self._path = path
        self._file: BufferedWriter | None = None
        self._generation = 0
        self._clock: tuple[float, datetime | None] = (0.0, None)
        self._compact_bytes = 0
        self._grown_bytes = 0

    def load(self, simulation: Simulation) -> None:
        """Replace the simulation's world with the file's, if there is one, and compact the file."""
        if self._path.exists():
            for line in self._path.read_bytes().splitlines():
                try:
                    entry = _read_line(line)
                except msgspec.DecodeError:
                    continue  # the half line of a kill in mid-write was never answered
                self._apply(simulation, entry)
        self._generation += 1
        simulation.ids.reseed(self._generation)
        self.rewrite(simulation)

    def _apply(self, simulation: Simulation, entry: _Line) -> None:
        """Put one line's content into the simulation."""
        if entry.table == "world":
            if self._generation == 0:
                simulation.organisations.clear()
            world = msgspec.json.decode(entry.record, type=_World)
            self._generation = world.generation
            simulation.identity.state = world.identity
            simulation.ready_token = world.ready_token
            simulation.owner_id = world.owner_id
            simulation.clock.offset_seconds = world.clock_offset_seconds
            simulation.clock.frozen_at = world.frozen_at
        elif entry.table == "reply":
            simulation.replays.restore(msgspec.json.decode(entry.record, type=KeptReply))
        elif entry.table == "counted":
            simulation.limiter.restore(msgspec.json.decode(entry.record, type=Counted))
        elif entry.table == "event":
            simulation.chronicle.restore(msgspec.json.decode(entry.record, type=Event))
        elif entry.table == "organisation":
            line = msgspec.json.decode(entry.record, type=_OrganisationLine)
            books = simulation.organisations.get(entry.tenant_id)
            if books is None:
                books = Books(line.organisation, simulation.changes)
                simulation.organisations[entry.tenant_id] = books
            books.organisation = line.organisation
            books.next_invoice_number = line.counters.invoice
            books.next_credit_note_number = line.counters.credit_note
        else:
            books = simulation.organisations[entry.tenant_id]
            record = msgspec.json.decode(entry.record, type=TABLES[entry.table])
            books.table(entry.table).put(record)

    def append(self, simulation: Simulation) -> None:
        """Write the records changed since the last time, each once."""
        lines = []
        if self._world_changed(simulation):
            lines.append(self._world_line(simulation))
        for tenant_id, table, record_id in dict.fromkeys(simulation.changes):
            books = simulation.organisations[tenant_id]
            if table == "organisation":
                lines.append(_organisation_line(books))
            else:
                lines.append(_line(tenant_id, table, books.table(table).rows[record_id]))
        lines += [_line("", "reply", kept) for kept in simulation.replays.unsaved]
        lines += [
            _line("", "counted", simulation.limiter.counted(*name))
            for name in sorted(simulation.limiter.unsaved)
        ]
        lines += [_line("", "event", event) for event in simulation.chronicle.unsaved]
        if not lines:
            return
        file = self._open()
        self._grown_bytes += file.write(b"\n".join(lines) + b"\n")
        file.flush()
        if self._grown_bytes > max(GROWTH_BYTES, self._compact_bytes):
            self.rewrite(simulation)

    def _world_changed(self, simulation: Simulation) -> bool:
        clock = (simulation.clock.offset_seconds, simulation.clock.frozen_at)
        changed = simulation.identity.is_changed or clock != self._clock
        simulation.identity.is_changed = False
        self._clock = clock
        return changed

    def _world_line(self, simulation: Simulation) -> bytes:
        world = _World(
            generation=self._generation,
            identity=simulation.identity.state,
            ready_token=simulation.ready_token,
            owner_id=simulation.owner_id,
            clock_offset_seconds=simulation.clock.offset_seconds,
            frozen_at=simulation.clock.frozen_at,
        )
        return _line("", "world", world)

    def rewrite(self, simulation: Simulation) -> None:
        """Write the whole state anew and put it in the file's place in one step."""
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("wb") as file:
            for line in self._all_lines(simulation):
                file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
            self._compact_bytes, self._grown_bytes = file.tell(), 0
        fresh.replace(self._path)
        simulation.identity.is_changed = False
        simulation.forget_changes()

    def _all_lines(self, simulation: Simulation) -> Iterator[bytes]:
        yield self._world_line(simulation)
        for books in simulation.organisations.values():
            yield _organisation_line(books)
            for table in TABLES:
                for record in books.table(table):
                    yield _line(books.organisation.id, table, record)
        for kept in simulation.replays.alive(simulation.clock.now()):
            yield _line("", "reply", kept)
        for counted in simulation.limiter.all_counted():
            yield _line("", "counted", counted)
        for event in simulation.chronicle.events():
            yield _line("", "event", event)

    def _open(self) -> BufferedWriter:
        if self._file is None:
            self._file = self._path.open("ab")
        return self._file

    def close(self) -> None:
        """Close the file; a later append opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _line(tenant_id: str, table: str, record: object) -> bytes:
    return _encode({"tenant_id": tenant_id, "table": table, "record": record})


def _organisation_line(books: Books) -> bytes:
    counters = _Counters(books.next_invoice_number, books.next_credit_note_number)
    return _line(
        books.organisation.id, "organisation", _OrganisationLine(books.organisation, counters)
    )
