"""Which store a file of Qashier's means: it says the store's name and nothing else."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from daybook.pos.cells import shown
from daybook.pos.qashier_text import Misfit, label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daybook.sales.store import Store


# In shorter words a letter makes another store: East, West, Hall A.
_WORD_MIN: Final = 5


class Misspelt(Misfit):
    """A name that is almost a store's: its rows may be receipts of that store."""


class StoreNames:
    """The names of all stores there are; a store's id is as good as its name."""

    def __init__(self, store_names: Mapping[str, str], stores: Sequence[Store]) -> None:
        """Take names to store ids, and the stores that are asked for."""
        self._shown: dict[str, str] = {}
        self._ids: dict[str, set[str]] = {}
        named = [*store_names.items(), *((store.name, store.store_id) for store in stores)]
        for name, store_id in named:
            for said in (name, store_id):
                self._shown.setdefault(label(said), said)
                self._ids.setdefault(label(said), set()).add(store_id)

    def store_id(self, said: str, row_number: int = 1) -> str:
        """The store that is called so.

        Raises:
            Misspelt: no store is, but one is called almost so.
            Misfit: no store is, or several are.
        """
        found = self._ids.get(label(said), set())
        if len(found) == 1:
            return next(iter(found))
        if found:
            raise Misfit(
                f"The stores {' and '.join(sorted(found))} are both called {shown(said)}; give "
                "them different names in the stores file.",
                row_number,
                "Store Name",
            )
        near = difflib.get_close_matches(label(said), self._shown, n=1)
        hint = f" Is it {shown(self._shown[near[0]])}?" if near else ""
        kind = Misspelt if near and _is_misspelt(label(said), near[0]) else Misfit
        raise kind(
            f"No store is called {shown(said)}.{hint} Give the store this name in the stores "
            "file and load it, or remove the file.",
            row_number,
            "Store Name",
        )


def _is_misspelt(said: str, name: str) -> bool:
    """Whether one word differs by a letter: `Katng`, not `Block B` beside `Block A`."""
    pairs = list(zip(said.split(), name.split(), strict=False))
    apart = [pair for pair in pairs if pair[0] != pair[1]]
    if len(said.split()) != len(name.split()) or len(apart) != 1:
        return False
    ((one, other),) = apart
    if not (one + other).isalpha() or min(len(one), len(other)) < _WORD_MIN:
        return False
    steps = difflib.SequenceMatcher(None, one, other).get_opcodes()
    changed = sum(max(i2 - i1, j2 - j1) for kind, i1, i2, j1, j2 in steps if kind != "equal")
    return changed == 1 or (len(one) == len(other) and sorted(one) == sorted(other))
