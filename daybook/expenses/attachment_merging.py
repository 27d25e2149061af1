"""Which files become one PDF when there are more than may be attached.

Runs of consecutive files are merged so that pages stay in order. Among all ways that satisfy the
count and the size, the one with the fewest merged PDFs is taken, then the one that touches the
fewest files, then the one that moves the fewest bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# What a page costs around the picture in it, and a PDF around its pages.
PAGE_BYTES: Final = 2_000
FILE_BYTES: Final = 8_000


@dataclass(frozen=True, slots=True)
class Part:
    """What the plan needs of a file: its size, and whether its content can become PDF pages."""

    byte_count: int
    has_pages: bool


Runs = tuple[tuple[int, ...], ...]
_Cost = tuple[int, int, int]


def plan_merges(parts: Sequence[Part], count_max: int, bytes_max: int) -> Runs | None:
    """The runs of positions to merge, () when there is nothing to do, None when none will do.

    Files without pages stay as they are; a run may step over them.
    """
    if len(parts) <= count_max:
        return ()
    paged = [index for index, part in enumerate(parts) if part.has_pages]
    places = count_max - (len(parts) - len(paged))
    if places < 1:
        return None
    found = _cheapest([parts[index].byte_count for index in paged], places, bytes_max)
    if found is None:
        return None
    return tuple(tuple(paged[at] for at in run) for run in found if len(run) > 1)


def _cheapest(sizes: list[int], places: int, bytes_max: int) -> list[range] | None:
    """The cheapest cut of the row of files into at most `places` runs that fit, or None."""
    none: tuple[_Cost, list[range]] = ((0, 0, 0), [])
    # best[end] = the cheapest cut of the first `end` files into exactly `used` runs.
    best: dict[int, tuple[_Cost, list[range]]] = {0: none}
    answers = []
    for _used in range(places):
        longer: dict[int, tuple[_Cost, list[range]]] = {}
        for start, (cost, runs) in best.items():
            for end, added in _runs_from(sizes, start, bytes_max):
                total = (cost[0] + added[0], cost[1] + added[1], cost[2] + added[2])
                if end not in longer or total < longer[end][0]:
                    longer[end] = (total, [*runs, range(start, end)])
        best = longer
        if len(sizes) in best:
            answers.append(best[len(sizes)])
    return min(answers, key=lambda answer: answer[0])[1] if answers else None


def _runs_from(sizes: list[int], start: int, bytes_max: int) -> list[tuple[int, _Cost]]:
    """Every end a run from `start` may have, with what it costs: PDFs made, files, bytes moved."""
    if start == len(sizes):
        return []
    ends: list[tuple[int, _Cost]] = [(start + 1, (0, 0, 0))]
    total = sizes[start] + PAGE_BYTES + FILE_BYTES
    for end in range(start + 2, len(sizes) + 1):
        total += sizes[end - 1] + PAGE_BYTES
        if total >= bytes_max:
            break
        ends.append((end, (1, end - start, total)))
    return ends


def share_of_each(parts: Sequence[Part], count_max: int, bytes_max: int) -> int | None:
    """How many bytes each file with pages may have so that all fit; None when no size would do.

    The share is what is left when every PDF is filled with the same number of files.
    """
    paged = sum(part.has_pages for part in parts)
    places = count_max - (len(parts) - paged)
    if places < 1 or not paged:
        return None
    each = -(-paged // places)
    return (bytes_max - FILE_BYTES) // each - PAGE_BYTES - 1
