"""Ids that follow from the seed."""

from __future__ import annotations

import re

from daybook.sandbox.identifiers import Identifiers, fixed_guid


def test_ids_look_like_guids_and_repeat_with_the_seed() -> None:
    """The same seed gives the same stream; a later generation gives another."""
    first, same = Identifiers(1), Identifiers(1)
    stream = [first.guid() for _ in range(100)]
    assert stream == [same.guid() for _ in range(100)]
    assert 100 == len(set(stream))
    form = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert all(re.fullmatch(form, guid) for guid in stream)
    same.reseed(2)
    assert not set(stream) & {same.guid() for _ in range(100)}


def test_fixed_ids_depend_on_seed_and_name() -> None:
    """A name has one id under a seed."""
    assert fixed_guid(1, "a") == fixed_guid(1, "a")
    assert 3 == len({fixed_guid(1, "a"), fixed_guid(2, "a"), fixed_guid(1, "b")})
    assert 10 == len(Identifiers(1).token(10))
