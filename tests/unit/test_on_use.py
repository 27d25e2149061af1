"""Modules that wait until they are used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from daybook.on_use import loaded_on_use

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package of its own: a module that says when it is loaded, and a package in it."""
    inner = tmp_path / "shop_of_modules" / "inner"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").touch()
    (inner / "__init__.py").touch()
    (inner.parent / "till.py").write_text("import sys\nsys.tills = sys.tills + 1\nCOINS = [10]\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "tills", 0, raising=False)
    yield
    for name in [one for one in sys.modules if one.startswith("shop_of_modules")]:
        del sys.modules[name]


def tills() -> int:
    """How often the module was loaded."""
    found: int = vars(sys)["tills"]
    return found


def waiting_till() -> object:
    """What stands for the module."""
    with loaded_on_use():
        return import_module("shop_of_modules.till")


def test_a_module_is_loaded_when_something_of_it_is_used() -> None:
    """Not before, and only once."""
    till = waiting_till()
    assert 0 == tills()
    assert [10] == vars(import_module("shop_of_modules.till"))["COINS"]
    assert [10] == getattr(till, "COINS")  # noqa: B009 - mypy knows no such attribute
    assert 1 == tills()


def test_only_whoever_asked_for_it_waits() -> None:
    """An import elsewhere gives the module itself, whose changes the stand-in shows."""
    till = waiting_till()
    real = import_module("shop_of_modules.till")
    assert 1 == tills()
    vars(real)["COINS"] = [50]
    assert [50] == getattr(till, "COINS")  # noqa: B009 - mypy knows no such attribute
    assert real is vars(sys.modules["shop_of_modules"])["till"]


def test_a_module_that_is_loaded_already_is_itself() -> None:
    """There is nothing to wait for."""
    real = import_module("shop_of_modules.till")
    assert real is waiting_till()
    assert real is sys.modules["shop_of_modules.till"]


def test_a_package_does_not_wait() -> None:
    """The modules in it are found through it."""
    with loaded_on_use():
        inner = import_module("shop_of_modules.inner")
    assert inner is sys.modules["shop_of_modules.inner"]


def test_a_module_that_is_not_there_is_missed_at_once() -> None:
    """A slip of the pen does not wait until the command runs."""
    with pytest.raises(ModuleNotFoundError, match="tlil"), loaded_on_use():
        import_module("shop_of_modules.tlil")
    assert "shop_of_modules.till" not in sys.modules


def test_a_name_cannot_be_taken_out_of_a_module_that_waits() -> None:
    """The block would load it, and nobody would see why the command is slow again."""
    with pytest.raises(ImportError, match="import the module"), loaded_on_use():
        exec("from shop_of_modules.till import COINS", {})  # noqa: S102 - the statement itself
    assert 0 == tills()


def test_a_module_does_not_lack_what_it_never_had() -> None:
    """Asking for an unknown name fails as with any module."""
    till = waiting_till()
    with pytest.raises(AttributeError, match="NOTES"):
        getattr(till, "NOTES")  # noqa: B009 - mypy knows no such attribute
