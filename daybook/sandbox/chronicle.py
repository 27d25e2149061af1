"""What was done to the worlds beside Xero's, in order, so that a restart can do it again.

The tills and the expense accounts are generated: their kind and seed, and every later change, say
all about them.
"""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True):
    """Something that was done to a world; one that is `afresh` makes everything before it void."""

    world: str
    is_afresh: bool
    content: msgspec.Raw


class Chronicle:
    """The events of all worlds."""

    def __init__(self) -> None:
        """Start with nothing done."""
        self._events: dict[str, list[Event]] = {}
        self.unsaved: list[Event] = []
        """What the state file has not got yet."""

    def tell(self, world: str, content: object, *, is_afresh: bool = False) -> None:
        """Add an event; its content is anything that JSON can hold."""
        event = Event(world, is_afresh, msgspec.Raw(msgspec.json.encode(content)))
        self.restore(event)
        self.unsaved.append(event)

    def restore(self, event: Event) -> None:
        """Add an event that was told before a restart."""
        if event.is_afresh:
            self._events.pop(event.world, None)
        self._events.setdefault(event.world, []).append(event)

    def of(self, world: str) -> list[bytes]:
        """Return the contents of a world's events as JSON, oldest first."""
        return [bytes(event.content) for event in self._events.get(world, [])]

    def events(self) -> list[Event]:
        """Return the events of all worlds."""
        return [event for events in self._events.values() for event in events]
