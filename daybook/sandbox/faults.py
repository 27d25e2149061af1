"""Faults on demand: which call goes wrong, and how; `delivery` carries them out."""

from __future__ import annotations

import random
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal[
    "lost_reply",
    "lost_request",
    "reset_mid_body",
    "truncated_body",
    "slow",
    "rate_limited",
    "server_error",
    "unavailable",
    "expired_token",
    "duplicate_delivery",
    "wrong_content_type",
]


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calls a fault looks at: method and path, each `*` when left out.

    Paths are those after `/api.xro/2.0` (`/Invoices`, `/Payments/*`), or whole ones
    (`/connect/token`).
    """

    method: str = "*"
    path: str = "*"
    tenant: str = "*"


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One fault: when it strikes (`nth`, `every`, `probability`; none of them = always) and how."""

    fault: Kind
    match: Match = Match()
    nth: int | None = None
    every: int | None = None
    probability: float | None = None
    times: int | None = None
    seconds: float = 1.0
    when: Literal["before", "after"] = "after"
    retry_after: int | None = 22
    problem: str = "minute"
    status: int = 200
    is_committed: bool = False
    id: int = 0
    seen: int = 0
    struck: int = 0


def api_path(path: str) -> str:
    """Return a path without the API's prefix and without ids being hidden."""
    return re.sub(r"^/api\.xro/2\.0", "", path)


class FaultPlan:
    """The faults waiting to strike, in order; at most one strikes a call."""

    def __init__(self, seed: int) -> None:
        """Start with none; probabilities follow from the seed."""
        self._seed = seed
        self.faults: list[Fault] = []
        self._next_id = 1
        self._random = random.Random(seed)  # noqa: S311  reproducible on purpose

    def add(self, fault: Fault) -> Fault:
        """Add a fault; `nth` defaults to striking once."""
        fault.id = self._next_id
        self._next_id += 1
        if fault.nth is not None and fault.times is None:
            fault.times = 1
        self.faults.append(fault)
        return fault

    def load(self, path: Path) -> None:
        """Add the faults of a JSON file."""
        for fault in msgspec.json.decode(path.read_bytes(), type=list[Fault]):
            self.add(fault)

    def remove(self, fault_id: int) -> bool:
        """Take a fault away; tell whether it was there."""
        before = len(self.faults)
        self.faults = [fault for fault in self.faults if fault.id != fault_id]
        return len(self.faults) < before

    def clear(self) -> None:
        """Take all faults away and begin the random sequence anew."""
        self.faults.clear()
        self._random = random.Random(self._seed)  # noqa: S311  reproducible on purpose

    def strike(self, method: str, path: str, tenant: str) -> Fault | None:
        """Count a call and return the fault that hits it, if any."""
        if not self.faults:
            return None
        hit = None
        for fault in self.faults:
            if _matches(fault.match, method, path, tenant):
                fault.seen += 1
                if hit is None and self._is_due(fault):
                    fault.struck += 1
                    hit = fault
        return hit

    def _is_due(self, fault: Fault) -> bool:
        if fault.times is not None and fault.struck >= fault.times:
            return False
        if fault.nth is not None:
            return fault.seen >= fault.nth
        if fault.every is not None:
            return fault.seen % max(1, fault.every) == 0
        if fault.probability is not None:
            return self._random.random() < fault.probability
        return True


def _matches(match: Match, method: str, path: str, tenant: str) -> bool:
    return (
        match.method in {"*", method}
        and match.tenant in {"*", tenant}
        and (match.path == "*" or fnmatchcase(api_path(path).lower(), match.path.lower()))
    )
