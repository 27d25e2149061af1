"""What the fitting of one file ends in, inside the worker: parts, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daybook.expenses.attachment_limits import FitLimits, Legibility, SafetyLimits
    from daybook.expenses.attachment_verdicts import Change, RefusalCode


class CannotFit(Exception):
    """This file cannot be made to fit; `code` says why."""

    def __init__(self, code: RefusalCode) -> None:
        """Keep the reason."""
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class Bounds:
    """All limits of one job; `budget` is what each of its parts stays below, in bytes."""

    limits: FitLimits
    safety: SafetyLimits
    legibility: Legibility
    budget: int


@dataclass(frozen=True, slots=True)
class FittedPart:
    """One file that fits: its extension, its bytes, what was done to it."""

    extension: str
    content: bytes = field(repr=False)
    changes: tuple[Change, ...] = ()
