"""Finding who answers a path."""

from __future__ import annotations

import pytest

from daybook.sandbox.resources import TABLE
from daybook.sandbox.routing import Call, Reply, Route, RouteTable, required_scopes
from daybook.sandbox.validation import NotFound, NotImplementedByXero


def answer(_: Call) -> Reply:
    """Answer nothing."""
    return Reply(200)


def test_literal_wins_over_placeholder() -> None:
    """`/Organisation/Actions` is not an organisation called Actions."""
    table = RouteTable(
        [Route("GET", "/Things/{id}", "s", answer), Route("GET", "/Things/Actions", "s", answer)]
    )
    assert "/Things/Actions" == table.find("GET", ["things", "actions"])[0].pattern
    assert ("x",) == table.find("GET", ["Things", "x"])[1]


def test_unknown_path_and_missing_method_differ() -> None:
    """A path nobody serves is not found; a known one with another method is not implemented."""
    with pytest.raises(NotFound):
        TABLE.find("GET", ["Nope"])
    with pytest.raises(NotFound):
        TABLE.find("GET", ["Invoices", "a", "b", "c"])
    with pytest.raises(NotImplementedByXero):
        TABLE.find("DELETE", ["Invoices"])


def test_reading_needs_less_than_writing() -> None:
    """GET is content with the .read scope."""
    route = Route("GET", "/Things", "accounting.things", answer)
    assert ("accounting.things", "accounting.things.read") == required_scopes(route)
    assert ("accounting.things",) == required_scopes(
        Route("PUT", "/T", "accounting.things", answer)
    )


def test_no_route_is_declared_twice() -> None:
    """Each method and path has one answer."""
    pairs = [(route.method, route.pattern) for route in TABLE.routes]
    assert len(pairs) == len(set(pairs))
