"""What all tests rely on: unit tests cannot open a socket, and groups stay together."""

from __future__ import annotations

import socket

import pytest


def test_unit_tests_cannot_open_a_socket() -> None:
    """A unit test that reaches for the network fails at once."""
    with pytest.raises(UserWarning, match="tried to use socket"):
        socket.socket()


@pytest.mark.xdist_group("of the guard")
def test_groups_reach_the_scheduler(request: pytest.FixtureRequest) -> None:
    """Where tests are shared out by group, each carries its group: one stack, not one a worker."""
    is_grouped = bool(request.config.getoption("loadgroup", default=False))
    assert is_grouped == request.node.nodeid.endswith("@of the guard")


@pytest.mark.parametrize("content", [b"first", b"second"])
def test_names_of_tests_hold_no_content(request: pytest.FixtureRequest, content: bytes) -> None:
    """Workers that collect a second apart would else disagree about a dated file's name."""
    assert content.decode() not in request.node.nodeid
