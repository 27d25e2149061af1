"""One line of the bench: what was measured, beside what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A figure and the one it is compared with; `note` is only printed."""

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float
    note: str = ""

    @property
    def ratio(self) -> float:
        """Ours by the peer's."""
        return round(self.value / self.peer_value, 3)

    def as_json(self) -> dict[str, object]:
        """The row as `bench.json` holds it."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": round(self.peer_value, 3),
            "ratio": self.ratio,
        }
