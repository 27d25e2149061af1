"""Names of stores in Qashier's files."""

from __future__ import annotations

import pytest

from daybook.pos.qashier_stores import Misspelt, StoreNames
from daybook.pos.qashier_text import Misfit
from daybook.sales.store import Store

KATONG = Store("K1", "Teh House Katong", "Asia/Singapore", "SGD")


@pytest.mark.parametrize("said", ["Teh House Katong", "teh house  KATONG ", "K1"])
def test_a_store_is_known_by_name_or_id(said: str) -> None:
    """Case and blanks do not matter."""
    assert "K1" == StoreNames({}, [KATONG]).store_id(said)


def test_stores_that_are_not_asked_for_are_known_too() -> None:
    """A folder holds every store's files, a run may want a few."""
    assert "S9" == StoreNames({"Kopi Bedok": "S9"}, [KATONG]).store_id("Kopi Bedok")


def test_an_unknown_store_names_the_nearest() -> None:
    """A misspelt name is the usual cause."""
    with pytest.raises(Misfit, match="Is it 'Teh House Katong'") as caught:
        StoreNames({}, [KATONG]).store_id("The House Katong", 3)
    assert (3, "Store Name") == (caught.value.row_number, caught.value.column)


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    """A wrong hint is worse than none."""
    with pytest.raises(Misfit) as caught:
        StoreNames({}, [KATONG]).store_id("Zzz")
    assert "Is it" not in str(caught.value)


def test_a_name_of_two_stores_is_refused() -> None:
    """Sales must not go to the wrong one."""
    with pytest.raises(Misfit, match="K1 and K2"):
        StoreNames({"Teh House  Katong": "K2"}, [KATONG]).store_id("Teh House Katong")


@pytest.mark.parametrize(
    ("said", "is_misspelt"),
    [
        ("Teh House Katng", True),
        ("Teh House Kattong", True),
        ("teh hosue katong", True),
        ("Teh House Bedok", False),
        ("Teh House Katong Mall", False),
        ("The Horse Katong", False),
    ],
)
def test_a_letter_more_or_less_is_a_misspelt_store(said: str, is_misspelt: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Everything else may be a store that nobody wants here."""
    with pytest.raises(Misfit) as caught:
        StoreNames({}, [KATONG]).store_id(said)
    assert is_misspelt == isinstance(caught.value, Misspelt)


@pytest.mark.parametrize(
    ("said", "known"),
    [("Tampines East", "Tampines West"), ("Hall A", "Hall B"), ("Kopi 11", "Kopi 12")],
)
def test_short_words_tell_stores_apart(said: str, known: str) -> None:
    """They are neighbours, not mistakes."""
    with pytest.raises(Misfit) as caught:
        StoreNames({known: "K9"}, []).store_id(said)
    assert not isinstance(caught.value, Misspelt)
