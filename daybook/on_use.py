"""Modules that are loaded when something of theirs is first used, so that a command starts fast.

A command of a terminal needs few of the modules that the commands beside it need, and loading all
of them takes seconds. What stands in the block is still an ordinary import to whoever reads it,
to the type checker and to the import contracts:

    with loaded_on_use():
        from daybook.jobs import reconcile

    reconcile.reconcile(engine, clients, days)  # loaded here
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from threading import get_ident
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class _OnUse(ModuleType):
    """Stands for the module of this name and hands out what that one has."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)  # The import system looks whether a module has them.
        module = import_module(self.__name__)
        if module is self:
            raise ImportError(
                f"{self.__name__} cannot wait until it is used while {name} is taken out of it; "
                "import the module."
            )
        return getattr(module, name)


class _Finder(MetaPathFinder, Loader):
    """Finds stand-ins for modules that lie in a package, for the thread that asked for them."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._thread = get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The stand-in; a package is loaded at once, for its modules are found through it."""
        if path is None or get_ident() != self._thread:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.submodule_search_locations is not None:
            return spec
        self.found.append(fullname)
        return ModuleSpec(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A stand-in of that name."""
        return _OnUse(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing: that is the point."""


@contextmanager
def loaded_on_use() -> Iterator[None]:
    """Let the modules imported in this block wait until something of theirs is used.

    Only whoever imported them here has stand-ins: elsewhere, and afterwards, an import is one.

    Raises:
        ImportError: there is no such module, or the block takes a name out of a module.
    """
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in finder.found:
            # Gone from where an import looks first, so that the next one loads the real module.
            package, _, child = name.rpartition(".")
            sys.modules.pop(name, None)
            vars(sys.modules[package]).pop(child, None)
