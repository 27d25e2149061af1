"""A case's note works its figures out by hand: its sums are right, and no figure is missing."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

_NUMBER: Final = r"-?\d+(?:\.\d+)?(?: %)?"
_SIDE: Final = rf"{_NUMBER}(?: [+\-x] {_NUMBER})*"
_EQUATION: Final = re.compile(rf"(?<![\w.]){_SIDE}(?: = {_SIDE})+")


def faults_of(note: str, figures: Collection[str]) -> list[str]:
    """Sums in the note that are wrong, and figures that it does not mention; none is right."""
    equations = _EQUATION.findall(note)
    wrong = [one for one in equations if len({_value(side) for side in one.split(" = ")}) > 1]
    numbers = {Decimal(one) for one in re.findall(r"-?\d+(?:\.\d+)?", note)}
    absent = sorted({one for one in figures if Decimal(one) and Decimal(one) not in numbers})
    faults = [f"the note is wrong: {one}" for one in wrong]
    if figures and not equations:
        faults.append("the note works out no figure, as in '10.00 + 0.90 = 10.90'")
    return faults + ([f"the note does not work out {', '.join(absent)}"] if absent else [])


def _value(side: str) -> Decimal:
    """The exact value of a side such as `295.00 + 29.50 x 6 %`."""
    value, sign = Decimal(0), 1
    for part in re.split(r" ([+-]) ", side):
        if part in ("+", "-"):
            sign = 1 if part == "+" else -1
            continue
        product = Decimal(1)
        for factor in part.split(" x "):
            share = Decimal(100) if factor.endswith(" %") else Decimal(1)
            product *= Decimal(factor.removesuffix(" %")) / share
        value += sign * product
    return value
